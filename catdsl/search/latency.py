"""Latency predicted from measured times of operators, interpolated over channels.

A table holds, for each kind of operator at each image size, times at a few channel counts of its
input and its result. A network's time is the sum over its operators, times a factor for all that an
operator by itself does not show, such as caches that it finds cold; the factor is that of the measured
teacher whose operators are most alike. `catdsl measure` says how well it then predicts students.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph, Node
from catdsl.ir.op import Absence
from catdsl.search.meters import Inputs, NodeChannels

# A day, in nanoseconds: more is no time of an operator.
_LONGEST = 86_400e9
# More than any operator has channels.
_MOST_CHANNELS = 65_536
# Of a network to the sum of its operators: some tenths to some tens.
_LARGEST_FACTOR = 1e6
# A curve is good for a little more than what was measured.
_BEYOND = 1.5
# What a node's time does not depend on: parts of a view, and what sizes and channels say already.
_LEFT_OUT = ("to", "scale", "parts", "index", "start", "segments", "sources", "bias", "p", "slope", "low", "high")


@dataclass(frozen=True)
class Curve:
    """Nanoseconds of one kind of operator at channel counts of its input (rows) and its result (columns).

    Operators that keep their channels have one row, at 0.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    times: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        if len(self.times) != len(self.inputs) or any(len(row) != len(self.outputs) for row in self.times):
            raise ValueError("a time is missing for some of the counts")
        if not self.inputs or not self.outputs or not all(0 < t < _LONGEST for row in self.times for t in row):
            raise ValueError("times are positive numbers, one at least")
        if any(b <= a for counts in (self.inputs, self.outputs) for a, b in pairwise(counts)):
            raise ValueError("counts ascend")
        if self.inputs[0] < 0 or self.outputs[0] < 0 or max(self.inputs[-1], self.outputs[-1]) > _MOST_CHANNELS:
            raise ValueError(f"counts of channels are 0 to {_MOST_CHANNELS:,}")


@dataclass(frozen=True)
class Checked:
    """A whole network in milliseconds: the sum of its operators, and measured; and the signatures in it."""

    name: str
    operators: float
    measured: float
    teacher: bool
    kinds: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 0 < self.measured < _LONGEST or not 0 <= self.operators < _LONGEST:
            raise ValueError("times are positive numbers")
        if self.operators and self.measured > _LARGEST_FACTOR * self.operators:
            raise ValueError(f"a network takes at most {_LARGEST_FACTOR:,.0f} times as long as its operators")


@dataclass(frozen=True)
class OperatorTimes:
    """The times of one device, by the signature of operators, and how well they predict networks."""

    device: str
    software: str
    threads: int
    curves: Mapping[str, Curve]
    checked: tuple[Checked, ...] = ()

    def factor(self, kinds: Iterable[str]) -> float:
        """How much longer a network of these operators takes than they by themselves: as the teacher most like it."""
        wanted = frozenset(kinds)
        teachers = [c for c in self.checked if c.teacher and c.operators > 0]
        if not teachers:
            return 1.0
        # Of several that are as much alike, the one that was measured last.
        alike = max(reversed(teachers), key=lambda c: len(wanted & {*c.kinds}) / max(len(wanted | {*c.kinds}), 1))
        return alike.measured / alike.operators

    def predicted(self, network: Checked) -> float:
        """The prediction for a network that was measured, in milliseconds."""
        return network.operators * self.factor(network.kinds)

    def error(self, network: Checked) -> float:
        """The share of its measured time by which the prediction for a network is off."""
        return self.predicted(network) / network.measured - 1

    def operators(self, graph: Graph) -> float:
        """The sum of the operators' nanoseconds. Raises CatError E406 for one that was not measured."""
        names = [w.name for w in graph.widths if w.tie is None]
        vector = np.array([*(graph.counts[name] for name in names), 1], dtype=np.int64)
        return LatencyMeter(graph, names, self).operators(vector)

    def of(self, graph: Graph, teacher: Graph | None = None) -> int:
        """Predicted nanoseconds of a network, by the factor of its `teacher` (or its own). Raises CatError E406."""
        return int(self.operators(graph) * self.factor(signatures(teacher or graph)))


def signature(graph: Graph, node: Node) -> str | None:
    """What a node's time depends on beside its channels; None for inputs and views, which take none."""
    if not node.inputs or node.op.view:
        return None
    source = graph.node[node.inputs[0]].type
    kept = {k: v for k, v in node.attrs.items() if k not in _LEFT_OUT and v is not None}
    written = "".join(f" {name}={_word(value)}" for name, value in sorted(kept.items()))
    return f"{node.op.name}{written} {source.height}x{source.width} to {node.type.height}x{node.type.width}"


