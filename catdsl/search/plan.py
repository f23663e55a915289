"""The search itself: the largest prefix of the ranked list that fits, then a fill in rank order.

The method (CAT, CVPR 2021, section 3.2) finds one global threshold by bisection, rebuilding and
running the network at every step. Here a candidate is arithmetic on the cost terms, and the list
is finite, so the search always ends. The prefix (`cut`) is monotone in the budget; the fill makes
the plan maximal: no single further step of any width fits. Both are promised of sums (MACs,
parameters, bytes of weights); of memory and latency, that they are within their limits.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from catdsl.analysis.cost import METRICS, Cost, CostModel
from catdsl.diagnostics import CatError, Diagnostic, Severity
from catdsl.ir.counts import with_counts
from catdsl.ir.graph import Graph
from catdsl.ops import BY_NAME
from catdsl.search.budget import METERED, Budget, Limit, figure, no_times
from catdsl.search.candidates import Candidates
from catdsl.search.compiled import CompiledCost, compile_cost
from catdsl.search.latency import LatencyMeter, OperatorTimes
from catdsl.search.meters import MemoryMeter, Meter
from catdsl.search.ranking import Ranking, rank
from catdsl.search.refusals import nothing_left, too_tight
from catdsl.search.scores import Scores, width_scores


@dataclass(frozen=True, slots=True)
class Claims:
    """What holds of a plan: always that it is within its budget, the rest for limits that are sums.

    `maximal`: no single further step of any width fits. `monotone_cut`: a larger budget has a cut
    that keeps at least as much of every width.
    """

    maximal: bool
    monotone_cut: bool
    within: bool = True


@dataclass(frozen=True)
class Plan:
    """What a student keeps. Plain values: printable, comparable, saved as the student program.

    `kept` has the count of every searched width in graph order, `full` the teacher's, `channels` the
    indices kept of each (ascending). `cut` has the counts before the fill. `metered` has the student's memory and
    latency where they are limited. `slack` is the share of the tightest limit that is left
    (`tightest` names its metric); `cheapest_step` what the cheapest further step would add to that
    metric (None where every width is at its high bound). `threshold` is the lowest ranked value in
    the cut.
    """

    budget: Budget
    kept: Mapping[str, int]
    full: Mapping[str, int]
    channels: Mapping[str, tuple[int, ...]]
    cut: Mapping[str, int]
    cost: Cost
    teacher: Cost
    slack: float
    tightest: str
    cheapest_step: int | None
    threshold: float | None
    seconds: float
    claims: Claims
    metered: Mapping[str, int]
    warnings: tuple[Diagnostic, ...] = ()

    def _repr_html_(self) -> str:
        """Costs and widths beside the teacher's, for notebooks."""
        from catdsl.view.notebook import plan_html

        return plan_html(self)


def find_plan(
    model: CostModel, scores: Scores, budget: Budget, *, group: str = "first", policy: str = "threshold",
    times: OperatorTimes | None = None,
) -> Plan:  # fmt: skip
    """The student within `budget`. `group` is that of `width_scores`, `policy` that of `rank`.

    A limit of latency needs the `times` of a device. Raises CatError E401 where the floor is above
    the budget, E403 for bad scores, E406 for missing times, E308 where the budget leaves no way to
    the output.
    """
    return Planner(model, scores, group=group, policy=policy, times=times).plan(budget)


