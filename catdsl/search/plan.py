"""The search itself: the largest prefix of the ranked list that fits, then a fill in rank order.

The method (CAT, CVPR 2021, section 3.2) finds one global threshold by bisection, rebuilding and
running the network at every step. Here a candidate is arithmetic on the cost terms, and the list
is finite, so the search always ends. The prefix (`cut`) is monotone in the budget; the fill makes
the plan maximal: no single further step of any width fits.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from catdsl.analysis.cost import Cost, CostModel, floor_counts
from catdsl.diagnostics import CatError, Diagnostic, Severity
from catdsl.ir.counts import complete_counts
from catdsl.ir.graph import Graph
from catdsl.ir.presence import Counted, presence
from catdsl.search.budget import Budget, Limit, metric_index
from catdsl.search.compiled import CompiledCost, compile_cost
from catdsl.search.ranking import Ranking, rank
from catdsl.search.scores import Scores, width_scores


@dataclass(frozen=True)
class Plan:
    """What a student keeps. Plain values: printable, comparable, saved as the student program.

    `kept` has the count of every searched width in graph order, `channels` the indices kept of
    each (ascending). `cut` has the counts before the fill. `slack` is the share of the tightest
    limit that is left (`tightest` names its metric); `cheapest_step` what the cheapest further step
    would add to that metric (None where every width is at its high bound). `threshold` is the lowest
    ranked value in the cut.
    """

    budget: Budget
    kept: Mapping[str, int]
    channels: Mapping[str, tuple[int, ...]]
    cut: Mapping[str, int]
    cost: Cost
    teacher: Cost
    slack: float
    tightest: str
    cheapest_step: int | None
    threshold: float | None
    seconds: float
    warnings: tuple[Diagnostic, ...] = ()


def find_plan(
    model: CostModel, scores: Scores, budget: Budget, *, group: str = "first", policy: str = "threshold"
) -> Plan:
    """The student within `budget`. `group` is that of `width_scores`, `policy` that of `rank`.

    Raises CatError E401 where the floor is above it, E403 for bad scores, E308 where the budget
    leaves no way to the output.
    """
    return Planner(model, scores, group=group, policy=policy).plan(budget)


class Planner:
    """Everything that plans of one network share, so that many budgets cost little more than one."""

    def __init__(self, model: CostModel, scores: Scores, *, group: str = "first", policy: str = "threshold"):
        self.model, self.policy = model, policy
        self.started = time.perf_counter()
        self.scored = width_scores(model.graph, scores, group)
        self.compiled = compile_cost(model)
        self._rankings: dict[str, Ranking] = {}

    def ranking(self, budget: Budget) -> Ranking:
        """The ranked list; by value per cost, that of the budget's first metric."""
        metric = budget.limits[0].metric if self.policy == "value_per_cost" else ""
        if metric not in self._rankings:
            graph = self.model.graph
            price = _prices(graph, self.compiled, metric) if metric else None
            self._rankings[metric] = rank(graph, self.scored.by_width, self.policy, price)
        return self._rankings[metric]

    def plan(self, budget: Budget) -> Plan:
        """The student within `budget`. Raises CatError E308, E401."""
        graph, ranking = self.model.graph, self.ranking(budget)
        search = _Search(self.compiled, graph, ranking, budget)
        if not search.fits(search.base):
            raise CatError((_too_tight(self.model, search, budget),))
        cut, length = search.cut()
        counts, cheapest = search.fill(cut)
        unscored = {w.name: min(w.count, w.high) for w in graph.widths if w.searched and w.name not in ranking.names}
        chosen = {n: int(c) for n, c in zip(ranking.names, counts, strict=True)}
        kept = {w.name: chosen.get(w.name, unscored.get(w.name, 0)) for w in graph.widths if w.searched}
        complete = complete_counts(graph, {**search.fixed, **kept})
        if not any(presence(graph, Counted(complete))[graph.output]):
            raise CatError((_nothing_left(self.model, budget),))
        cost = search.exact(counts)
        tightest = min(budget.limits, key=lambda limit: _left(limit, cost))
        everything = {n: tuple(range(c)) for n, c in unscored.items()}
        channels = {n: tuple(sorted(int(i) for i in ranking.order[n][: chosen[n]])) for n in ranking.names}
        seconds, self.started = time.perf_counter() - self.started, time.perf_counter()
        return Plan(
            budget=budget,
            kept=kept,
            channels={n: channels.get(n) or everything.get(n, ()) for n in kept},
            cut={n: int(c) for n, c in zip(ranking.names, cut, strict=True)},
            cost=cost,
            teacher=self.model.at(),
            slack=_left(tightest, cost),
            tightest=tightest.metric,
            cheapest_step=cheapest,
            threshold=float(ranking.score[length - 1]) if length else None,
            seconds=seconds,
            warnings=(*self.scored.warnings, *_generous(budget, self.model.at())),
        )

    def importance(self, plan: Plan) -> float:
        """The share of all scores that a plan keeps."""
        total = sum(float(values.sum()) for values in self.scored.by_width.values())
        kept = sum(float(values[list(plan.channels[name])].sum()) for name, values in self.scored.by_width.items())
        return kept / total if total else 1.0


