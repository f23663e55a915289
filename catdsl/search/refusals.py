"""Why a budget has no student: how much the smallest one takes, and what holds it up."""

from collections.abc import Mapping

from catdsl.analysis.cost import CostModel
from catdsl.diagnostics import Diagnostic
from catdsl.ir.counts import complete_counts
from catdsl.search.budget import METERED, Budget, figure, shown
from catdsl.search.candidates import Candidates


def nothing_left(model: CostModel, budget: Budget) -> Diagnostic:
    """The error where all ways to the output vanish."""
    graph = model.graph
    return Diagnostic(
        "E308", f"within {budget} nothing is left that leads to the output: every way to it may vanish",
        graph.node[graph.output].span,
        help="give the widths that lead to the output a low bound above 0, or raise the budget",
    )  # fmt: skip


def too_tight(
    model: CostModel, candidates: Candidates, budget: Budget, metered: Mapping[str, int] | None = None
) -> Diagnostic:
    """Which limit the smallest student breaks, by how much, and which layers hold it up.

    `metered` are the smallest student's own memory and latency, where they are known better.
    """
    counts = dict(zip(candidates.ranking.names, candidates.base.tolist(), strict=True))
    chosen = complete_counts(model.graph, {**candidates.fixed, **counts})
    independent = {n: c for n, c in chosen.items() if model.graph.width[n].tie is None}
    floor = model.at(independent)
    taken = {m: candidates.figure(candidates.base, m) for b in budget.limits if (m := b.metric) in METERED}
    taken |= metered or {}
    broken = next(limit for limit in budget.limits if figure(limit.metric, floor, taken) > limit.most)
    spent = figure(broken.metric, floor, taken)
    notes: tuple[str, ...] = ()
    share = ""
    if broken.metric not in METERED:
        by_node = {name: getattr(c, broken.metric) for name, c in model.per_node(independent).items()}
        heaviest = sorted(by_node, key=lambda n: (-by_node[n], n))[:4]
        notes = tuple(_holder(model, name, by_node[name], spent, chosen) for name in heaviest)
        share = f" ({spent / getattr(model.teacher, broken.metric):.2%} of the teacher)"
    least = shown(broken.metric, spent)
    advice = f"raise the budget to {least} or more, or lower `floor` in search {{ }} or the low bounds of these widths"
    if broken.text.isdigit() and broken.most <= 100:
        advice = f"write {broken.text}% for a share of the teacher"
    return Diagnostic(
        "E401", f"no student meets {budget}: the smallest one takes {least}{share}, "
        f"the budget is {shown(broken.metric, broken.most)}",
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