class Planner:
    """Everything that plans of one network share, so that many budgets cost little more than one."""

    def __init__(
        self, model: CostModel, scores: Scores, *, group: str = "first", policy: str = "threshold",
        times: OperatorTimes | None = None,
    ):  # fmt: skip
        self.model, self.policy, self.times = model, policy, times
        began = time.perf_counter()
        self.scored = width_scores(model.graph, scores, group)
        self.compiled = compile_cost(model)
        self._rankings: dict[str, Ranking] = {}
        self._meters: dict[str, Meter] = {}
        self._set_up = time.perf_counter() - began

    def ranking(self, budget: Budget) -> Ranking:
        """The ranked list; by value per cost, that of the budget's first sum (exact MACs without one)."""
        summed = [limit.metric for limit in budget.limits if limit.metric not in METERED]
        metric = (summed or ["exact"])[0] if self.policy == "value_per_cost" else ""
        if metric not in self._rankings:
            graph = self.model.graph
            price = _prices(graph, self.compiled, metric) if metric else None
            self._rankings[metric] = rank(graph, self.scored.by_width, self.policy, price)
        return self._rankings[metric]

    def plan(self, budget: Budget) -> Plan:
        """The student within `budget`. Raises CatError E308, E401, E406."""
        began = time.perf_counter() - self._set_up
        # What is shared counts for the first plan.
        self._set_up = 0.0
        found = self._plan(budget)
        return replace(found, seconds=time.perf_counter() - began)

    def _plan(self, budget: Budget) -> Plan:
        graph, ranking = self.model.graph, self.ranking(budget)
        meters = {limit.metric: self.meter(limit.metric) for limit in budget.limits if limit.metric in METERED}
        most = {limit.metric: limit.most for limit in budget.limits}
        while True:
            candidates = Candidates(self.compiled, graph, ranking, most, meters)
            if not candidates.fits(candidates.base):
                raise CatError((too_tight(self.model, candidates, budget),))
            cut, length = candidates.cut()
            counts = candidates.fill(cut, length)
            kept = self._kept(candidates, counts, budget)
            metered = self._of_student(meters, kept)
            if budget.holds(candidates.cost(counts), metered):
                return self._finished(budget, candidates, cut, length, counts, kept, metered)
            # The meters see no tensor that lines up others: aim lower by what the student has more.
            lower = {m: self._lower(candidates, counts, budget, m, taken) for m, taken in metered.items()}
            if all(lower[metric] is None for metric in lower):
                return self._smallest(budget, candidates, meters)
            most |= {metric: aim for metric, aim in lower.items() if aim is not None}

    @staticmethod
    def _lower(candidates: Candidates, counts: np.ndarray, budget: Budget, metric: str, taken: int) -> int | None:
        """A limit that rules these counts out, where they take too much of the metric and the floor allows it."""
        excess = taken - budget.most(metric)
        aim = candidates.figure(counts, metric) - excess
        return aim if excess > 0 and aim >= candidates.figure(candidates.base, metric) else None

    def _smallest(self, budget: Budget, candidates: Candidates, meters: Mapping[str, Meter]) -> Plan:
        """The plan at the floor, where the search cannot aim lower. Raises CatError E401."""
        counts = candidates.base
        kept = self._kept(candidates, counts, budget)
        metered = self._of_student(meters, kept)
        if not budget.holds(candidates.cost(counts), metered):
            raise CatError((too_tight(self.model, candidates, budget, metered),))
        return self._finished(budget, candidates, counts, 0, counts, kept, metered)

    def meter(self, metric: str) -> Meter:
        """What measures a metric that is no sum. Raises CatError E406 where times are missing."""
        if metric not in self._meters:
            graph, names = self.model.graph, self.compiled.names
            if metric == "latency" and self.times is None:
                raise CatError((no_times(),))
            self._meters[metric] = (
                MemoryMeter(graph, names) if self.times is None or metric == "memory"
                else LatencyMeter(graph, names, self.times)
            )  # fmt: skip
        return self._meters[metric]

    def _kept(self, candidates: Candidates, counts: np.ndarray, budget: Budget) -> dict[str, int]:
        """The count of every searched width; unscored ones stay large. Raises CatError E308."""
        graph = self.model.graph
        chosen = {n: int(c) for n, c in zip(candidates.ranking.names, counts, strict=True)}
        kept = {w.name: chosen.get(w.name, min(w.count, w.high)) for w in graph.widths if w.searched}
        if not self.model.leads_to_output({**candidates.fixed, **kept}):
            raise CatError((nothing_left(self.model, budget),))
        return kept

    def _of_student(self, meters: Mapping[str, Meter], kept: Mapping[str, int]) -> dict[str, int]:
        if not meters:
            return {}
        student = with_counts(self.model.graph, kept, arrange=BY_NAME["arrange"])
        return {metric: meter.of(student) for metric, meter in meters.items()}

    def _finished(
        self, budget: Budget, candidates: Candidates, cut: np.ndarray, length: int, counts: np.ndarray,
        kept: Mapping[str, int], metered: Mapping[str, int],
    ) -> Plan:  # fmt: skip
        ranking, cost = candidates.ranking, candidates.cost(counts)
        left = {b.metric: 1 - figure(b.metric, cost, metered) / b.most for b in budget.limits}
        tightest = min(left, key=lambda metric: left[metric])
        order = {n: ranking.order[n] if n in ranking.order else np.arange(c) for n, c in kept.items()}
        cheapest = candidates.cheapest_step(counts, tightest)
        return Plan(
            budget=budget,
            kept=kept,
            full={name: self.model.graph.counts[name] for name in kept},
            channels={n: tuple(sorted(order[n][:c].tolist())) for n, c in kept.items()},
            cut={n: int(c) for n, c in zip(ranking.names, cut, strict=True)},
            cost=cost,
            teacher=self.model.teacher,
            slack=left[tightest],
            tightest=tightest,
            cheapest_step=cheapest,
            threshold=float(ranking.score[length - 1]) if length else None,
            seconds=0.0,
            claims=Claims(*[not any(limit.metric in METERED for limit in budget.limits)] * 2),
            metered=metered,
            warnings=(*self.scored.warnings, *self._generous(budget)),
        )

    def _generous(self, budget: Budget) -> tuple[Diagnostic, ...]:
        metered = {b.metric: self.meter(b.metric).of(self.model.graph) for b in budget.limits if b.metric in METERED}
        teacher = self.model.teacher
        if any(figure(limit.metric, teacher, metered) >= limit.most for limit in budget.limits):
            return ()
        message = f"the teacher itself is within {budget}: nothing has to go"
        return (Diagnostic("E402", message, help="give a smaller budget", severity=Severity.WARNING),)

    def importance(self, plan: Plan) -> float:
        """The share of all scores that a plan keeps."""
        total = sum(float(values.sum()) for values in self.scored.by_width.values())
        kept = sum(float(values[list(plan.channels[name])].sum()) for name, values in self.scored.by_width.items())
        return kept / total if total else 1.0