def _generous(budget: Budget, teacher: Cost) -> tuple[Diagnostic, ...]:
    if not all(limit.most > getattr(teacher, limit.metric) for limit in budget.limits):
        return ()
    message = f"the teacher itself is within {budget}: nothing has to go"
    return (Diagnostic("E402", message, help="give a smaller budget", severity=Severity.WARNING),)


def _nothing_left(model: CostModel, budget: Budget) -> Diagnostic:
    graph = model.graph
    return Diagnostic(
        "E308", f"within {budget} nothing is left that leads to the output: every way to it may vanish",
        graph.node[graph.output].span,
        help="give the widths that lead to the output a low bound above 0, or raise the budget",
    )  # fmt: skip


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
        channels={n: tuple(sorted(int(i) for i in order[n][:c])) for n, c in kept.items()},
        cut=kept,
        cost=cost,
        teacher=model.at(),
        slack=0.0,
        tightest="exact",
        cheapest_step=None,
        threshold=None,
        seconds=0.0,
        warnings=scored.warnings,
    )


def _left(limit: Limit, cost: Cost) -> float:
    """The share of a limit that is not spent."""
    return 1 - getattr(cost, limit.metric) / limit.most


def _prices(graph: Graph, compiled: CompiledCost, name: str) -> dict[str, float]:
    """What a channel of each searched width costs in the teacher, in the metric of this name."""
    metric = metric_index(name)
    whole = compiled.vector(graph.counts)
    cost = compiled.at(whole)[metric]
    prices: dict[str, float] = {}
    for place, width in enumerate(compiled.names):
        narrower = whole.copy()
        narrower[place] -= min(graph.width[width].step, graph.width[width].count)
        prices[width] = max(float(cost - compiled.at(narrower)[metric]) / graph.width[width].step, 1.0)
    return prices


