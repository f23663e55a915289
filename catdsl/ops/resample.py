"""Changes of size without weights: resize, pixel shuffle, padding."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from catdsl.ir.code import Call, Writing, call, flat, given
from catdsl.ir.offset import OffsetCall, unchanged
from catdsl.ir.op import REQUIRED, Absence, Arg, Attrs, Example, Kind, Op, Site
from catdsl.ir.shapes import ShapeCall, ShapeError
from catdsl.ir.size import Size, SizeExpr, combine, evaluate
from catdsl.ir.types import TensorType
from catdsl.ir.widths import Unequal

if TYPE_CHECKING:
    import numpy as np


def _resize_size(attrs: Attrs, sizes: Sequence[Size]) -> Any:
    if attrs["to"] is not None:
        return tuple(evaluate(expr, sizes) for expr in attrs["to"])
    return tuple(combine("scaled", n, attrs["scale"]) for n in sizes[0])


def _resize_type(call: ShapeCall) -> TensorType:
    source, scale, to = call.inputs[0], call.attrs["scale"], call.attrs["to"]
    if (scale is None) == (to is None):
        raise call.fail(
            "E205" if scale is None else "E204", "`resize` takes exactly one of scale, to and like",
            help="for example resize(scale = 2, nearest) or resize(like = x, bilinear)",
        )  # fmt: skip
    return call.sized(source.channels, *_resize_size(call.attrs, call.sizes))


def _resize_build(site: Site) -> Any:
    from catdsl.backend.functions import resize

    return resize, {name: site.attrs[name] for name in ("scale", "to", "mode")}


def _shuffle_size(attrs: Attrs, sizes: Sequence[Size]) -> Any:
    return tuple(combine("*", n, attrs["factor"]) for n in sizes[0])


def _shuffle_type(call: ShapeCall) -> TensorType:
    factor, source = call.attrs["factor"], call.inputs[0]
    try:
        channels = call.widths.interleave(source.channels, factor * factor)
    except Unequal as unequal:
        raise ShapeError(
            "E304", f"`pixel_shuffle({factor})` needs channels in groups of {factor * factor}, got {call.count()}",
            notes=(f"`{unequal.widths[0]}` cannot be divided so",),
            help=f"put conv({factor * factor} * n, 3) before it",
        ) from None  # fmt: skip
    return call.sized(channels, *_shuffle_size(call.attrs, call.sizes))


def _shuffle_build(site: Site) -> Any:
    from torch.nn import functional as F

    return F.pixel_shuffle, {"upscale_factor": site.attrs["factor"]}


def _shuffle_offset(call: OffsetCall) -> "np.ndarray":
    """The pixels of one channel come from a group of channels, which must lack the same."""
    groups = call.offsets[0].reshape(-1, call.attrs["factor"] ** 2)
    result = groups[:, 0].copy()
    result[(groups != groups[:, :1]).any(axis=1)] = float("nan")
    return result


def _pad_size(attrs: Attrs, sizes: Sequence[Size]) -> Any:
    return tuple(combine("+", n, 2 * attrs["amount"]) for n in sizes[0])


def _pad_type(call: ShapeCall) -> TensorType:
    amount, source = call.attrs["amount"], call.inputs[0]
    if call.attrs["mode"] == "reflect" and amount >= min(source.height, source.width):
        raise call.fail("E306", f"`reflect` cannot pad an image of {source.height} x {source.width} by {amount}")
    return call.sized(source.channels, *_pad_size(call.attrs, call.sizes))


def _pad_build(site: Site) -> Any:
    from torch.nn import functional as F

    mode = {"zero": "constant"}.get(site.attrs["mode"], site.attrs["mode"])
    return F.pad, {"pad": (site.attrs["amount"],) * 4, "mode": mode}


def _pad_offset(call: OffsetCall) -> "np.ndarray":
    result = call.offsets[0].copy()
    if call.border and call.attrs["mode"] == "zero" and call.attrs["amount"]:
        result[result != 0] = float("nan")
    return result


def _resize_expression(site: Site, names: Sequence[str]) -> str:
    attrs = site.attrs
    mode = ', mode="bilinear"' if attrs["mode"] == "bilinear" else ""
    if attrs["to"] is None:
        if _whole(attrs["scale"]):
            return f"F.interpolate({names[0]}, scale_factor={int(attrs['scale'])}{mode})"
        sides = [f"int({names[0]}.shape[{axis}] * {attrs['scale']!r})" for axis in (2, 3)]
        return f"F.interpolate({names[0]}, size=({sides[0]}, {sides[1]}){mode})"
    height, width = attrs["to"]
    if isinstance(height, tuple) and height[0] == "height" and width == ("width", height[1]):
        return f"F.interpolate({names[0]}, size={names[height[1]]}.shape[2:]{mode})"
    return f"F.interpolate({names[0]}, size=({_side(height, names)}, {_side(width, names)}){mode})"


def _resize_module(site: Site) -> Call | None:
    if site.attrs["to"] is not None or not _whole(site.attrs["scale"]):
        return None
    mode = given(mode=(site.attrs["mode"], "nearest"))
    return call("nn.Upsample", scale_factor=int(site.attrs["scale"]), **mode)


def _side(expr: SizeExpr, names: Sequence[str]) -> str:
    """A size as a Python expression over the shapes of variables."""
    if not isinstance(expr, tuple):
        return repr(expr)
    head, *rest = expr
    if head in ("height", "width"):
        return f"{names[rest[0]]}.shape[{2 if head == 'height' else 3}]"
    left, right = (_side(part, names) for part in rest)
    if head in ("min", "max"):
        return f"{head}({left}, {right})"
    if head == "scaled":
        return f"int({left} * {right})"
    left, right = (f"({side})" if " " in side and not side.endswith(")") else side for side in (left, right))
    return f"{left} {head} {right}"


def _whole(scale: float | None) -> bool:
    return scale is not None and scale == int(scale)


def _pad_expression(site: Site, names: Sequence[str]) -> str:
    amount, mode = site.attrs["amount"], site.attrs["mode"]
    more = "" if mode == "zero" else f', mode="{mode}"'
    return f"F.pad({names[0]}, {flat((amount,) * 4)}{more})"


_PADS = {"zero": "nn.ZeroPad2d", "reflect": "nn.ReflectionPad2d", "replicate": "nn.ReplicationPad2d"}

RESIZE = Op(
    name="resize",
    summary="Resampling: by a factor, to a size, or to the size of another tensor.",
    args=(
        Arg("mode", Kind.WORD, "nearest", choices=("nearest", "bilinear"), summary="how pixels are found"),
        Arg("scale", Kind.NUMBER, None, 1 / 64, 64, keyword_only=True, summary="factor of height and width"),
        Arg("to", Kind.SIZES, None, keyword_only=True, summary="[height, width]; sizes follow the real input"),
        Arg("like", Kind.TENSOR, None, keyword_only=True, summary="a tensor whose size is taken"),
    ),
    infer=_resize_type,
    size=_resize_size,
    build=_resize_build,
    offset=unchanged,
    absence=Absence.PASSES,
    per_channel=True,
    examples=(
        Example(((3, 4, 6),), "scale = 2, nearest"),
        Example(((3, 4, 6),), "to = [7, 5], bilinear"),
        Example(((3, 8, 6),), "scale = 0.5, bilinear"),
    ),
    onnx="Resize",
    python=Writing(_resize_module, _resize_expression, ("nn.Upsample", "F.interpolate", "int", "max", "min")),
)

PIXEL_SHUFFLE = Op(
    name="pixel_shuffle",
    summary="Channels to space: factor squared channels become one of factor times the size.",
    args=(Arg("factor", Kind.INT, 2, 2, 16, summary="factor of height and width"),),
    infer=_shuffle_type,
    size=_shuffle_size,
    build=_shuffle_build,
    offset=_shuffle_offset,
    absence=Absence.PASSES,
    examples=(Example(((8, 4, 5),), "2"), Example(((9, 4, 5),), "3")),
    onnx="DepthToSpace, mode CRD",
    python=Writing(
        lambda site: call("nn.PixelShuffle", site.attrs["factor"]),
        lambda site, names: f"F.pixel_shuffle({names[0]}, {site.attrs['factor']})",
        calls=("nn.PixelShuffle", "F.pixel_shuffle"),
    ),
)

PAD = Op(
    name="pad",
    summary="Pixels added on all sides.",
    args=(
        Arg("amount", Kind.INT, REQUIRED, 0, 1024, summary="pixels on each side"),
        Arg("mode", Kind.WORD, choices=("zero", "reflect", "replicate"), style="pad", summary="what they hold"),
    ),
    infer=_pad_type,
    size=_pad_size,
    build=_pad_build,
    offset=_pad_offset,
    absence=Absence.PASSES,
    per_channel=True,
    examples=(Example(((3, 8, 6),), "2, reflect"), Example(((3, 8, 6),), "1, zero")),
    onnx="Pad",
    python=Writing(
        lambda site: call(_PADS[site.attrs["mode"]], site.attrs["amount"]),
        _pad_expression,
        calls=(*_PADS.values(), "F.pad"),
    ),
)

ALL = (RESIZE, PIXEL_SHUFFLE, PAD)
