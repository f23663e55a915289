"""Students as vectors of counts: what they cost, the largest prefix that fits, and the fill."""

from collections.abc import Mapping

import numpy as np

from catdsl.analysis.cost import LARGEST, METRICS, Cost, floor_counts
from catdsl.ir.graph import Graph
from catdsl.search.compiled import CompiledCost
from catdsl.search.meters import Meter
from catdsl.search.ranking import Ranking


class Candidates:
    """Vectors of counts of the ranked widths, in the ranking's order.

    `most` are limits by metric; those that are no sums are in `meters`.
    """

    def __init__(
        self, compiled: CompiledCost, graph: Graph, ranking: Ranking, most: Mapping[str, int],
        meters: Mapping[str, Meter],
    ):  # fmt: skip
        self.ranking = ranking
        self.compiled = compiled
        summed = [metric for metric in most if metric not in meters]
        self._limited = compiled.only(np.array([METRICS.index(metric) for metric in summed], dtype=np.int64))
        self._meters = dict(meters)
        self._most = np.array([min(most[metric], LARGEST) for metric in summed], dtype=np.int64)
        self._top = {metric: most[metric] for metric in meters}
        # Widths that are not searched have one count; unscored ones stay large.
        self.fixed = {w.name: w.high if w.searched else w.low for w in graph.widths if w.tie is None}
        self.fixed = {n: c for n, c in self.fixed.items() if n not in ranking.names}
        self.fixed |= {w.name: w.count for w in graph.widths if w.tie is None and w.made_by_input}
        self.base = ranking.low.copy()
        self._vector = self.compiled.vector({**floor_counts(graph), **self.fixed})
        position = {name: i for i, name in enumerate(self.compiled.names)}
        self._places = np.array([position[n] for n in ranking.names], dtype=np.int64)
        self._steps = np.zeros_like(self._vector)
        self._steps[self._places] = ranking.step

    def figure(self, counts: np.ndarray, metric: str) -> int:
        """What a candidate takes of a metric."""
        vector = self._at(counts)
        if metric in self._meters:
            return self._meters[metric].at(vector)
        return int(self.compiled.at(vector)[METRICS.index(metric)])

    def cost(self, counts: np.ndarray) -> Cost:
        """The whole cost, as Python's integers."""
        return Cost(*(int(c) for c in self.compiled.at(self._at(counts))))

    def fits(self, counts: np.ndarray) -> bool:
        vector = self._at(counts)
        if (self._limited.at(vector) > self._most).any():
            return False
        # The meters are slow: what a sum forbids already is not looked at further.
        return all(meter.at(vector) <= self._top[metric] for metric, meter in self._meters.items())

    def _at(self, counts: np.ndarray) -> np.ndarray:
        vector = self._vector.copy()
        vector[self._places] = counts
        return vector

    def at_prefix(self, length: int) -> np.ndarray:
        """The counts after the first steps of the ranking."""
        steps = np.bincount(self.ranking.width[:length], minlength=len(self.base))
        return self.base + steps * self.ranking.step

    def cut(self) -> tuple[np.ndarray, int]:
        """The largest prefix that fits, by bisection: sums never fall as the prefix grows."""
        low, high = 0, len(self.ranking.width)
        while low < high:
            middle = (low + high + 1) // 2
            if self.fits(self.at_prefix(middle)):
                low = middle
            else:
                high = middle - 1
        return self.at_prefix(low), low

    def fill(self, counts: np.ndarray, length: int) -> np.ndarray:
        """Add single steps in rank order where they fit, after a cut of `length` steps.

        A width whose next step does not fit is done: costs never fall as other widths grow.
        """
        counts = counts.copy()
        spent = self._limited.at(self._at(counts))
        added = self._limited.added(self._at(counts), self._steps)[:, self._places]
        done = self._plain(counts) & (added.T + spent > self._most).any(axis=1)
        for width in self.ranking.width[length:].tolist():
            if done[width]:
                continue
            counts[width] += self.ranking.step[width]
            if not self.fits(counts):
                counts[width] -= self.ranking.step[width]
                done[width] = True
        return counts

    def cheapest_step(self, counts: np.ndarray, metric: str) -> int | None:
        """The least of a metric that a further step of one width would add; None where there is none."""
        free = counts + self.ranking.step <= self.ranking.high
        known = free & self._plain(counts) if metric not in self._meters else np.zeros_like(free)
        added = []
        if known.any():
            every = self.compiled.added(self._at(counts), self._steps)[METRICS.index(metric), self._places]
            added = every[known].tolist()
        spent = self.figure(counts, metric)
        for width in np.flatnonzero(free & ~known).tolist():
            wider = counts.copy()
            wider[width] += self.ranking.step[width]
            added.append(self.figure(wider, metric) - spent)
        return min(added, default=None)

    def _plain(self, counts: np.ndarray) -> np.ndarray:
        """Widths of which a step changes no condition: they are there already, and no tied one may appear."""
        table = self.compiled.table
        return counts > 0 if table is None or not table.ties else np.zeros(len(counts), dtype=bool)
