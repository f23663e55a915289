"""The stride of a network: the pixels that its input's sides are whole multiples of at every level."""

from collections.abc import Mapping
from fractions import Fraction
from math import lcm

from catdsl.analysis.sizes import Misfit, sizes_at
from catdsl.diagnostics import Diagnostic, Severity
from catdsl.ir.graph import Graph

_MANY = 2**12 * 315
"""Times an input is enlarged to see how tensors grow with it: a multiple of every stride that is likely."""
_NAMED = 4

Scales = Mapping[str, tuple[Fraction, Fraction]]
"""Of each tensor, how much higher and wider it becomes where the input does so by a pixel, on average."""


def stride(graph: Graph) -> int:
    """Inputs whose sides are multiples of this go through every level of the network without a rest.

    It follows from the operators, whatever size is declared. A network that crops leaves a rest of every
    size; for it this is the least common multiple of the levels that the declared size goes through whole.
    """
    scales = _scales(graph)
    return _declared_stride(graph) if scales is None else _common(scales)


def stride_misfit(graph: Graph, size: tuple[int, int], severity: Severity = Severity.ERROR) -> Diagnostic | None:
    """What is wrong with training a generator on inputs of `size` (height, width), with the cause, or None.

    `check` warns of it where it is the declared size, and does not refuse it: such a network computes,
    can be costed, searched and exported, and a `crop` in data { } may be all that it lacks. `train`
    refuses it: translating pads its inputs to multiples of the stride, of which a level that is rounded
    would learn nothing.
    """
    # Seen at a glance of most specs, which `check` shall be fast with.
    if _whole(graph) and not any(side % _declared_stride(graph) for side in size):
        return None
    scales = _scales(graph)
    step = _declared_stride(graph) if scales is None else _common(scales)
    if not any(side % step for side in size):
        return None
    first = graph.inputs[0]
    near = " and ".join(_near(side, step) for side in dict.fromkeys(size) if side % step)
    return Diagnostic(
        "E607", f"inputs of {size[0]} x {size[1]} do not fit the generator: each side must be a multiple of {step}",
        first.span, notes=() if scales is None else (_cause(graph, scales, step),),
        help=f"change {near}, in the input or by `crop` in data {{ }}", severity=severity,
    )  # fmt: skip


def _scales(graph: Graph) -> Scales | None:
    """None for a network that crops: no multiple of its stride goes through it without a rest."""
    first = graph.inputs[0].type
    one, two = (sizes_at(graph, first.height * (1 + k * _MANY), first.width * (1 + k * _MANY)) for k in (1, 2))
    if isinstance(one, Misfit) or isinstance(two, Misfit):
        return None
    # Rounding is the same for both, since they differ by a multiple of every stride.
    scales = {
        name: (
            Fraction(two[name][0] - one[name][0], first.height * _MANY),
            Fraction(two[name][1] - one[name][1], first.width * _MANY),
        )
        for name in one
    }
    height, width = (side * _common(scales) * _MANY for side in (first.height, first.width))
    whole = sizes_at(graph, height, width)
    if isinstance(whole, Misfit):
        return None
    for name, (up, across) in scales.items():
        # What has a size of its own grows with nothing.
        if (up and whole[name][0] != up * height) or (across and whole[name][1] != across * width):
            return None
    return scales


def _common(scales: Scales) -> int:
    return lcm(1, *(scale.denominator for pair in scales.values() for scale in pair))


def _declared_stride(graph: Graph) -> int:
    source = graph.inputs[0].type
    ratios = [source.height // n.type.height for n in graph.nodes if source.height % n.type.height == 0]
    return lcm(1, *ratios)


def _whole(graph: Graph) -> bool:
    """Whether every level is a whole part or multiple of the declared input."""
    first = graph.inputs[0].type
    return all(
        side % own == 0 or own % side == 0
        for node in graph.nodes
        for side, own in ((first.height, node.type.height), (first.width, node.type.width))
    )


def _cause(graph: Graph, scales: Scales, step: int) -> str:
    """The operators that make the stride, with the heights and widths that they make."""
    makers = [
        node
        for node in graph.nodes
        if node.inputs and _denominator(scales, node.name) > max(_denominator(scales, name) for name in node.inputs)
    ]
    shown = ", ".join(f"`{n.name}` ({n.op.name}) to {n.type.height} x {n.type.width}" for n in makers[:_NAMED])
    more = f" and {len(makers) - _NAMED} more" if len(makers) > _NAMED else ""
    return f"the stride of {step} comes from what makes images smaller: {shown}{more}"


def _denominator(scales: Scales, name: str) -> int:
    return lcm(*(scale.denominator for scale in scales[name]))


def _near(side: int, step: int) -> str:
    """`30 to 28 or 32`."""
    below, above = side // step * step, -(-side // step) * step
    return f"{side} to {above}" if not below else f"{side} to {below} or {above}"
