"""`compress`: whatever is still missing of teacher, search, student and comparison, in one run folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from catdsl.acceptance import Acceptance
from catdsl.diagnostics import CatError
from catdsl.files import write_text
from catdsl.ir.identity import owner_of
from catdsl.jobs.beginning import begin
from catdsl.jobs.comparison import compare
from catdsl.jobs.drawing import draw
from catdsl.jobs.explain_plan import as_text, explained_plan
from catdsl.jobs.operator_times import save_times, speed_of, times_for
from catdsl.jobs.planning import plan_json, run_scores, save_student
from catdsl.jobs.run_folder import WEIGHTS, RunFolder
from catdsl.jobs.run_records import write_record
from catdsl.jobs.setting import JobOptions, Setting, check_distillation, check_teacher, settle
from catdsl.jobs.training import Teacher, distilled_student, given_teacher, keep_teacher, scores_of, trained_teacher
from catdsl.project import Project
from catdsl.reading import there
from catdsl.search.budget import Budget
from catdsl.search.latency import OperatorTimes
from catdsl.search.plan import Plan
from catdsl.search.scores import save_scores
from catdsl.train.collective import first, wait_for_all
from catdsl.train.engine import CHECKPOINT
from catdsl.train.run_settings import weights_digest


@dataclass(frozen=True, slots=True)
class Compressed:
    """What a compression left: its run, its plan, and how teacher and student compare."""

    run: RunFolder
    plan: Plan
    result: Mapping[str, Any]


def compress(
    project: Project, folder: Path, options: JobOptions, *,
    budget: str | None, count: str | None, teacher: Path | None, say: Callable[[str], None],
    times: Path | None = None,
) -> Compressed:  # fmt: skip
    """Train the teacher if the run has none, search, distil, compare. Raises CatError, Stopped.

    Budget, data, device, recipe and a given teacher are checked before the run folder is made. A run
    that is continued has the operator times that it began with, whatever `times` says.
    """
    begun = RunFolder(folder).times
    known_times = times_for(project, budget, begun if there(begun) else times)
    asked = project.budget(budget, count, known_times)
    # With equal scores, the search says before any training whether a student can meet the budget.
    project.plan(_equal_scores(project), asked, known_times)
    setting = settle(project, options, say)
    if teacher is None:
        check_teacher(project, setting)
    check_distillation(project, setting)
    acceptance = Acceptance(options.accept_changes, say)
    given = None if teacher is None else given_teacher(project, teacher, acceptance)
    known = {"budget": str(asked), "teacher": None if given is None else weights_digest(given.module)}
    if options.accept_changes:
        _check_widths(project, RunFolder(folder, acceptance), asked, known_times)
    with begin(folder, project, {**setting.identity, **known}, setting.options, say) as run:
        if first() and known_times is not None and not there(run.times):
            save_times(known_times, run.times)
        taught = given or trained_teacher(project, run, setting)
        say(f"teacher  {teacher or run.teacher / WEIGHTS}")
        plan = _search(project, taught, run, setting, asked, known_times, say)
        return finish(project, plan, taught, run, setting, say, subtitle=str(asked))


def finish(
    project: Project, plan: Plan, taught: Teacher, run: RunFolder, setting: Setting,
    say: Callable[[str], None], *, subtitle: str,
) -> Compressed:  # fmt: skip
    """Distil the student of a plan, compare it with its teacher, and draw it. Raises CatError, Stopped."""
    if first():
        keep_teacher(project, taught, run)
    student = distilled_student(project, plan.kept, plan.channels, taught, run, setting, say)
    say(f"weights  {run.student / WEIGHTS}")
    device = setting.options.device
    if not first():
        return Compressed(run, plan, {})
    result = compare(project, plan, taught.module, student, run, setting.data, device=device)
    draw(project.student_at(plan.kept), run.drawing, teacher=project.teacher_graph, subtitle=subtitle, overwrite=True)
    return Compressed(run, plan, result)


def _search(
    project: Project, teacher: Teacher, run: RunFolder, setting: Setting, asked: Budget,
    times: OperatorTimes | None, say: Callable[[str], None],
) -> Plan:  # fmt: skip
    # A run that is continued has the scores that it began with: they decide what its student is.
    # Where a student has not begun, changes that were accepted decide anew.
    anew = setting.options.accept_changes and not there(run.student / CHECKPOINT)
    known, saved = there(run.scores) and not anew, there(run.student_program) and not anew
    wait_for_all()
    scores = run_scores(project, run) if known else scores_of(project, teacher.module, setting)
    plan = project.plan(scores, asked, times)
    if first() and not saved:
        # The program last: where it stands, plan and scores do too.
        save_scores(scores, run.scores, owner_of(project.teacher_graph, run.id))
        write_record(run.plan, plan_json(plan), run=run.id)
        write_text(run.explanation, as_text(explained_plan(project, scores, plan)) + "\n")
        save_student(project, plan, run.student_program, run.spec(project))
    _, slow = speed_of(project, scores, plan, times)
    for warning in (*plan.warnings, *slow):
        for line in str(warning).split("\n"):
            say(line)
    say(f"student  {run.student_program} (slack {plan.slack:.4%}, {plan.seconds * 1000:.0f} ms)")
    return plan


def _check_widths(project: Project, run: RunFolder, asked: Budget, times: OperatorTimes | None) -> None:
    """Refuse to go on with a student of other widths than those that it began with. Raises CatError E604."""
    before = run.found_plan() if there(run.student / CHECKPOINT) and there(run.scores) else None
    if before is None:
        return
    plan = project.plan(run_scores(project, run), asked, times)
    if plan.kept != before.kept:
        raise CatError.one(
            "E604",
            f"the student in {run.path} has other widths than {asked} gives, and cannot go on with those",
            help=f"start a new run with -o, which takes this teacher with --teacher {run.path}",
        )


def _equal_scores(project: Project) -> dict[str, Any]:
    """A score of 1 for everything that the spec's kind of score is about."""
    graph = project.teacher_graph
    if project.settings.search.score not in ("norm_scale", "taylor"):
        return {w.name: np.ones(w.count) for w in graph.widths if w.searched}
    return {n.name: np.ones(graph.channels(n.name)) for n in graph.nodes if n.norm is not None}
