"""Constants that removed channels leave behind, folded into biases and running means of those that stay.

A removed channel with a scale of 0 is not silent in the teacher: its norm's bias passes ReLU as a
constant, which every conv behind it adds up. Slicing drops the constant; here it is first put where
the student has a place for it. No parameter is added.

The teacher's graph is run on offsets (`catdsl/ir/offset.py`), and each offset is known in three ways at
once, a row each: BEST takes the norm's bias, which is the mean of what the norm gives, for a removed
channel whose scale is not 0, and looks away from pixels that see zero padding; WHOLE does not look
away; SURE knows no more than what is exact.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from catdsl.ir.counts import complete_counts
from catdsl.ir.graph import Graph, Node
from catdsl.ir.offset import OffsetCall
from catdsl.ir.op import Absence, Norm, Site
from catdsl.ir.presence import Counted, needed, presence
from catdsl.search.slicing import Kept, Weights, present_channels

_BEST, _WHOLE, _SURE = _ROWS = range(3)


class Fate(Enum):
    """What becomes of the constants that removed channels add to others."""

    NOTHING = "nothing to carry"
    BIAS = "bias"
    RUNNING_MEAN = "running mean"
    CANCELLED = "cancelled"
    NO_BIAS = "no bias"
    NOT_CONSTANT = "not constant"

    @property
    def carried(self) -> bool:
        """Whether the student has what the removed channels added."""
        return self not in (Fate.NO_BIAS, Fate.NOT_CONSTANT)


class Doubt(Enum):
    """Why a constant that is carried is not exact."""

    SCALE = "scale not 0"
    BORDER = "zero padding"


@dataclass(frozen=True, slots=True)
class Removal:
    """Removed channels that `reader` reads, and what becomes of them at `place`.

    The reader is a conv; of a tensor that is absent altogether, the operator that made it. `lost` is
    the largest constant that a channel of the student lacks; None where it is unknown.
    """

    reader: str
    channels: int
    fate: Fate
    place: str
    doubt: Doubt | None = None
    lost: float | None = 0.0

    @property
    def exact(self) -> bool:
        """Whether the student has just what the channels added in the teacher, in evaluation mode."""
        return self.fate.carried and self.doubt is None


@dataclass(frozen=True, slots=True)
class Folded:
    """The teacher's weights, ready to be sliced, and what became of all that a student removes."""

    weights: dict[str, np.ndarray]
    removals: tuple[Removal, ...]

    @property
    def exact(self) -> bool:
        """Whether the sliced student computes what the teacher computes, in evaluation mode."""
        return all(removal.exact for removal in self.removals)


def fold_constants(teacher: Graph, counts: Mapping[str, int], kept: Kept, weights: Weights) -> Folded:
    """Weights of the teacher's shapes whose slices start nearer to the teacher, and a report.

    Takes the same as `slice_weights`, whose `weights` the result replaces. Where a constant can go
    nowhere, the student lacks it as it would without folding.
    """
    folder = _Folder(teacher, counts, kept, weights)
    for node in teacher.nodes:
        folder.visit(node)
    folder.end()
    return Folded(folder.weights, tuple(folder.removals))


