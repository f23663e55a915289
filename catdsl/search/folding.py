"""Constants that removed channels leave behind, folded into biases and running means of those that stay.

A removed channel with a scale of 0 is not silent in the teacher: its norm's bias passes ReLU as a
constant, which every conv behind it adds up. Slicing drops the constant; here it is first put where
the student has a place for it. No parameter is added.

The teacher's graph is run on offsets (`catdsl/ir/offset.py`) twice: once on what is sure, and once
with the norm's bias, which is the mean of what the norm gives, for channels whose scale is not 0.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from catdsl.ir.counts import complete_counts
from catdsl.ir.graph import Graph, Node
from catdsl.ir.offset import OffsetCall
from catdsl.ir.op import Absence, Site
from catdsl.ir.presence import Counted, needed, presence
from catdsl.search.slicing import Kept, Weights, present_channels


class Fate(Enum):
    """What becomes of the constants that removed channels add to others."""

    NOTHING = "nothing to carry"
    BIAS = "bias"
    RUNNING_MEAN = "running mean"
    CANCELLED = "cancelled"
    ZERO_PADDING = "zero padding"
    NOT_CONSTANT = "not constant"
    NO_BIAS = "no bias"

    @property
    def kept(self) -> bool:
        """Whether the student has what the removed channels added."""
        return self in (Fate.NOTHING, Fate.BIAS, Fate.RUNNING_MEAN, Fate.CANCELLED)


@dataclass(frozen=True, slots=True)
class Removal:
    """Removed channels that `reader` reads, and what becomes of them at `place`.

    The reader is a conv; of a tensor that is absent altogether, the operator that made it.
    `exact`: the student has just what they added in the teacher, in evaluation mode. `lost` is the
    largest constant of a channel that the student does not have; None where it is unknown.
    """

    reader: str
    channels: int
    fate: Fate
    place: str
    exact: bool
    lost: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Folded:
    """The teacher's weights, ready to be sliced, and what was done for all that a student removes."""

    weights: dict[str, np.ndarray]
    removals: tuple[Removal, ...]

    @property
    def exact(self) -> bool:
        """Whether the sliced student computes what the teacher computes, in evaluation mode."""
        return all(removal.exact for removal in self.removals)


def fold_constants(teacher: Graph, counts: Mapping[str, int], kept: Kept, weights: Weights) -> Folded:
    """Weights of the teacher's shapes whose slices start nearer to the teacher, and a report.

    Takes the same as `slice_weights`, whose `weights` the result replaces. Where a constant can go
    nowhere, the student lacks it as before. At zero padding it is none: pixels at the border see fewer.
    """
    folder = _Folder(teacher, counts, kept, weights)
    for node in teacher.nodes:
        folder.visit(node)
    folder.end()
    return Folded(folder.weights, tuple(folder.removals))


@dataclass(slots=True)
class _Offsets:
    """Offsets of a node's inputs or result: what is `sure`, and the best that is `known`."""

    known: list[np.ndarray]
    sure: list[np.ndarray]

    def cleared(self, index: int, where: np.ndarray) -> None:
        self.known[index] = np.where(where, 0.0, self.known[index])
        self.sure[index] = np.where(where, 0.0, self.sure[index])

    def left(self, where: np.ndarray, index: int = 0) -> bool:
        """Whether any of these channels lacks something, or may."""
        return bool((where & ((self.known[index] != 0) | (self.sure[index] != 0))).any())


