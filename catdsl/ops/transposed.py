"""Transposed convolutions: `deconv`, and the dense conv that scatters. Each makes a width."""

from collections.abc import Sequence
from typing import Any

from catdsl.ir.code import Call, Slot, Writing, call, given
from catdsl.ir.op import Absence, Arg, Attrs, Axis, Example, Initial, Kind, Macs, Op, Site, Weight
from catdsl.ir.shapes import ShapeCall
from catdsl.ir.size import Size, combine, slide
from catdsl.ir.types import TensorType
from catdsl.ops.conv import BIAS, KERNEL, SPECTRAL, WIDTH, bias_of, pixels, with_spectral_norm


def deconv_padding(attrs: Attrs) -> tuple[int, int]:
    """`padding` and `output_padding` of a transposed conv, which make sides `stride` times as long."""
    excess = attrs["kernel"] - attrs["stride"]
    pad = (excess + 1) // 2
    return pad, 2 * pad - excess


def scatter_padding(attrs: Attrs) -> int:
    """`padding` of the transposed conv that a scattering conv is: what reaches past the result is cut off."""
    return int(attrs["kernel"] - 1 - attrs["padding"])


def _deconv_size(attrs: Attrs, sizes: Sequence[Size]) -> Any:
    return tuple(combine("*", n, attrs["stride"]) for n in sizes[0])


def _scatter_size(attrs: Attrs, sizes: Sequence[Size]) -> Any:
    return tuple(slide(n, attrs["padding"], attrs["kernel"], 1) for n in sizes[0])


def _deconv_type(call: ShapeCall) -> TensorType:
    kernel, stride = call.attrs["kernel"], call.attrs["stride"]
    if kernel < stride:
        raise call.fail(
            "E307", f"a transposed conv of stride {stride} needs a kernel of at least {stride}, got {kernel}",
            help=f"write {call.word}(..., {stride + 1}, stride = {stride})",
        )  # fmt: skip
    if stride == 1 and kernel % 2 == 0:
        raise call.fail(
            "E307", f"a transposed conv of stride 1 keeps the size with odd kernels only, got {kernel}",
            help=f"write {call.word}(..., {kernel + 1}), or give it a stride",
        )  # fmt: skip
    return call.sized(call.new_width(call.attrs["width"]), *_deconv_size(call.attrs, call.sizes))


def _scatter_type(call: ShapeCall) -> TensorType:
    raise AssertionError("`scatter_conv` is made by a pass alone, with its type")


def _deconv_weights(attrs: Attrs) -> tuple[Weight, ...]:
    kernel = (attrs["kernel"], attrs["kernel"])
    return (
        Weight("weight", (Axis.IN, Axis.OUT, Axis.FIXED, Axis.FIXED), kernel, initial=Initial.KERNEL),
        *bias_of(attrs),
    )


def _deconv_macs(attrs: Attrs, source: TensorType, result: TensorType) -> Macs:
    # The published figures count transposed convs at output resolution.
    square = attrs["kernel"] ** 2
    return Macs(square * pixels(source), square * pixels(result), inputs=True)


def _build_deconv(site: Site) -> object:
    from torch import nn

    attrs = site.attrs
    pad, more = deconv_padding(attrs)
    module = nn.ConvTranspose2d(
        site.in_channels, site.out_channels, attrs["kernel"], stride=attrs["stride"], padding=pad,
        output_padding=more, bias=attrs["bias"],
    )  # fmt: skip
    return with_spectral_norm(module, attrs)


def _build_scatter(site: Site) -> object:
    from torch import nn

    attrs = site.attrs
    return nn.ConvTranspose2d(
        site.in_channels, site.out_channels, attrs["kernel"], padding=scatter_padding(attrs), bias=attrs["bias"]
    )


def _deconv_written(site: Site) -> Call:
    pad, more = deconv_padding(site.attrs)
    return _written(site, stride=(site.attrs["stride"], 1), padding=(pad, 0), output_padding=(more, 0))


def _scatter_written(site: Site) -> Call:
    return _written(site, padding=(scatter_padding(site.attrs), 0))


def _written(site: Site, **more: tuple[object, object]) -> Call:
    attrs = site.attrs
    return call(
        "nn.ConvTranspose2d", Slot("inputs", site.in_channels), Slot("outputs", site.out_channels),
        Slot("kernel", attrs["kernel"]), **given(**more, bias=(attrs["bias"], True)),
    )  # fmt: skip


DECONV = Op(
    name="deconv",
    summary="Transposed convolution; stride 2 doubles the size exactly. Makes a width.",
    args=(
        WIDTH, KERNEL,
        Arg("stride", Kind.INT, 2, 1, 64, keyword_only=True, summary="the factor of the size"),
        BIAS, SPECTRAL,
    ),
    infer=_deconv_type,
    size=_deconv_size,
    weights=_deconv_weights,
    macs=_deconv_macs,
    build=_build_deconv,
    absence=Absence.MAKES,
    examples=(
        Example(((6, 5, 7),), "4, 3, stride = 2"),
        Example(((6, 5, 7),), "4, 4, stride = 2, bias = false"),
        Example(((6, 5, 7),), "4, 3, stride = 1"),
        Example(((6, 5, 7),), "4, 7, stride = 3"),
    ),
    onnx="ConvTranspose",
    python=Writing(_deconv_written, calls=("nn.ConvTranspose2d",)),
)  # fmt: skip

SCATTER_CONV = Op(
    name="scatter_conv",
    summary="Internal: a dense conv of stride 1 as the transposed conv of its turned kernel.",
    infer=_scatter_type, size=_scatter_size, weights=_deconv_weights, macs=_deconv_macs, build=_build_scatter,
    absence=Absence.MAKES, in_language=False, onnx="ConvTranspose",
    python=Writing(_scatter_written, calls=("nn.ConvTranspose2d",)),
)  # fmt: skip

ALL = (DECONV, SCATTER_CONV)