class _Folder:
    """Visits the teacher's nodes in order; arrays of offsets are rows x channels.

    `pending` holds, by node, the readers whose constants have found no place yet, with how many channels each read.
    """

    def __init__(self, teacher: Graph, counts: Mapping[str, int], kept: Kept, weights: Weights):
        logic = Counted(complete_counts(teacher, counts))
        flags = presence(teacher, logic)
        self.teacher = teacher
        self.needed = needed(teacher, flags, logic)
        self.present = {node.name: present_channels(teacher, node.name, flags, kept) for node in teacher.nodes}
        self.weights: dict[str, np.ndarray] = dict(weights)
        self.offsets: dict[str, np.ndarray] = {}
        self.pending: dict[str, dict[str, int]] = {}
        self.removals: list[Removal] = []

    def visit(self, node: Node) -> None:
        there = self.present[node.name]
        if node.op.absence is Absence.SOURCE:
            self.offsets[node.name], self.pending[node.name] = np.zeros((len(_ROWS), len(there))), {}
            return
        inputs = [self.offsets[name] for name in node.inputs]
        pending = {reader: n for name in node.inputs for reader, n in self.pending[name].items()}
        read = self._read(node, inputs)
        pending |= read
        norm = node.norm
        if norm is not None and _any_left(inputs[0], there):
            inputs[0] = self._into_norm(node, norm, inputs[0], pending)
        settled = len(self.removals)
        result = self._passed(node, inputs)
        result = self._without_lost(node, inputs, result, pending, read)
        if norm is None and f"{node.name}.bias" in self.weights and _any_left(result, there):
            result = self._into_bias(node, result, pending)
        left = _any_left(result, there)
        if not left and len(self.removals) == settled:
            self._report(node, read, Fate.NOTHING)
        self.offsets[node.name], self.pending[node.name] = result, pending if left else {}

    def end(self) -> None:
        """What reaches the output, the student lacks there."""
        output = self.teacher.node[self.teacher.output]
        lacking = self.offsets[output.name][_BEST, self.present[output.name]]
        self._report(output, self.pending[output.name], Fate.NO_BIAS, lost=_largest(lacking))

    # ---- one step each ----

    def _read(self, node: Node, inputs: list[np.ndarray]) -> dict[str, int]:
        """How many removed channels this node adds to present ones, by reader; those not constant are silenced."""
        found: dict[str, int] = {}
        there = self.present[node.name]
        for index, source in enumerate(node.inputs):
            match node.op.absence:
                case Absence.MAKES:
                    reader, gone = node.name, ~self.present[source] & there.any()
                case Absence.ANY | Absence.MODULATES:
                    reader, gone = source, ~self.present[source] & there
                case _:
                    continue
            unknown = gone & np.isnan(inputs[index][_BEST])
            known = int(gone.sum() - unknown.sum())
            if unknown.any():
                self._report(node, {reader: int(unknown.sum())}, Fate.NOT_CONSTANT, lost=None)
                inputs[index] = np.where(unknown, 0.0, inputs[index])
            if known:
                found[reader] = known
        return found

    def _into_norm(self, node: Node, norm: Norm, offsets: np.ndarray, pending: Mapping[str, int]) -> np.ndarray:
        """Running statistics take the offset from their mean; those of the image itself have it in theirs."""
        there = self.present[node.name]
        if norm.tracked:
            self._change(f"{node.name}.running_mean", -offsets[_BEST], there)
        fate = Fate.RUNNING_MEAN if norm.tracked else Fate.CANCELLED
        self._report(node, pending, fate, doubt=_doubt(offsets[:, there]))
        return np.where(there, 0.0, offsets)

    def _into_bias(self, node: Node, offsets: np.ndarray, pending: Mapping[str, int]) -> np.ndarray:
        there = self.present[node.name]
        self._change(f"{node.name}.bias", offsets[_BEST], there)
        self._report(node, pending, Fate.BIAS, doubt=_doubt(offsets[:, there]))
        return np.where(there, 0.0, offsets)

    def _without_lost(
        self, node: Node, inputs: Sequence[np.ndarray], result: np.ndarray,
        pending: Mapping[str, int], read: Mapping[str, int],
    ) -> np.ndarray:  # fmt: skip
        """What is not constant in present channels can be put nowhere: the student goes on without."""
        lost = self.present[node.name] & np.isnan(result[_BEST])
        if not lost.any():
            return result
        if read:
            self._report(node, pending, Fate.NOT_CONSTANT, lost=None)
        else:
            self._report(node, pending, Fate.NO_BIAS, lost=max(_largest(offsets[_BEST]) for offsets in inputs))
        return np.where(lost, 0.0, result)

    # ---- pieces ----

    def _passed(self, node: Node, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Offsets of a node's result, from those of its inputs."""
        rule: Callable[[OffsetCall], np.ndarray] = node.op.offset or _undeclared
        there = self.present[node.name]
        table = node.op.weights(node.attrs)
        own = {w.name: self.weights[f"{node.name}.{w.name}"].astype(np.float64) for w in table}
        present = tuple(self.present[name] for name in node.inputs)
        result = np.full((len(_ROWS), len(there)), np.nan)
        for row in _ROWS:
            offsets = tuple(rows[row] for rows in inputs)
            call = OffsetCall(self._site(node), offsets, present, there, own, border=row != _BEST)
            with np.errstate(over="ignore", invalid="ignore"):
                result[row] = rule(call)
        result[~np.isfinite(result)] = np.nan
        if node.scaled:
            guessed = ~there & np.isnan(result)
            guessed[_SURE] = False
            return np.where(guessed, own["bias"], result)
        return result

    def _site(self, node: Node) -> Site:
        counts, nodes = self.teacher.counts, self.teacher.node
        sizes = {
            name: tuple(counts[s.width] * s.repeat for s in nodes[name].type.channels)
            for name in (*node.inputs, node.name)
        }
        return Site(node.attrs, tuple(sizes[name] for name in node.inputs), sizes[node.name])

    def _change(self, name: str, by: np.ndarray, where: np.ndarray) -> None:
        values = self.weights[name]
        self.weights[name] = (values + np.where(where, by, 0.0)).astype(values.dtype)

    def _report(
        self, node: Node, readers: Mapping[str, int], fate: Fate, *,
        doubt: Doubt | None = None, lost: float | None = 0.0,
    ) -> None:  # fmt: skip
        # What the student has no use for is not in it, and nothing need be carried there.
        if self.needed[node.name]:
            self.removals += (Removal(r, n, fate, node.name, doubt, lost) for r, n in readers.items())


def _any_left(offsets: np.ndarray, there: np.ndarray) -> bool:
    """Whether any of these channels lacks something, or may."""
    return bool((offsets[:, there] != 0).any())


def _doubt(offsets: np.ndarray) -> Doubt | None:
    if np.isnan(offsets[_WHOLE]).any():
        return Doubt.BORDER
    return Doubt.SCALE if np.isnan(offsets[_SURE]).any() else None


def _largest(offsets: np.ndarray) -> float:
    return float(np.abs(offsets[~np.isnan(offsets)]).max(initial=0))


def _undeclared(call: OffsetCall) -> np.ndarray:
    """An operator that says nothing lacks nothing where its inputs do not."""
    if any((offset != 0).any() for offset in call.offsets):
        return call.unknown()
    return np.where(call.kept, 0.0, np.nan)
