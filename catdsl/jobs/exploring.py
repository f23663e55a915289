"""`graph --scores`: a page with a slider over the budget, which shows the student at each."""

import shlex
from dataclasses import replace
from pathlib import Path

from catdsl.analysis.cost import METRICS
from catdsl.diagnostics import CatError
from catdsl.files import write_text
from catdsl.project import Project
from catdsl.search.budget import parse_budget
from catdsl.search.plan import Planner
from catdsl.search.scores import Scores
from catdsl.view.facts import costed_facts
from catdsl.view.graph_page.model import model_of
from catdsl.view.graph_page.page import Exploration, render_graph_page

_HALF = "50%"


def explore(project: Project, scores: Scores, path: Path, *, command: str) -> None:
    """Write the page of a spec's teacher; it begins at the spec's budget, a student's cost, or half of the MACs.

    `command` is what plans the same students, without its budget. Raises CatError E403, E607, E608.
    """
    if path.suffix != ".html":
        raise CatError.one(
            "E607", f"scores cannot be shown in `{path.suffix or path.name}`", help="name a file that ends in .html"
        )
    search = project.settings.search
    planner = Planner(project.cost_model, scores, group=search.group, policy=search.policy)
    graph = project.teacher_graph
    known = replace(costed_facts(graph, teacher=graph), scored=frozenset(planner.scored.by_width))
    metric, text = _start(project)
    exploration = Exploration(model_of(planner), METRICS.index(metric), text, command)
    page = render_graph_page(known, title=graph.name, subtitle=project.source.shown, exploration=exploration)
    write_text(path, page)


def _start(project: Project) -> tuple[str, str]:
    """What a student costs; of a spec, the first limit of its budget that is on a sum, and its amount."""
    if project.student is not None:
        return "exact", str(project.cost.exact)
    budget = project.settings.budget
    for kind in ("macs", "params", "weights"):
        amount = getattr(budget, kind)
        if amount is not None:
            (limit,) = parse_budget(f"{kind}={amount}", budget.count, project.cost_model.teacher).limits
            return limit.metric, limit.text if limit.text.endswith("%") else _short(limit.most)
    return "exact", _HALF


def _short(amount: int) -> str:
    """An amount in few characters, exactly: 2600000000 is 2.6G."""
    number = str(amount)
    for unit, digits in (("G", 9), ("M", 6), ("K", 3)):
        fraction = number[-digits:].rstrip("0")
        if len(number) > digits and len(fraction) <= 2:
            return f"{number[:-digits]}{'.' * bool(fraction)}{fraction}{unit}"
    return number


def plan_command(spec: Path, scores: Path | None, teacher: Path | None, set_: list[str] | None, seed: int) -> str:
    """How `plan` is asked for the same students."""
    words = ["catdsl", "plan", str(spec)]
    words += ["--scores", str(scores)] if scores is not None else []
    words += ["--teacher", str(teacher)] if teacher is not None else []
    words += ["--seed", str(seed)] if seed else []
    words += [word for item in set_ or () for word in ("--set", item)]
    return shlex.join(words)
