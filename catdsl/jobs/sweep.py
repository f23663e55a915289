"""`sweep`: plans at many budgets, as a table, JSON and a picture."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from catdsl.diagnostics import CatError
from catdsl.files import write_text
from catdsl.jobs.replacing import Say, replacing
from catdsl.project import Project
from catdsl.search.latency import OperatorTimes
from catdsl.search.plan import Plan, Planner
from catdsl.search.scores import Scores
from catdsl.view.describe import amount
from catdsl.view.front import Point, render_front

FILES = ("front.json", "front.svg")
"""What a sweep writes."""

_POINTS = 12
_MOST = 200
_RANGE = re.compile(r"\s*(\w+=)?(\d+(?:\.\d+)?)%\s*\.\.\s*(\d+(?:\.\d+)?)%\s*")


@dataclass(frozen=True, slots=True)
class Front:
    """Plans from the smallest to the largest budget, with the share of importance that each keeps."""

    plans: tuple[Plan, ...]
    kept: tuple[float, ...]


def budgets(text: str) -> list[str]:
    """`5%..60%` or `latency=40%..90%` as twelve budgets from end to end, or a list `5%,10%,2.6G`.

    Each item of a list is a budget by itself. Raises CatError E402.
    """
    found = _RANGE.fullmatch(text)
    if found is None and ".." in text:
        raise CatError.one("E402", f"`{text}` is no range of budgets", help="write 5%..60%, or a list 5%,10%,2.6G")
    if found is None:
        return [part.strip() for part in text.split(",")][:_MOST]
    low, high = sorted((float(found[2]), float(found[3])))
    return [f"{found[1] or ''}{low + (high - low) * i / (_POINTS - 1):.4g}%" for i in range(_POINTS)]


def sweep(
    project: Project, scores: Scores, asked: Sequence[str], count: str | None, times: OperatorTimes | None = None
) -> Front:
    """A plan for each budget, all from one ranking. Raises CatError E401, E402, E403, E406."""
    search = project.settings.search
    planner = Planner(project.cost_model, scores, group=search.group, policy=search.policy, times=times)
    plans = [planner.plan(project.budget(text, count, times)) for text in asked]
    plans.sort(key=lambda plan: (plan.cost.exact, plan.cost.params))
    return Front(tuple(plans), tuple(planner.importance(plan) for plan in plans))


def front_json(front: Front) -> list[dict[str, Any]]:
    """One object a plan: its budget, costs, slack, and what it keeps."""
    return [
        {
            "budget": {limit.metric: limit.most for limit in plan.budget.limits},
            "asked": str(plan.budget),
            "macs": {"exact": plan.cost.exact, "paper": plan.cost.paper},
            "params": plan.cost.params,
            "weights": plan.cost.weights,
            **plan.metered,
            "claims": asdict(plan.claims),
            "slack": plan.slack,
            "importance": kept,
            "vanished": _vanished(plan.kept),
            "kept": dict(plan.kept),
        }
        for plan, kept in zip(front.plans, front.kept, strict=True)
    ]


def front_text(front: Front) -> str:
    """The front as a table."""
    rows = [f"{'budget':<24}{'MACs (exact)':>14}{'of teacher':>12}{'parameters':>12}{'importance':>12}{'vanished':>10}"]
    for plan, kept in zip(front.plans, front.kept, strict=True):
        rows.append(
            f"{plan.budget!s:<24}{amount(plan.cost.exact):>14}{_share(plan):>12.2%}{amount(plan.cost.params):>12}"
            f"{kept:>12.2%}{_vanished(plan.kept):>10}"
        )
    return "\n".join(rows)


def write_front(project: Project, front: Front, folder: Path, *, say: Say) -> tuple[Path, ...]:
    """Write front.json and front.svg; other files of the folder stay. Raises CatError E608."""
    points = [
        Point(_share(plan), kept, f"{plan.budget}: {amount(plan.cost.exact)} MACs, keeps {kept:.1%}")
        for plan, kept in zip(front.plans, front.kept, strict=True)
    ]
    size = project.teacher_graph.inputs[0].type
    teacher = f"{amount(project.cost_model.at().exact)} MACs (exact) at {size.height} x {size.width}"
    picture = render_front(
        points, title=f"{project.teacher_graph.name}: what is kept at each cost",
        subtitle=f"{len(points)} plans; teacher {teacher}",
        across="exact MACs, share of the teacher's", up="importance kept (sum of scores)",
    )  # fmt: skip
    texts = dict(zip(FILES, (json.dumps(front_json(front), indent=1) + "\n", picture), strict=True))
    with replacing(folder, own=lambda _: texts, say=say, shared=True) as made:
        for name, text in texts.items():
            write_text(made / name, text)
    return tuple(folder / name for name in texts)


def _share(plan: Plan) -> float:
    return plan.cost.exact / max(plan.teacher.exact, 1)


def _vanished(kept: Mapping[str, int]) -> int:
    return sum(count == 0 for count in kept.values())
