"""Costs that are no sums of terms in the widths: evaluated over all nodes at a vector of counts.

Vectors are those of `CompiledCost`: the counts of the independent widths in order, and a 1.
"""

from collections.abc import Sequence
from math import lcm
from typing import Protocol

import numpy as np

from catdsl.analysis.conditions import Conditions
from catdsl.analysis.cost import FLOAT_BYTES
from catdsl.analysis.memory import peak_memory
from catdsl.ir.graph import Graph
from catdsl.ir.op import Absence
from catdsl.ir.presence import needed, presence
from catdsl.search.compiled import ConditionTable, expanded

# With one input left these hand it on: nothing is computed.
_HANDS_ON = (Absence.ANY, Absence.JOINS, Absence.MODULATES)


class Meter(Protocol):
    """A cost that the search keeps below a limit: quickly at many counts, and of the student itself."""

    def at(self, vector: np.ndarray) -> int: ...
    def of(self, student: Graph) -> int: ...


class NodeChannels:
    """Channels of every node's tensor; 0 where it is absent, or nothing needs it."""

    def __init__(self, graph: Graph, names: Sequence[str]):
        index = {name: place for place, name in enumerate(names)}
        ties = {w.name: w.tie for w in graph.widths if w.tie is not None}
        logic = Conditions({w.name for w in graph.widths if w.low > 0})
        present = presence(graph, logic)
        used = needed(graph, present, logic)
        rows: list[tuple[int, int, int]] = []
        # Ties may have fractions: factors are whole multiples of 1 / scale.
        self._scale = lcm(1, *(tie.denominator() for tie in ties.values()))
        starts = []
        for node in graph.nodes:
            starts.append(len(rows))
            for segment, there in zip(node.type.channels, present[node.name], strict=True):
                condition = logic.all_of((there, used[node.name]))
                rows += [
                    (p, f * segment.repeat, condition) for p, f in expanded(segment.width, index, ties, self._scale)
                ]
        self._places = np.array([place for place, _, _ in rows], dtype=np.int64)
        self._factors = np.array([factor for _, factor, _ in rows], dtype=np.int64)
        self._conditions = np.array([condition for _, _, condition in rows], dtype=np.int64)
        self._starts = np.array(starts, dtype=np.int64)
        self._table = ConditionTable(logic.rows(), names, ties)

    def at(self, vector: np.ndarray) -> np.ndarray:
        """Channels in the order of the graph's nodes, int64."""
        values = vector[self._places] * self._factors * self._table.truth(vector)[self._conditions]
        return np.add.reduceat(values, self._starts) // self._scale


class Inputs:
    """How many of its inputs each node has left."""

    def __init__(self, graph: Graph):
        place = {node.name: index for index, node in enumerate(graph.nodes)}
        edges = [(place[source], index) for index, node in enumerate(graph.nodes) for source in node.inputs]
        self.sources = np.array([source for source, _ in edges], dtype=np.int64)
        self.readers = np.array([reader for _, reader in edges], dtype=np.int64)
        self.hands_on = np.array([node.op.absence in _HANDS_ON for node in graph.nodes])

    def left(self, present: np.ndarray) -> np.ndarray:
        """For each node, the number of its inputs that are present."""
        return np.bincount(self.readers[present[self.sources]], minlength=len(present))

    def computed(self, present: np.ndarray) -> np.ndarray:
        """Whether a node computes anything: it is present, and does not just hand on its one input."""
        return present & ~(self.hands_on & (self.left(present) == 1))


class MemoryMeter:
    """Peak memory of activations in bytes, as `peak_memory` counts it.

    The few tensors that a student needs to line up partly absent ones are not in `at`; `of` has them.
    """

    def __init__(self, graph: Graph, names: Sequence[str]):
        self._channels, self._inputs = NodeChannels(graph, names), Inputs(graph)
        place = {node.name: index for index, node in enumerate(graph.nodes)}
        self._sources = [[place[source] for source in node.inputs] for node in graph.nodes]
        self._bytes = np.array([FLOAT_BYTES * n.type.height * n.type.width for n in graph.nodes], dtype=np.int64)
        self._views = np.array([node.op.view for node in graph.nodes])
        self._given = np.array([not node.inputs for node in graph.nodes])
        self._output = place[graph.output]

    def at(self, vector: np.ndarray) -> int:
        channels = self._channels.at(vector)
        present = channels > 0
        owns = self._inputs.computed(present) & ~self._views
        owners = np.arange(len(channels))
        for node in np.flatnonzero(present & ~owns).tolist():
            owners[node] = owners[next(source for source in self._sources[node] if present[source])]
        sizes = np.where(owns, channels * self._bytes, 0)
        last = np.arange(len(channels))
        reading = present[self._inputs.readers]
        np.maximum.at(last, owners[self._inputs.sources[reading]], self._inputs.readers[reading])
        last[owners[self._output]] = len(channels)
        ended = np.zeros(len(channels) + 1, dtype=np.int64)
        np.add.at(ended, last, sizes)
        made = np.cumsum(np.where(self._given, 0, sizes)) + sizes[self._given].sum()
        return int((made - np.concatenate(([0], np.cumsum(ended)[: len(channels) - 1]))).max())

    def of(self, student: Graph) -> int:
        return peak_memory(student).bytes