class _Search:
    """Candidates are vectors of counts of the ranked widths, in the ranking's order."""

    def __init__(self, compiled: CompiledCost, graph: Graph, ranking: Ranking, budget: Budget):
        self.ranking = ranking
        self.compiled = compiled
        self.metrics = np.array([metric_index(limit.metric) for limit in budget.limits])
        self.most = np.array([min(limit.most, 2**62) for limit in budget.limits], dtype=np.int64)
        # Widths that are not searched have one count; unscored ones stay large.
        self.fixed = {w.name: w.high if w.searched else w.low for w in graph.widths if w.tie is None}
        self.fixed = {n: c for n, c in self.fixed.items() if n not in ranking.names}
        self.fixed |= {w.name: w.count for w in graph.widths if w.tie is None and w.made_by_input}
        self.base = ranking.low.copy()
        self._vector = self.compiled.vector({**floor_counts(graph), **self.fixed})
        position = {name: i for i, name in enumerate(self.compiled.names)}
        self._places = np.array([position[n] for n in ranking.names], dtype=np.int64)

    def cost(self, counts: np.ndarray) -> np.ndarray:
        vector = self._vector.copy()
        vector[self._places] = counts
        return self.compiled.at(vector)[self.metrics]

    def exact(self, counts: np.ndarray) -> Cost:
        """The whole cost, as Python's integers."""
        vector = self._vector.copy()
        vector[self._places] = counts
        return Cost(*(int(c) for c in self.compiled.at(vector)))

    def fits(self, counts: np.ndarray) -> bool:
        return bool((self.cost(counts) <= self.most).all())

    def at_prefix(self, length: int) -> np.ndarray:
        steps = np.bincount(self.ranking.width[:length], minlength=len(self.base))
        return self.base + steps * self.ranking.step

    def cut(self) -> tuple[np.ndarray, int]:
        """The largest prefix that fits, by bisection: cost never falls as the prefix grows."""
        low, high = 0, len(self.ranking.width)
        while low < high:
            middle = (low + high + 1) // 2
            if self.fits(self.at_prefix(middle)):
                low = middle
            else:
                high = middle - 1
        return self.at_prefix(low), low

    def fill(self, cut: np.ndarray) -> tuple[np.ndarray, int | None]:
        """Add single steps in rank order until none fits; and the cost of the cheapest that is left.

        Each round takes the best-ranked next step that fits. A step that did not fit is tried again
        after each addition, for a first branch may pay for what later ones share.
        """
        counts = cut.copy()
        ranked = self._ranks()
        while True:
            spent = self.cost(counts)
            left = self.most - spent
            candidates = np.flatnonzero(counts + self.ranking.step <= self.ranking.high)
            if not len(candidates):
                return counts, None
            taken = (counts[candidates] - self.base[candidates]) // self.ranking.step[candidates]
            by_rank = candidates[np.argsort([ranked[w][t] for w, t in zip(candidates, taken, strict=True)])]
            added = {}
            for width in by_rank.tolist():
                added[width] = self._added(counts, width, spent)
                if (added[width] <= left).all():
                    break
            else:
                tightest = np.argmin(left / self.most)
                return counts, int(min(a[tightest] for a in added.values()))
            fitting = width
            counts[fitting] += self.ranking.step[fitting]

    def _ranks(self) -> list[np.ndarray]:
        """For each width, the places of its steps in the ranked list, in the order they are taken."""
        return [np.flatnonzero(self.ranking.width == i) for i in range(len(self.base))]

    def _added(self, counts: np.ndarray, width: int, spent: np.ndarray) -> np.ndarray:
        wider = counts.copy()
        wider[width] += self.ranking.step[width]
        return self.cost(wider) - spent


def _too_tight(model: CostModel, search: _Search, budget: Budget) -> Diagnostic:
    """Which limit the smallest student breaks, by how much, and which layers hold it up."""
    counts = dict(zip(search.ranking.names, search.base.tolist(), strict=True))
    chosen = complete_counts(model.graph, {**search.fixed, **counts})
    independent = {n: c for n, c in chosen.items() if model.graph.width[n].tie is None}
    floor = model.at(independent)
    broken = next(limit for limit in budget.limits if not limit.holds(floor))
    spent = getattr(floor, broken.metric)
    by_node = {name: getattr(c, broken.metric) for name, c in model.per_node(independent).items()}
    heaviest = sorted(by_node, key=lambda n: (-by_node[n], n))[:4]
    notes = tuple(_holder(model, name, by_node[name], spent, chosen) for name in heaviest)
    teacher = getattr(model.at(), broken.metric)
    advice = (
        f"raise the budget to {spent:,} or more, or lower `floor` in search {{ }} or the low bounds of these widths"
    )
    if broken.text.isdigit() and broken.most <= 100:
        advice = f"write {broken.text}% for a share of the teacher"
    return Diagnostic(
        "E401", f"no student meets {budget}: the smallest one takes {spent:,} ({spent / teacher:.2%} of the teacher), "
        f"the budget is {broken.most:,}",
        notes=notes,
        help=advice,
    )  # fmt: skip


def _holder(model: CostModel, node: str, spent: int, whole: int, counts: Mapping[str, int]) -> str:
    found = model.graph.node[node]
    into = model.graph.node[found.inputs[0]].type.channels
    lows = {s.width for s in (*into, *found.type.channels)}
    shown = ", ".join(f"{n} at {counts[n]}" for n in sorted(lows) if n in counts)
    place = f" ({found.span})" if found.span else ""
    return f"`{node}` takes {spent:,} of it ({spent / whole:.0%}) with {shown}{place}"