def signatures(graph: Graph) -> tuple[str, ...]:
    """The signatures of all operators that take time, each once."""
    return tuple(dict.fromkeys(key for node in graph.nodes if (key := signature(graph, node))))


def joins(node: Node) -> bool:
    """Whether all inputs are computed with, and not only their sizes."""
    return node.op.absence in (Absence.ANY, Absence.ALL, Absence.JOINS, Absence.MODULATES)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class LatencyMeter:
    """The predicted time of a network at a vector of counts, in nanoseconds."""

    def __init__(self, graph: Graph, names: Sequence[str], times: OperatorTimes):
        self._times, self._channels, self._left = times, NodeChannels(graph, names), Inputs(graph)
        place = {node.name: index for index, node in enumerate(graph.nodes)}
        timed = [(index, node, key) for index, node in enumerate(graph.nodes) if (key := signature(graph, node))]
        curves = [_curve(times, key, node, graph.channels(node.name)) for _, node, key in timed]
        self._nodes = np.array([index for index, _, _ in timed], dtype=np.int64)
        self._first = np.array([place[node.inputs[0]] for _, node, _ in timed], dtype=np.int64)
        self._sums = np.array([node.op.absence is Absence.ANY for _, node, _ in timed])
        self._grid = _Grid(curves)
        self._factor = times.factor(signatures(graph))

    def at(self, vector: np.ndarray) -> int:
        return int(self.operators(vector) * self._factor)

    def of(self, student: Graph) -> int:
        return int(self._times.operators(student) * self._factor)

    def operators(self, vector: np.ndarray) -> float:
        """The sum of the operators' nanoseconds at these counts."""
        if not len(self._nodes):
            return 0.0
        channels = self._channels.at(vector)
        computed = self._left.computed(channels > 0)[self._nodes]
        spent = self._grid.at(channels[self._first], channels[self._nodes])
        # Sums are measured for two tensors, and add one after the other.
        left = self._left.left(channels > 0)[self._nodes]
        additions = np.where(self._sums, np.maximum(left - 1, 1), 1)
        return float((spent * additions * computed).sum())


def _curve(times: OperatorTimes, key: str, node: Node, channels: int) -> Curve:
    if key not in times.curves:
        raise CatError.one(
            "E406", f"`{node.op.name}` of `{node.name}` was not measured on {times.device}: `{key}`", node.span,
            help="run `catdsl measure SPEC` with this spec, its --set values and its input size",
        )  # fmt: skip
    curve = times.curves[key]
    if channels > _BEYOND * curve.outputs[-1]:
        raise CatError.one(
            "E406", f"`{node.op.name}` of `{node.name}` has {channels} channels, and was measured up to "
            f"{curve.outputs[-1]} on {times.device}: `{key}`", node.span,
            help="run `catdsl measure SPEC` with this spec and its --set values",
        )  # fmt: skip
    return curve


class _Grid:
    """Curves side by side, padded to one shape: all are interpolated at once, linearly in both channels."""

    def __init__(self, curves: Sequence[Curve]):
        rows = max((len(c.inputs) for c in curves), default=1)
        columns = max((len(c.outputs) for c in curves), default=1)
        self._inputs = np.array([_padded(c.inputs, rows) for c in curves], dtype=np.float64)
        self._outputs = np.array([_padded(c.outputs, columns) for c in curves], dtype=np.float64)
        self._times = np.array(
            [_padded([_padded(row, columns) for row in c.times], rows) for c in curves], dtype=np.float64
        )
        self._all = np.arange(len(curves))

    def at(self, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """A time for each curve; beyond its counts the curve goes on as its last piece does."""
        low, high, across = _between(self._inputs, inputs)
        left, right, along = _between(self._outputs, outputs)
        t, all_ = self._times, self._all
        top = t[all_, low, left] * (1 - along) + t[all_, low, right] * along
        bottom = t[all_, high, left] * (1 - along) + t[all_, high, right] * along
        return np.maximum(top * (1 - across) + bottom * across, 0.0)


def _padded(values: Sequence[Any], length: int) -> list[Any]:
    return [*values, *[values[-1]] * (length - len(values))]


def _between(points: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The places of the points around a value, and how far it lies from the first to the second."""
    rows = np.arange(len(points))
    distinct = 1 + (np.diff(points, axis=1) > 0).sum(axis=1)
    low = np.clip((points <= at[:, None]).sum(axis=1) - 1, 0, np.maximum(distinct - 2, 0))
    high = np.minimum(low + 1, distinct - 1)
    span = points[rows, high] - points[rows, low]
    return low, high, np.where(span > 0, (at - points[rows, low]) / np.where(span > 0, span, 1), 0.0)
