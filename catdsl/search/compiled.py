"""The cost terms as arrays: what the search evaluates thousands of times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import gcd, lcm
from weakref import WeakKeyDictionary

import numpy as np

from catdsl.analysis.conditions import FALSE, TRUE, Row
from catdsl.analysis.cost import LARGEST, METRICS, CostModel, Term
from catdsl.ir.linear import Linear


@dataclass(frozen=True)
class _Level:
    """Conditions of one kind whose parts are known: segments of `parts`, reduced in one call."""

    reduce: np.ufunc
    positions: np.ndarray
    parts: np.ndarray
    starts: np.ndarray


class ConditionTable:
    """Conditions compiled for many evaluations: a few array operations each.

    Vectors have the counts of the independent widths `names` in order, and a 1; `ties` are those of
    the widths that are tied.
    """

    def __init__(self, rows: Sequence[Row], names: Sequence[str], ties: Mapping[str, Linear]):
        vanishing = sorted(str(parts) for kind, parts in rows if kind == "width" and parts in ties)
        self._names, self.ties = names, tuple(ties[name] for name in vanishing)
        position = {name: place for place, name in enumerate((*names, "", *vanishing))}
        self._size = len(rows)
        widths = [(i, position[str(name)]) for i, (kind, name) in enumerate(rows) if kind == "width"]
        self._width_rows = np.array([i for i, _ in widths], dtype=np.int64)
        self._width_places = np.array([p for _, p in widths], dtype=np.int64)
        self._levels = _levels(rows)

    def truth(self, vector: np.ndarray) -> np.ndarray:
        """Truth of every condition, in the order of the rows."""
        counts = self._extended(vector)
        truth = np.zeros(self._size, dtype=bool)
        truth[TRUE] = True
        if len(self._width_rows):
            truth[self._width_rows] = counts[self._width_places] > 0
        for level in self._levels:
            truth[level.positions] = level.reduce.reduceat(truth[level.parts], level.starts)
        return truth

    def _extended(self, vector: np.ndarray) -> np.ndarray:
        if not self.ties:
            return vector
        counts = dict(zip(self._names, vector.tolist(), strict=False))
        return np.append(vector, [1 if tie.value(counts) > 0 else 0 for tie in self.ties])


def _levels(rows: Sequence[Row]) -> list[_Level]:
    depth = [0] * len(rows)
    groups: dict[tuple[int, str], list[tuple[int, tuple[int, ...]]]] = {}
    for index, (kind, parts) in enumerate(rows):
        if isinstance(parts, str) or index in (TRUE, FALSE):
            continue
        depth[index] = 1 + max(depth[p] for p in parts)
        groups.setdefault((depth[index], kind), []).append((index, parts))
    return [_level(kind, members) for (_, kind), members in sorted(groups.items())]


def _level(kind: str, members: Sequence[tuple[int, tuple[int, ...]]]) -> _Level:
    lengths = [len(parts) for _, parts in members]
    return _Level(
        np.logical_and if kind == "all" else np.logical_or,
        np.array([index for index, _ in members], dtype=np.int64),
        np.array([i for _, parts in members for i in parts], dtype=np.int64),
        np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.int64),
    )


@dataclass(frozen=True)
class CompiledCost:
    """The terms over the independent widths, with tied ones expanded.

    The cost is `sum(factors * v[first] * v[second] * truth[condition]) / scale`, where v is the
    counts followed by 1. Integer throughout: `scale` clears the denominators of ties.
    """

    names: tuple[str, ...]
    factors: np.ndarray  # METRICS x terms, int64
    first: np.ndarray
    second: np.ndarray
    condition: np.ndarray
    scale: int
    table: ConditionTable | None

    def vector(self, counts: Mapping[str, int]) -> np.ndarray:
        """Counts of the independent widths in order, and a 1."""
        return np.array([*(counts[n] for n in self.names), 1], dtype=np.int64)

    def only(self, rows: np.ndarray) -> "CompiledCost":
        """The same, for some of METRICS."""
        return replace(self, factors=self.factors[rows])

    def at(self, vector: np.ndarray) -> np.ndarray:
        """The cost in each of METRICS, int64."""
        products = vector[self.first] * vector[self.second]
        return (self._held(vector) @ products) // self.scale

    def added(self, vector: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """What a step of each width alone would add to each of METRICS: METRICS x (widths and a 1).

        `steps` are laid out like `vector`. Right for every step that changes no condition: those of
        widths that are above 0, as long as no tied width can vanish.
        """
        # x * y grows by dx * y with x, by x * dy with y, and x * x by dx * (x + dx) + x * dx.
        x, y, dx = vector[self.first], vector[self.second], steps[self.first]
        ends = np.concatenate((dx * (y + dx * (self.first == self.second)), x * steps[self.second]))
        order, places, starts = self._ends
        held = self._held(vector)
        grown = (np.concatenate((held, held), axis=1) * ends)[:, order]
        added = np.zeros((len(held), len(vector)), dtype=held.dtype)
        added[:, places] = np.add.reduceat(grown, starts, axis=1) // self.scale
        return added

    @cached_property
    def _ends(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The two widths of every term, sorted; the widths there are, and where each begins."""
        ends = np.concatenate((self.first, self.second))
        order = np.argsort(ends, kind="stable")
        places, starts = np.unique(ends[order], return_index=True)
        return order, places, starts

    def _held(self, vector: np.ndarray) -> np.ndarray:
        """The factors of the terms whose conditions hold, 0 for the others."""
        if self.table is None:
            return self.factors
        return self.factors * self.table.truth(vector)[self.condition]


