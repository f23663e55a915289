"""Pooling: over windows, and over the whole image."""

from collections.abc import Sequence
from typing import Any

from catdsl.ir.code import Call, Writing, call, flat, given
from catdsl.ir.offset import unchanged
from catdsl.ir.op import Absence, Arg, Attrs, Example, Kind, Op, Site
from catdsl.ir.shapes import ShapeCall
from catdsl.ir.size import Size, slide
from catdsl.ir.types import TensorType


def _pool_size(attrs: Attrs, sizes: Sequence[Size]) -> Any:
    kernel = attrs["kernel"]
    return tuple(slide(n, attrs["padding"], kernel, attrs["stride"] or kernel) for n in sizes[0])


def _pool_type(call: ShapeCall) -> TensorType:
    kernel, source = call.attrs["kernel"], call.inputs[0]
    padding = call.attrs["padding"]
    if 2 * padding > kernel:
        raise call.fail("E307", f"`{call.word}` pads by at most half its kernel of {kernel}, got {padding}")
    return call.sized(source.channels, *_pool_size(call.attrs, call.sizes))


def _pool_arguments(site: Site) -> dict[str, Any]:
    attrs = site.attrs
    return {
        "kernel_size": attrs["kernel"], "stride": attrs["stride"] or attrs["kernel"], "padding": attrs["padding"],
    }  # fmt: skip


def _avg_pool_build(site: Site) -> Any:
    from torch.nn import functional as F

    return F.avg_pool2d, {**_pool_arguments(site), "count_include_pad": False}


def _max_pool_build(site: Site) -> Any:
    from torch.nn import functional as F

    return F.max_pool2d, _pool_arguments(site)


_GLOBAL = {
    "mean": ("nn.AdaptiveAvgPool2d", "F.adaptive_avg_pool2d"),
    "max": ("nn.AdaptiveMaxPool2d", "F.adaptive_max_pool2d"),
}


def _global_build(site: Site) -> Any:
    from torch.nn import functional as F

    function = {"mean": F.adaptive_avg_pool2d, "max": F.adaptive_max_pool2d}[site.attrs["mode"]]
    return function, {"output_size": 1}


def _pool_written(module: str, function: str, **more: Any) -> Writing:
    def arguments(site: Site) -> tuple[tuple[Any, ...], dict[str, Any]]:
        attrs = site.attrs
        stride = attrs["stride"] or attrs["kernel"]
        return (attrs["kernel"],), {**given(stride=(stride, attrs["kernel"]), padding=(attrs["padding"], 0)), **more}

    def made(site: Site) -> Call:
        placed, named = arguments(site)
        return call(module, *placed, **named)

    def computed(site: Site, names: Sequence[str]) -> str:
        placed, named = arguments(site)
        text = flat(call("", *placed, **named))
        return f"{function}({names[0]}, {text[1:]}"

    return Writing(made, computed, (module, function))


_POOL = (
    Arg("kernel", Kind.INT, 2, 1, 127, summary="height and width of the window"),
    Arg("stride", Kind.INT, None, 1, 64, keyword_only=True, summary="step of the window; the kernel by default"),
    Arg("padding", Kind.INT, 0, 0, 64, keyword_only=True, summary="pixels added on each side"),
)

AVG_POOL = Op(
    name="avg_pool", summary="Mean over windows; padding does not count.", args=_POOL, infer=_pool_type,
    size=_pool_size, build=_avg_pool_build, absence=Absence.PASSES, per_channel=True, offset=unchanged,
    identity=_pool_arguments,
    examples=(Example(((3, 8, 6),), "2"), Example(((3, 9, 7),), "3, stride = 2, padding = 1")),
    onnx="AveragePool", python=_pool_written("nn.AvgPool2d", "F.avg_pool2d", count_include_pad=False),
)  # fmt: skip

MAX_POOL = Op(
    name="max_pool", summary="Largest value of windows.", args=_POOL, infer=_pool_type,
    size=_pool_size, build=_max_pool_build, absence=Absence.PASSES, per_channel=True, offset=unchanged,
    identity=_pool_arguments,
    examples=(Example(((3, 8, 6),), "2"), Example(((3, 9, 7),), "3, stride = 2, padding = 1")),
    onnx="MaxPool", python=_pool_written("nn.MaxPool2d", "F.max_pool2d"),
)  # fmt: skip

GLOBAL_POOL = Op(
    name="global_pool", summary="The mean or the largest value of each channel, as an image of one pixel.",
    args=(Arg("mode", Kind.WORD, "mean", choices=("mean", "max"), summary="which of the two"),),
    infer=lambda call: call.sized(call.inputs[0].channels, 1, 1), size=lambda attrs, sizes: (1, 1),
    build=_global_build, absence=Absence.PASSES, per_channel=True, offset=unchanged,
    examples=(Example(((3, 8, 6),)), Example(((3, 8, 6),), "max")), onnx="GlobalAveragePool or GlobalMaxPool",
    python=Writing(
        lambda site: call(_GLOBAL[site.attrs["mode"]][0], 1),
        lambda site, names: f"{_GLOBAL[site.attrs['mode']][1]}({names[0]}, 1)",
        calls=(*_GLOBAL["mean"], *_GLOBAL["max"]),
    ),
)  # fmt: skip

ALL = (AVG_POOL, MAX_POOL, GLOBAL_POOL)
