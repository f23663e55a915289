"""`explain-plan`: why each width has its count, and what would be if something else were asked."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from catdsl.acceptance import STRICT, Acceptance
from catdsl.analysis.cost import CostModel, cost_model
from catdsl.diagnostics import CatError
from catdsl.diagnostics.suggest import did_you_mean
from catdsl.ir.graph import Graph
from catdsl.jobs.operator_times import load_times
from catdsl.jobs.planning import run_scores, scores_for
from catdsl.jobs.run_folder import existing_run
from catdsl.project import Project
from catdsl.reading import there
from catdsl.search.budget import Budget, Limit, shown
from catdsl.search.plan import Plan, Planner
from catdsl.search.scores import Scores
from catdsl.view.describe import amount


@dataclass(frozen=True, slots=True)
class Explained:
    """A plan, with the scores that it was made from."""

    project: Project
    planner: Planner
    plan: Plan


def explained(
    folder: Path, *, keep: tuple[str, ...] = (), floor: int | None = None, acceptance: Acceptance = STRICT
) -> Explained:
    """The plan of a run; or what it would be with widths kept whole, or another floor.

    `keep` are patterns of width names, `*` for anything. Raises CatError E201 for a pattern that fits
    no width, E401 where the budget then cannot be met, E603 where the run has no plan.
    """
    run = existing_run(folder, acceptance)
    asked = run.found_plan()
    if asked is None:
        raise CatError.one("E603", f"the run {folder} has no plan", help="make it with `catdsl compress`")
    project = run.project()
    limits = Budget(tuple(Limit(metric, most, shown(metric, most)) for metric, most in asked.budget.items()))
    times = load_times(run.times) if there(run.times) else None
    search = project.settings.search
    model = _constrained(project.cost_model, keep, floor, search.floor)
    # Runs of earlier versions have no file of scores.
    scores = run_scores(project, run) if there(run.scores) else scores_for(project, None, folder, acceptance=acceptance)
    planner = Planner(model, scores, group=search.group, policy=search.policy, times=times)
    return Explained(project, planner, planner.plan(limits))


def explained_plan(project: Project, scores: Scores, plan: Plan) -> Explained:
    """A plan that was made from these scores."""
    search = project.settings.search
    planner = Planner(project.cost_model, scores, group=search.group, policy=search.policy)
    return Explained(project, planner, plan)


def _constrained(model: CostModel, keep: tuple[str, ...], floor: int | None, before: int) -> CostModel:
    """The same network, some of its widths with other bounds; `before` is the floor of the spec."""
    names = [width.name for width in model.graph.widths if width.searched]
    for pattern in keep:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise CatError.one(
                "E201",
                f"no searched width is called `{pattern}`",
                help=did_you_mean(pattern, names) or "see `catdsl info`",
            )
    if not keep and floor is None:
        return model
    widths = []
    for width in model.graph.widths:
        if width.searched and any(fnmatchcase(width.name, pattern) for pattern in keep):
            low = width.high
        elif width.searched and floor is not None and width.low == min(before, width.count):
            # Bounds of their own, as of branches that may vanish, stay.
            steps = -(-(min(floor, width.high) - width.low) // width.step)
            low = max(min(width.low + steps * width.step, width.high), 0)
        else:
            low = width.low
        widths.append(replace(width, low=low))
    return cost_model(replace(model.graph, widths=tuple(widths)))


def as_json(found: Explained) -> dict[str, Any]:
    """The budget, each width with its scores around the threshold, and what vanished."""
    plan, graph = found.plan, found.project.teacher_graph
    # What is kept whole is not searched, and stands in no plan.
    kept = {w.name: plan.kept.get(w.name, w.high) for w in graph.widths if w.searched}
    saved = _saved(found.planner.model, kept)
    rows = []
    for name, count in kept.items():
        width = graph.width[name]
        channels = plan.channels.get(name, tuple(range(count)))
        lowest, best = _around(found.planner.scored.by_width.get(name), channels)
        rows.append(
            {
                "name": name, "teacher": width.count, "kept": count, "lowest_kept": lowest, "best_gone": best,
                "macs_saved": saved[name], "source": str(width.span) if width.span else None,
            }
        )  # fmt: skip
    return {
        "budget": str(plan.budget), "slack": plan.slack, "threshold": plan.threshold,
        "widths": rows, "vanished": vanished(graph, kept, found.project),
    }  # fmt: skip


def as_text(found: Explained) -> str:
    """The same for a person, a line for each width."""
    facts = as_json(found)
    lines = [
        f"budget {facts['budget']}; slack {facts['slack']:.4%}; lowest value in the cut {_score(facts['threshold'])}",
        f"{'width':<30}{'kept':>12}{'lowest kept':>13}{'best gone':>11}{'MACs saved':>12}  source",
    ]
    for row in facts["widths"]:
        of = f"{row['kept']} of {row['teacher']}"
        lines.append(
            f"{row['name']:<30}{of:>12}{_score(row['lowest_kept']):>13}{_score(row['best_gone']):>11}"
            f"{amount(row['macs_saved']):>12}  {row['source'] or ''}"
        )
    lines.append(f"vanished: {', '.join(facts['vanished'])}" if facts["vanished"] else "nothing vanished")
    return "\n".join(lines)


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _around(scores: np.ndarray | None, kept: tuple[int, ...]) -> tuple[float | None, float | None]:
    """The lowest score that is kept, and the highest that is not; None where there is none."""
    if scores is None:
        return None, None
    inside = np.zeros(len(scores), dtype=bool)
    inside[list(kept)] = True
    lowest = float(scores[inside].min()) if inside.any() else None
    return lowest, float(scores[~inside].max()) if not inside.all() else None


def _saved(model: CostModel, kept: Mapping[str, int]) -> dict[str, int]:
    """What narrowing each width alone, from the teacher's count to the plan's, saves of its exact MACs."""
    whole = model.at().exact
    return {name: whole - model.at({name: count}).exact for name, count in kept.items()}


def vanished(graph: Graph, kept: Mapping[str, int], project: Project) -> list[str]:
    """The largest parts of the network of which the student has nothing left."""
    student = {node.name for node in project.student_at(kept).nodes}
    alive = {prefix for name in student for prefix in _prefixes(name)}
    gone = {prefix for node in graph.nodes for prefix in _prefixes(node.name) if prefix not in alive}
    return sorted(part for part in gone if part.rpartition(".")[0] not in gone)


def _prefixes(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