def compile_cost(model: CostModel) -> CompiledCost:
    """The terms of a cost model, merged over its independent widths: once for each model."""
    if model not in _COMPILED:
        _COMPILED[model] = _compiled(model)
    return _COMPILED[model]


_COMPILED: WeakKeyDictionary[CostModel, CompiledCost] = WeakKeyDictionary()


def _compiled(model: CostModel) -> CompiledCost:
    graph = model.graph
    names = tuple(w.name for w in graph.widths if w.tie is None)
    index = {name: i for i, name in enumerate(names)}
    ties = {w.name: w.tie for w in graph.widths if w.tie is not None}
    unit = lcm(1, *(tie.denominator() for tie in ties.values()))
    parts = {name: expanded(name, index, ties, unit) for name in ("", *graph.width)}
    merged: dict[tuple[int, int, int], list[int]] = {}
    for term in model.terms:
        condition = _implied(term, model.conditions)
        for i, a in parts[term.first]:
            for j, b in parts[term.second]:
                key = (min(i, j), max(i, j), condition)
                row = merged.setdefault(key, [0] * len(METRICS))
                for metric, factor in enumerate(term.factors):
                    row[metric] += factor * a * b
    common = gcd(unit**2, *(f for row in merged.values() for f in row))
    scale = unit**2 // common
    # Python's integers where 64 bits could overflow: slower, never wrong.
    cost = model.teacher
    exact: type = np.int64 if max(getattr(cost, name) for name in METRICS) * scale < LARGEST else object
    factors: np.ndarray = np.array([[f // common for f in row] for row in merged.values()], dtype=exact)
    keys = np.array(list(merged), dtype=np.int64).reshape(-1, 3)
    conditional = bool((keys[:, 2] != TRUE).any())
    return CompiledCost(
        names, factors.reshape(-1, len(METRICS)).T.copy(), keys[:, 0], keys[:, 1], keys[:, 2], scale,
        ConditionTable(model.conditions, names, ties) if conditional else None,
    )  # fmt: skip


def _implied(term: Term, rows: tuple[Row, ...]) -> int:
    """TRUE where the term is 0 anyway whenever its condition fails: its widths imply it."""
    kind, parts = rows[term.condition]
    if kind == "width":
        return TRUE if parts in (term.first, term.second) else term.condition
    if kind == "all":
        needed = {rows[p][1] if rows[p][0] == "width" else None for p in parts}  # type: ignore[index]
        return TRUE if needed <= {term.first, term.second} else term.condition
    return term.condition


def expanded(name: str, index: Mapping[str, int], ties: Mapping[str, Linear], unit: int) -> tuple[tuple[int, int], ...]:
    """A width, or 1 for "", as whole multiples of the places in a vector; times `unit`."""
    one = len(index)
    if not name:
        return ((one, unit),)
    if name in index:
        return ((index[name], unit),)
    tie = ties[name]
    terms = tuple((index[n], int(c * unit)) for n, c in tie.terms)
    return (*terms, (one, int(tie.constant * unit))) if tie.constant else terms
