"""`graph --scores`: a page with a slider over the budget, which shows the student at each."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from catdsl.acceptance import STRICT, Acceptance
from catdsl.analysis.cost import METRICS
from catdsl.diagnostics import CatError, Diagnostic
from catdsl.diagnostics.shell import shell_line
from catdsl.jobs.planning import scores_for
from catdsl.jobs.run_folder import RunFolder
from catdsl.jobs.targets import write_marked
from catdsl.project import Project
from catdsl.reading import there
from catdsl.search.budget import METERED, Budget, Limit, amounts_written, brief, parse_budget
from catdsl.search.plan import Planner
from catdsl.search.scores import Scores
from catdsl.view.facts import costed_facts
from catdsl.view.graph_page.model import model_of
from catdsl.view.graph_page.page import Exploration, Start, render_graph_page

_HALF = Start("exact", "50%")


def scores_to_show(
    project: Project, scores: Path | None, teacher: Path | None, *, seed: int = 0, acceptance: Acceptance = STRICT
) -> Scores:
    """The scores that `plan` would rank by, as far as they can be had without training. Raises CatError E403, E605."""
    taylor = project.settings.search.score == "taylor" and scores is None and teacher is not None
    if taylor and teacher is not None and not there(RunFolder(teacher).scores):
        raise CatError.one(
            "E403", f"taylor scores are taken while a teacher trains, and {teacher} has none",
            help="give a run that was searched: `catdsl compress` leaves them in RUN/scores.safetensors, "
            "for --teacher RUN or --scores FILE",
        )  # fmt: skip
    return scores_for(project, scores, teacher, seed=seed, acceptance=acceptance)


def explore(
    project: Project, scores: Scores, path: Path, *, command: str, overwrite: bool = False
) -> tuple[Diagnostic, ...]:
    """Write the page of a spec's teacher, and give what the search warns of; the page says it, too.

    It begins at the budget of the student's plan or of the spec, or at half of the MACs. `command` is what
    plans the same students, without its budget. Raises CatError E402, E403, E607, E608.
    """
    if path.suffix != ".html":
        raise CatError.one(
            "E607", f"scores cannot be shown in `{path.suffix or path.name}`", help="name a file that ends in .html"
        )
    search = project.settings.search
    planner = Planner(project.cost_model, scores, group=search.group, policy=search.policy)
    graph = project.teacher_graph
    known = replace(costed_facts(graph, teacher=graph), scored=frozenset(planner.scored.by_width))
    warnings = planner.scored.warnings
    start, others = _start(project)
    remarks = (*(f"{w.message}; {w.help}." if w.help else f"{w.message}." for w in warnings), *others)
    exploration = Exploration(model_of(planner), start, command, remarks)
    page = render_graph_page(known, title=graph.name, subtitle=project.source.shown, exploration=exploration)
    write_marked(path, page, "graph", overwrite=overwrite)
    return warnings


def _start(project: Project) -> tuple[Start, tuple[str, ...]]:
    """The first limit on a sum of a student's plan, or of the spec's budget; and what has to be said of the others."""
    limits = _limits(project)
    summed = [limit for limit in limits if limit.metric in METRICS]
    if not summed:
        alone = project.student is not None
        first = Start("exact", brief(project.cost.exact)) if alone else _HALF
    else:
        limit = summed[0]
        first = Start(limit.metric, limit.text if limit.text.endswith("%") else brief(limit.most))
    if len(limits) < 2 and len(limits) == len(summed):
        return first, ()
    whose = "this student's plan" if project.student is not None else "the spec"
    return first, (f"The budget of {whose} is {Budget(limits)}: the page holds one of these limits at a time.",)


def _limits(project: Project) -> tuple[Limit, ...]:
    """The limits of a budget as written; what only a device or a walk can resolve is kept as it stands."""
    written, count = _written(project)
    teacher = project.cost_model.teacher
    limits: list[Limit] = []
    for kind, text in written.items():
        if kind in METERED:
            limits.append(Limit(kind, 0, text))
        else:
            limits += parse_budget(f"{kind}={text}", count, teacher).limits
    return tuple(limits)


def _written(project: Project) -> tuple[Mapping[str, str], str]:
    """A budget's amounts by kind, and the convention of its MACs."""
    if project.student is not None:
        amounts = dict(project.student.budget)
        return amounts, amounts.pop("count", "exact")
    settings = project.settings.budget
    return amounts_written(settings), settings.count


def plan_command(spec: Path, scores: Path | None, teacher: Path | None, set_: list[str] | None, seed: int) -> str:
    """How `plan` is asked for the same students."""
    words = ["catdsl", "plan", str(spec)]
    words += ["--scores", str(scores)] if scores is not None else []
    words += ["--teacher", str(teacher)] if teacher is not None else []
    words += ["--seed", str(seed)] if seed else []
    words += [word for item in set_ or () for word in ("--set", item)]
    return shell_line(words)
