"""Convolutions, dense and depthwise. The dense one makes a width."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from catdsl.ir.code import Call, Halved, Slot, Writing, call, given
from catdsl.ir.offset import OffsetCall
from catdsl.ir.op import REQUIRED, Absence, Arg, Attrs, Axis, Example, Initial, Kind, Macs, Op, Site, Weight
from catdsl.ir.shapes import ShapeCall
from catdsl.ir.size import Size, slide
from catdsl.ir.types import TensorType

if TYPE_CHECKING:
    import numpy as np

_MAX_KERNEL = 127

WIDTH = Arg("width", Kind.WIDTH, summary="output channels: a number or a width form")
KERNEL = Arg("kernel", Kind.INT, REQUIRED, 1, _MAX_KERNEL, summary="height and width of the kernel")
_STRIDE = Arg("stride", Kind.INT, 1, 1, 64, keyword_only=True, summary="step of the kernel in pixels")
_DILATION = Arg("dilation", Kind.INT, 1, 1, 64, keyword_only=True, summary="distance of the kernel's taps")
_PAD = Arg(
    "pad", Kind.WORD, choices=("zero", "reflect", "replicate"), style="pad", keyword_only=True,
    summary="what stands beyond the border",
)  # fmt: skip
_PADDING = Arg(
    "padding", Kind.INT, None, 0, 1024, keyword_only=True,
    summary="pixels added on each side; the default keeps the size at stride 1 and an odd kernel",
)  # fmt: skip
BIAS = Arg(
    "bias", Kind.BOOL, style="bias", keyword_only=True,
    summary="a bias per output channel; `auto` leaves it out before a batch norm",
)  # fmt: skip
SPECTRAL = Arg(
    "spectral", Kind.BOOL, style="spectral", keyword_only=True, summary="spectral normalisation of the weight"
)


def padding(attrs: Attrs) -> int:
    """Pixels added on each side."""
    given = attrs["padding"]
    return attrs["dilation"] * (attrs["kernel"] - 1) // 2 if given is None else given


def _slid_identity(site: Site) -> Attrs:
    """The padding as it comes out; what padded pixels hold only where there are some."""
    pixels = padding(site.attrs)
    return {**site.attrs, "padding": pixels, "pad": site.attrs["pad"] if pixels else None}


def _slid_size(attrs: Attrs, sizes: Sequence[Size]) -> Any:
    reach = attrs["dilation"] * (attrs["kernel"] - 1) + 1
    return tuple(slide(n, padding(attrs), reach, attrs["stride"]) for n in sizes[0])


def _slid(call: ShapeCall) -> tuple[int, int]:
    """Height and width after a kernel slid over the padded input."""
    attrs, source = call.attrs, call.inputs[0]
    pad = padding(attrs)
    if attrs["pad"] == "reflect" and pad >= min(source.height, source.width):
        raise call.fail(
            "E306", f"`reflect` cannot pad an image of {source.height} x {source.width} by {pad}",
            help="use pad = zero or replicate here, or declare a larger input",
        )  # fmt: skip
    return _slid_size(attrs, call.sizes)


def _conv_type(call: ShapeCall) -> TensorType:
    height, width = _slid(call)
    return call.sized(call.new_width(call.attrs["width"]), height, width)


def _dwconv_type(call: ShapeCall) -> TensorType:
    return call.sized(call.inputs[0].channels, *_slid(call))


def bias_of(attrs: Attrs) -> tuple[Weight, ...]:
    """The row of the bias, where there is one."""
    return (Weight("bias", (Axis.OUT,)),) if attrs["bias"] else ()


def _conv_weights(attrs: Attrs) -> tuple[Weight, ...]:
    kernel = (attrs["kernel"], attrs["kernel"])
    return (
        Weight("weight", (Axis.OUT, Axis.IN, Axis.FIXED, Axis.FIXED), kernel, initial=Initial.KERNEL),
        *bias_of(attrs),
    )


def _dwconv_weights(attrs: Attrs) -> tuple[Weight, ...]:
    sizes = (1, attrs["kernel"], attrs["kernel"])
    return (
        Weight("weight", (Axis.OUT, Axis.FIXED, Axis.FIXED, Axis.FIXED), sizes, initial=Initial.KERNEL),
        *bias_of(attrs),
    )


def pixels(type_: TensorType) -> int:
    """Height times width."""
    return type_.height * type_.width


def _conv_macs(attrs: Attrs, source: TensorType, result: TensorType) -> Macs:
    per = attrs["kernel"] ** 2 * pixels(result)
    return Macs(per, per, inputs=True)


def _dwconv_macs(attrs: Attrs, source: TensorType, result: TensorType) -> Macs:
    per = attrs["kernel"] ** 2 * pixels(result)
    return Macs(per, per)


_TORCH_PAD = {"zero": "zeros", "reflect": "reflect", "replicate": "replicate"}


def with_spectral_norm(module: object, attrs: Attrs) -> object:
    """The module, its weight normalised where `spectral` says so."""
    from torch.nn.utils.parametrizations import spectral_norm

    return spectral_norm(module) if attrs["spectral"] else module  # type: ignore[arg-type]


def _build_conv(site: Site) -> object:
    return _build(site, groups=1)


def _build_dwconv(site: Site) -> object:
    return _build(site, groups=site.in_channels)


def _build(site: Site, *, groups: int) -> object:
    from torch import nn

    attrs = site.attrs
    module = nn.Conv2d(
        site.in_channels, site.out_channels, attrs["kernel"], stride=attrs["stride"], padding=padding(attrs),
        dilation=attrs["dilation"], groups=groups, bias=attrs["bias"], padding_mode=_TORCH_PAD[attrs["pad"]],  # type: ignore[arg-type]
    )  # fmt: skip
    return with_spectral_norm(module, attrs)


def _conv_offset(call: OffsetCall) -> "np.ndarray":
    """Constant channels, padded with themselves, give the sum of their kernels; a conv that is gone its bias too."""
    read = call.offsets[0] != 0
    if read.any() and _sees_zeros(call):
        return call.unknown()
    result = call.weights["weight"].sum(axis=(2, 3))[:, read] @ call.offsets[0][read]
    if call.present[0].any():
        result[~call.kept] = float("nan")
        return result
    return result + call.weights["bias"] if call.attrs["bias"] else result


def _dwconv_offset(call: OffsetCall) -> "np.ndarray":
    offset, gone = call.offsets[0], ~call.kept
    result = call.weights["weight"].sum(axis=(1, 2, 3)) * offset
    if _sees_zeros(call):
        result[offset != 0] = float("nan")
    if call.attrs["bias"]:
        result[gone] += call.weights["bias"][gone]
    return result


def _written(site: Site, *, groups: bool = False) -> Call:
    attrs, kernel = site.attrs, Slot("kernel", site.attrs["kernel"])
    inputs, outputs = Slot("inputs", site.in_channels), Slot("outputs", site.out_channels)
    named: dict[str, Any] = given(stride=(attrs["stride"], 1))
    pad = padding(attrs)
    same = pad == attrs["kernel"] // 2 and attrs["dilation"] == 1
    named |= {"padding": Halved(kernel)} if same else given(padding=(pad, 0))
    named |= given(dilation=(attrs["dilation"], 1))
    if groups:
        named["groups"] = inputs
    named |= given(padding_mode=(_TORCH_PAD[attrs["pad"]], "zeros"))
    return call("nn.Conv2d", inputs, outputs, kernel, **named, **given(bias=(attrs["bias"], True)))


def _sees_zeros(call: OffsetCall) -> bool:
    return call.border and call.attrs["pad"] == "zero" and padding(call.attrs) > 0


CONV = Op(
    name="conv",
    summary="Dense convolution; makes a width.",
    args=(WIDTH, KERNEL, _STRIDE, _PAD, _PADDING, _DILATION, BIAS, SPECTRAL),
    infer=_conv_type,
    size=_slid_size,
    weights=_conv_weights,
    macs=_conv_macs,
    build=_build_conv,
    identity=_slid_identity,
    absence=Absence.MAKES,
    offset=_conv_offset,
    examples=(
        Example(((3, 8, 10),), "6, 3"),
        Example(((4, 9, 8),), "5, 7, pad = reflect, bias = false"),
        Example(((4, 9, 8),), "5, 3, stride = 2, pad = zero"),
        Example(((4, 16, 12),), "6, 4, stride = 2, padding = 1, pad = replicate"),
        Example(((4, 12, 12),), "6, 3, dilation = 2"),
    ),
    onnx="Conv, after Pad where pad is not zero",
    python=Writing(_written, calls=("nn.Conv2d",)),
)

DWCONV = Op(
    name="dwconv",
    summary="Depthwise convolution: one kernel per channel; keeps its input's width.",
    args=(KERNEL, _STRIDE, _PAD, _PADDING, _DILATION, BIAS, SPECTRAL),
    infer=_dwconv_type,
    size=_slid_size,
    weights=_dwconv_weights,
    macs=_dwconv_macs,
    build=_build_dwconv,
    identity=_slid_identity,
    absence=Absence.PASSES,
    per_channel=True,
    offset=_dwconv_offset,
    examples=(
        Example(((6, 8, 10),), "3"),
        Example(((6, 8, 10),), "5, stride = 2, pad = reflect, bias = false"),
        Example(((6, 8, 10),), "3, padding = 0, dilation = 2"),
    ),
    onnx="Conv with group = channels",
    python=Writing(partial(_written, groups=True), calls=("nn.Conv2d",)),
)

ALL = (CONV, DWCONV)