class _Folder:
    """Visits the teacher's nodes in order; `pending` are the readers whose constants have found no place yet."""

    def __init__(self, teacher: Graph, counts: Mapping[str, int], kept: Kept, weights: Weights):
        logic = Counted(complete_counts(teacher, counts))
        flags = presence(teacher, logic)
        self.teacher = teacher
        self.needed = needed(teacher, flags, logic)
        self.present = {node.name: present_channels(teacher, node.name, flags, kept) for node in teacher.nodes}
        self.weights: dict[str, np.ndarray] = dict(weights)
        self.known: dict[str, np.ndarray] = {}
        self.sure: dict[str, np.ndarray] = {}
        self.pending: dict[str, dict[str, int]] = {}
        self.removals: list[Removal] = []

    def visit(self, node: Node) -> None:
        there = self.present[node.name]
        if node.op.absence is Absence.SOURCE:
            self.known[node.name] = self.sure[node.name] = np.zeros(len(there))
            self.pending[node.name] = {}
            return
        inputs = _Offsets([self.known[i] for i in node.inputs], [self.sure[i] for i in node.inputs])
        pending = {reader: n for i in node.inputs for reader, n in self.pending[i].items()}
        read = self._read(node, inputs)
        pending |= read
        if node.op.is_norm and inputs.left(there):
            self._into_norm(node, inputs, pending)
            pending = {}
        result = _Offsets([self._passed(node, inputs.known)], [self._passed(node, inputs.sure)])
        if node.op.is_norm and node.attrs["affine"]:
            self._guess(node, result)
        before = len(self.removals)
        self._lose(node, inputs, result, pending, read)
        if not node.op.is_norm and result.left(there) and f"{node.name}.bias" in self.weights:
            self._into_bias(node, result, pending)
        if not result.left(there):
            if len(self.removals) == before:
                self._report(node, read, Fate.NOTHING, exact=True)
            pending = {}
        self.known[node.name], self.sure[node.name] = result.known[0], result.sure[0]
        self.pending[node.name] = pending

    def end(self) -> None:
        """What reaches the output, the student lacks there."""
        output = self.teacher.node[self.teacher.output]
        lacking = np.abs(self.known[output.name])[self.present[output.name]]
        self._report(output, self.pending[output.name], Fate.NO_BIAS, exact=False, lost=float(lacking.max(initial=0)))

    # ---- one step each ----

    def _read(self, node: Node, inputs: _Offsets) -> dict[str, int]:
        """How many removed channels this node adds to present ones, by reader; those not constant are silenced."""
        found: dict[str, int] = {}
        for index, source in enumerate(node.inputs):
            gone, reader = ~self.present[source], node.name
            match node.op.absence:
                case Absence.MAKES:
                    gone = gone & self.present[node.name].any()
                case Absence.ANY | Absence.MODULATES:
                    gone, reader = gone & self.present[node.name], source
                case _:
                    continue
            unknown = gone & np.isnan(inputs.known[index])
            channels = int(unknown.sum())
            if channels:
                self._report(node, {reader: channels}, Fate.NOT_CONSTANT, exact=False, lost=None)
                inputs.cleared(index, unknown)
            if gone.sum() > channels:
                found[reader] = int(gone.sum()) - channels
        return found

    def _into_norm(self, node: Node, inputs: _Offsets, pending: Mapping[str, int]) -> None:
        """Running statistics take the offset from their mean; those of the image itself have it in theirs."""
        there = self.present[node.name]
        exact = bool(np.isfinite(inputs.sure[0][there]).all())
        if node.attrs["tracked"]:
            self._change(f"{node.name}.running_mean", -inputs.known[0], there)
        fate = Fate.RUNNING_MEAN if node.attrs["tracked"] else Fate.CANCELLED
        self._report(node, pending, fate, exact=exact)
        inputs.cleared(0, there)

    def _guess(self, node: Node, result: _Offsets) -> None:
        """A removed channel whose scale is not 0 has the norm's bias in the mean."""
        unknown = ~self.present[node.name] & np.isnan(result.known[0])
        result.known[0] = np.where(unknown, self.weights[f"{node.name}.bias"].astype(np.float64), result.known[0])

    def _lose(
        self, node: Node, inputs: _Offsets, result: _Offsets, pending: Mapping[str, int], read: Mapping[str, int]
    ) -> None:
        """What is not constant in present channels can be put nowhere: the student goes on without."""
        lost = self.present[node.name] & np.isnan(result.known[0])
        if not lost.any():
            return
        inside = self._passed(node, inputs.known, border=False)[lost]
        if np.isfinite(inside).all():
            self._report(node, pending, Fate.ZERO_PADDING, exact=False, lost=float(np.abs(inside).max()))
        elif read:
            self._report(node, pending, Fate.NOT_CONSTANT, exact=False, lost=None)
        else:
            most = max(float(np.abs(known[~np.isnan(known)]).max(initial=0)) for known in inputs.known)
            self._report(node, pending, Fate.NO_BIAS, exact=False, lost=most)
        result.cleared(0, lost)

    def _into_bias(self, node: Node, result: _Offsets, pending: dict[str, int]) -> None:
        there = self.present[node.name]
        self._change(f"{node.name}.bias", result.known[0], there)
        self._report(node, pending, Fate.BIAS, exact=bool(np.isfinite(result.sure[0][there]).all()))
        result.cleared(0, there)

    # ---- pieces ----

    def _passed(self, node: Node, offsets: Sequence[np.ndarray], *, border: bool = True) -> np.ndarray:
        rule: Callable[[OffsetCall], np.ndarray] = node.op.offset or _undeclared
        table = node.op.weights(node.attrs)
        own = {w.name: self.weights[f"{node.name}.{w.name}"].astype(np.float64) for w in table}
        present = tuple(self.present[i] for i in node.inputs)
        call = OffsetCall(self._site(node), tuple(offsets), present, self.present[node.name], own, border)
        with np.errstate(over="ignore", invalid="ignore"):
            result = rule(call)
        return np.where(np.isfinite(result), result, np.nan)

    def _site(self, node: Node) -> Site:
        counts, nodes = self.teacher.counts, self.teacher.node
        sizes = {
            name: tuple(counts[s.width] * s.repeat for s in nodes[name].type.channels)
            for name in (*node.inputs, node.name)
        }
        return Site(node.attrs, tuple(sizes[i] for i in node.inputs), sizes[node.name])

    def _change(self, name: str, by: np.ndarray, where: np.ndarray) -> None:
        values = self.weights[name]
        self.weights[name] = (values + np.where(where, by, 0.0)).astype(values.dtype)

    def _report(
        self, node: Node, readers: Mapping[str, int], fate: Fate, *, exact: bool, lost: float | None = 0.0
    ) -> None:
        # What the student has no use for is not in it, and nothing need be carried there.
        if self.needed[node.name]:
            self.removals += (Removal(r, n, fate, node.name, exact, lost) for r, n in readers.items())


def _undeclared(call: OffsetCall) -> np.ndarray:
    """An operator that says nothing lacks nothing where its inputs do not."""
    if any((offset != 0).any() for offset in call.offsets):
        return call.unknown()
    return np.where(call.kept, 0.0, np.nan)
