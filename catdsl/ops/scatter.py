"""A conv that adds each pixel's share to its results, as a transposed conv does. Passes alone make it."""

from collections.abc import Sequence
from typing import Any

from catdsl.ir.op import Absence, Attrs, Axis, Macs, Op, Site, Weight
from catdsl.ir.shapes import ShapeCall
from catdsl.ir.size import Size, slide
from catdsl.ir.types import TensorType


def scatter_padding(attrs: Attrs) -> int:
    """`padding` of the transposed conv: what it would add beyond the result's border is cut off."""
    return int(attrs["kernel"] - 1 - attrs["padding"])


def _size(attrs: Attrs, sizes: Sequence[Size]) -> Any:
    return tuple(slide(n, attrs["padding"], attrs["kernel"], 1) for n in sizes[0])


def _type(call: ShapeCall) -> TensorType:
    raise AssertionError("`scatter_conv` is made by a pass alone, with its type")


def _weights(attrs: Attrs) -> tuple[Weight, ...]:
    kernel = Weight("weight", (Axis.IN, Axis.OUT, Axis.FIXED, Axis.FIXED), (attrs["kernel"], attrs["kernel"]))
    return (kernel, Weight("bias", (Axis.OUT,))) if attrs["bias"] else (kernel,)


def _macs(attrs: Attrs, source: TensorType, result: TensorType) -> Macs:
    square = attrs["kernel"] ** 2
    return Macs(square * source.height * source.width, square * result.height * result.width, inputs=True)


def _build(site: Site) -> object:
    from torch import nn

    attrs = site.attrs
    return nn.ConvTranspose2d(
        site.in_channels, site.out_channels, attrs["kernel"], padding=scatter_padding(attrs), bias=attrs["bias"]
    )  # fmt: skip


SCATTER_CONV = Op(
    name="scatter_conv",
    summary="Internal: a dense conv of stride 1 as the transposed conv of its turned kernel.",
    infer=_type, size=_size, weights=_weights, macs=_macs, build=_build, absence=Absence.MAKES,
    in_language=False, onnx="ConvTranspose",
)  # fmt: skip

ALL = (SCATTER_CONV,)
