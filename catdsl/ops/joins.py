"""Operators of several tensors, and those that take channels apart."""

from collections.abc import Sequence
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Any

from catdsl.ir.code import Writing
from catdsl.ir.offset import OffsetCall
from catdsl.ir.op import REQUIRED, Absence, Arg, Attrs, Example, Kind, Op, Site
from catdsl.ir.shapes import MAX_SEGMENTS, ShapeCall
from catdsl.ir.types import TensorType
from catdsl.ir.widths import Unequal

if TYPE_CHECKING:
    import numpy as np


def _same_type(call: ShapeCall) -> TensorType:
    for index in range(1, len(call.inputs)):
        call.same_size(0, index)
        call.same_channels(0, index)
    return call.inputs[0]


def _concat_type(call: ShapeCall) -> TensorType:
    for index in range(1, len(call.inputs)):
        call.same_size(0, index)
    # Not the sum of tuples: an overlong join is refused before it is made.
    channels = tuple(islice((s for i in call.inputs for s in i.channels), MAX_SEGMENTS + 1))
    return call.sized(channels, call.inputs[0].height, call.inputs[0].width)


def _split_type(call: ShapeCall) -> TensorType:
    """One part of `parts` equal ones; the caller makes a node for each."""
    parts, index, source = call.attrs["parts"], call.attrs["index"], call.inputs[0]
    whole = call.count()
    if whole % parts:
        raise call.fail(
            "E304", f"`{call.word}` cannot divide {whole} channels into {parts} equal parts",
            help=f"give it a multiple of {parts} channels",
        )  # fmt: skip
    try:
        _, rest = call.widths.cut(source.channels, index * (whole // parts))
        part, _ = call.widths.cut(rest, whole // parts)
    except Unequal as unequal:
        raise call.indivisible(unequal) from None
    return TensorType(part, source.height, source.width)


def _add_build(site: Site) -> Any:
    from catdsl.backend.functions import add

    return add


def _mul_build(site: Site) -> Any:
    from catdsl.backend.functions import mul

    return mul


def _concat_build(site: Site) -> Any:
    from catdsl.backend.functions import concat

    return concat


def _modulate_build(site: Site) -> Any:
    from catdsl.backend.functions import modulate

    return modulate


def _split_build(site: Site) -> Any:
    import torch

    start, stop = site.attrs["segments"]
    offsets = (0, *accumulate(site.inputs[0]))
    return torch.narrow, {"dim": 1, "start": offsets[start], "length": offsets[stop] - offsets[start]}


def _split_identity(site: Site) -> Attrs:
    """The channels that are taken, however they are divided into segments."""
    start, stop = site.attrs["segments"]
    return {"start": sum(site.inputs[0][:start]), "channels": sum(site.inputs[0][start:stop])}


def _arrange_build(site: Site) -> Any:
    from catdsl.backend.functions import arrange

    return arrange, _arrange_identity(site)


def _arrange_identity(site: Site) -> Attrs:
    """Where each piece begins in the input (None for zeros), and its channels."""
    offsets = (0, *accumulate(site.inputs[0]))
    pieces = tuple(
        (offsets[source] if source >= 0 else None, size)
        for source, size in zip(site.attrs["sources"], site.output, strict=True)
    )
    return {"pieces": pieces}


def _add_offset(call: OffsetCall) -> "np.ndarray":
    return sum(call.offsets) + 0 * call.offsets[0]


def _mul_offset(call: OffsetCall) -> "np.ndarray":
    """Known where both factors are constant, where one is 0 everywhere, or where none lacks anything."""
    (a, b), (has_a, has_b) = call.offsets, call.present
    result = a * b
    result[has_a | has_b] = float("nan")
    result[(a == 0) & ((b == 0) | ~has_a) | (b == 0) & ~has_b] = 0
    return result


def _concat_offset(call: OffsetCall) -> "np.ndarray":
    result = call.unknown()
    ends = tuple(accumulate(len(offset) for offset in call.offsets))
    for offset, end in zip(call.offsets, ends, strict=True):
        result[end - len(offset) : end] = offset
    return result


def _modulate_offset(call: OffsetCall) -> "np.ndarray":
    """(x + a)(1 + gamma + b) + c - x(1 + gamma) is constant where a meets no gamma and b no x."""
    (x, gamma, *beta), (has_x, has_gamma, *_) = call.offsets, call.present
    result = x * (1 + gamma) + sum(beta)
    result[has_x & (gamma != 0) | has_gamma & (x != 0)] = float("nan")
    return result


def _split_offset(call: OffsetCall) -> "np.ndarray":
    start, stop = call.attrs["segments"]
    offsets = (0, *accumulate(call.site.inputs[0]))
    return call.offsets[0][offsets[start] : offsets[stop]].copy()


def _arrange_offset(call: OffsetCall) -> "np.ndarray":
    """Zeros that are put between the segments are there in the teacher as well."""
    result = call.kept * 0.0
    offsets = (0, *accumulate(call.site.inputs[0]))
    at = 0
    for source, size in zip(call.attrs["sources"], call.site.output, strict=True):
        if source >= 0:
            result[at : at + size] = call.offsets[0][offsets[source] : offsets[source + 1]]
        at += size
    return result


def _arrange_type(call: ShapeCall) -> TensorType:
    raise AssertionError("`arrange` is made by counts.py alone, with its type")


def _split_expression(site: Site, names: Sequence[str]) -> str:
    start, stop = site.attrs["segments"]
    offsets = (0, *accumulate(site.inputs[0]))
    parts, index = site.attrs["parts"], site.attrs["index"]
    if offsets[start] * parts == index * site.in_channels and offsets[stop] * parts == (index + 1) * site.in_channels:
        return f"{names[0]}.chunk({parts}, dim=1)[{index}]"
    return f"{names[0]}[:, {offsets[start]}:{offsets[stop]}]"


def _arrange_expression(site: Site, names: Sequence[str]) -> str:
    """Channels in a new order, with zeros where a removed branch would have written."""
    x, offsets = names[0], (0, *accumulate(site.inputs[0]))
    pieces = [
        f"{x}[:, {offsets[source]}:{offsets[source + 1]}]" if source >= 0
        else f"{x}.new_zeros({x}.shape[0], {size}, *{x}.shape[2:])"
        for source, size in zip(site.attrs["sources"], site.output, strict=True)
    ]  # fmt: skip
    return f"torch.cat([{', '.join(pieces)}], dim=1)"


def _modulate_expression(site: Site, names: Sequence[str]) -> str:
    x, gamma, *beta = names
    return f"{x} * (1 + {gamma})" + (f" + {beta[0]}" if beta else "")


_TWO = ((4, 5, 6), (4, 5, 6))

ADD = Op(
    name="add", summary="Element-wise sum; written `a + b` or `sum(...)`.", infer=_same_type, build=_add_build,
    absence=Absence.ANY, offset=_add_offset, tensors=(1, None), commutes=True, in_language=False,
    examples=(Example(_TWO),), onnx="Add", python=Writing(None, lambda site, names: " + ".join(names)),
)  # fmt: skip
MUL = Op(
    name="mul", summary="Element-wise product; written `a * b`.", infer=_same_type, build=_mul_build,
    absence=Absence.ALL, offset=_mul_offset, tensors=(2, 2), commutes=True, in_language=False,
    examples=(Example(_TWO),), onnx="Mul", python=Writing(None, lambda site, names: " * ".join(names)),
)  # fmt: skip
CONCAT = Op(
    name="concat", summary="Channels of several tensors in turn.", infer=_concat_type, build=_concat_build,
    absence=Absence.JOINS, offset=_concat_offset, tensors=(1, None),
    examples=(Example(((4, 5, 6), (3, 5, 6))),), onnx="Concat",
    python=Writing(None, lambda site, names: f"torch.cat([{', '.join(names)}], dim=1)", ("torch.cat",)),
)  # fmt: skip
MODULATE = Op(
    name="modulate", summary="x * (1 + gamma) + beta (SPADE, Park et al. 2019, equation 1).",
    infer=_same_type, build=_modulate_build, absence=Absence.MODULATES, offset=_modulate_offset, tensors=(3, 3),
    examples=(Example((*_TWO, (4, 5, 6))),), onnx="Mul, Add", python=Writing(None, _modulate_expression),
)  # fmt: skip
SPLIT = Op(
    name="split", summary="Equal parts of the channels: `a, b = x -> split(2)`.", infer=_split_type,
    build=_split_build, absence=Absence.SLICES, view=True, identity=_split_identity, offset=_split_offset,
    args=(Arg("parts", Kind.INT, REQUIRED, 1, 1024, summary="how many parts"),),
    examples=(Example(((6, 4, 5),), "2"), Example(((6, 4, 5),), "3")), onnx="Slice",
    python=Writing(None, _split_expression, (".chunk",)),
)  # fmt: skip
ARRANGE = Op(
    name="arrange", summary="Internal: lines up tensors of which different segments are absent.",
    infer=_arrange_type, build=_arrange_build, absence=Absence.ARRANGES, offset=_arrange_offset,
    identity=_arrange_identity, in_language=False, onnx="Concat",
    python=Writing(None, _arrange_expression, ("torch.cat", ".new_zeros")),
)  # fmt: skip

ALL = (ADD, MUL, CONCAT, MODULATE, SPLIT, ARRANGE)
