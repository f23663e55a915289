"""Where tensors are absent, and which are needed: for plain truth values and for conditions alike.

A tensor's presence is one value per segment of its type, since `concat` may lose one part only.
The rules are those of `docs/language/widths.md`, Absence: an absent tensor counts as zero, so that sums drop
it, products vanish with it, and `modulate(x, absent, absent)` is x.
"""

from collections.abc import Mapping
from typing import Protocol, TypeVar

from catdsl.ir.graph import Graph, Node
from catdsl.ir.op import Absence

T = TypeVar("T")


class Logic(Protocol[T]):
    """The values presence is made of."""

    true: T

    def above_zero(self, width: str) -> T: ...
    def all_of(self, values: tuple[T, ...]) -> T: ...
    def any_of(self, values: tuple[T, ...]) -> T: ...


class Counted:
    """Plain truth at given counts."""

    true = True

    def __init__(self, counts: Mapping[str, int]):
        self._counts = counts

    def above_zero(self, width: str) -> bool:
        return self._counts[width] > 0

    def all_of(self, values: tuple[bool, ...]) -> bool:
        return all(values)

    def any_of(self, values: tuple[bool, ...]) -> bool:
        return any(values)


def presence(graph: Graph, logic: Logic[T]) -> dict[str, tuple[T, ...]]:
    """For every node, whether each segment of its tensor is present."""
    found: dict[str, tuple[T, ...]] = {}
    for node in graph.nodes:
        found[node.name] = _of(node, [found[name] for name in node.inputs], logic)
    return found


def needed(graph: Graph, present: Mapping[str, tuple[T, ...]], logic: Logic[T]) -> dict[str, T]:
    """For every node, whether its tensor is present and the output or a tap still depends on it.

    What leads to absent tensors only is dead and goes with them: a conv before a branch that
    vanished, the gamma of a tensor that is gone.
    """
    there = {name: logic.any_of(flags) for name, flags in present.items()}
    uses: dict[str, list[T]] = {node.name: [] for node in graph.nodes}
    for root in (graph.output, *(tap.node for tap in graph.taps)):
        uses[root].append(there[root])
    found: dict[str, T] = {}
    for node in reversed(graph.nodes):
        wanted = found[node.name] = logic.any_of(tuple(uses[node.name]))
        for index, source in enumerate(node.inputs):
            # gamma scales x and has no use without it.
            scaled = (there[node.inputs[0]],) if node.op.absence is Absence.MODULATES and index == 1 else ()
            uses[source].append(logic.all_of((wanted, there[source], *scaled)))
    return found


def _of(node: Node, inputs: list[tuple[T, ...]], logic: Logic[T]) -> tuple[T, ...]:
    segments = node.type.channels
    match node.op.absence:
        case Absence.SOURCE:
            return tuple(logic.true for _ in segments)
        case Absence.MAKES:
            source = logic.any_of(inputs[0])
            return tuple(logic.all_of((source, logic.above_zero(s.width))) for s in segments)
        case Absence.PASSES:
            return inputs[0]
        case Absence.ANY:
            return tuple(logic.any_of(parts) for parts in zip(*inputs, strict=True))
        case Absence.ALL:
            return tuple(logic.all_of(parts) for parts in zip(*inputs, strict=True))
        case Absence.MODULATES:
            # Without its second input, beta, nothing can replace an absent x.
            ends = (inputs[0], inputs[2]) if len(inputs) == 3 else (inputs[0],)
            return tuple(logic.any_of(parts) for parts in zip(*ends, strict=True))
        case Absence.JOINS:
            return tuple(value for part in inputs for value in part)
        case Absence.SLICES:
            start, stop = node.attrs["segments"]
            return inputs[0][start:stop]
        case Absence.ARRANGES:
            return tuple(logic.any_of(inputs[0][i : i + 1] if i >= 0 else ()) for i in node.attrs["sources"])