def plan_of_counts(model: CostModel, scores: Scores, counts: Mapping[str, int], *, group: str = "first") -> Plan:
    """The plan that keeps given counts, of each width the best channels; its budget is its own cost."""
    graph = model.graph
    kept = {w.name: counts.get(w.name, w.count) for w in graph.widths if w.searched}
    cost = model.at(kept)
    scored = width_scores(graph, scores, group)
    ranking = rank(graph, scored.by_width)
    order = {n: ranking.order.get(n, np.arange(c)) for n, c in kept.items()}
    return Plan(
        budget=Budget((Limit("exact", cost.exact, f"{cost.exact:,}"),)),
        kept=kept,
        full={name: graph.counts[name] for name in kept},
        channels={n: tuple(sorted(int(i) for i in order[n][:c])) for n, c in kept.items()},
        cut=kept,
        cost=cost,
        teacher=model.teacher,
        slack=0.0,
        tightest="exact",
        cheapest_step=None,
        threshold=None,
        seconds=0.0,
        claims=Claims(maximal=False, monotone_cut=False),
        metered={},
        warnings=scored.warnings,
    )


def _prices(graph: Graph, compiled: CompiledCost, name: str) -> dict[str, float]:
    """What a channel of each searched width costs in the teacher, in the metric of this name."""
    metric = METRICS.index(name)
    whole = compiled.vector(graph.counts)
    cost = compiled.at(whole)[metric]
    prices: dict[str, float] = {}
    for place, width in enumerate(compiled.names):
        narrower = whole.copy()
        narrower[place] -= min(graph.width[width].step, graph.width[width].count)
        prices[width] = max(float(cost - compiled.at(narrower)[metric]) / graph.width[width].step, 1.0)
    return prices
