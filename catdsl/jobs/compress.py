"""`compress`: whatever is still missing of teacher, search, student and comparison, in one run folder."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from catdsl.files import write_text
from catdsl.jobs.comparison import compare
from catdsl.jobs.drawing import draw
from catdsl.jobs.planning import plan_json, save_student
from catdsl.jobs.run_folder import WEIGHTS, RunFolder, open_run
from catdsl.jobs.setting import JobOptions, choose_device, open_data
from catdsl.jobs.training import Teacher, distilled_student, given_teacher, trained_teacher
from catdsl.project import Project
from catdsl.search.budget import Budget
from catdsl.search.plan import Plan
from catdsl.search.scores import scales_of
from catdsl.train.engine import Outcome


@dataclass(frozen=True, slots=True)
class Compressed:
    """What `compress` ended with; `stopped` says which training was interrupted, if one was."""

    run: RunFolder
    plan: Plan | None
    result: Mapping[str, Any] | None
    stopped: str = ""


def compress(
    project: Project, folder: Path, options: JobOptions, *,
    budget: str | None, count: str | None, teacher: Path | None, say: Callable[[str], None],
) -> Compressed:  # fmt: skip
    """Train the teacher if the run has none, search, distil, compare. Raises CatError.

    The budget is read, and checked against the smallest student, before anything is trained.
    """
    asked = project.budget(budget, count)
    floor = project.cost_model.floor()
    if not asked.holds(floor):
        # The search itself explains what holds the floor up; equal scores do for that.
        project.plan(_equal_scores(project), asked)
    data, place = open_data(project, options.data)
    wanted = {
        "seed": options.seed, "steps": options.steps, "budget": str(asked),
        "data": data.fingerprint, "teacher": None if teacher is None else str(teacher),
    }  # fmt: skip
    run = open_run(folder, project, wanted, resume=options.resume)
    say(f"data     {place}: {len(data.train)} training and {len(data.validation)} validation pairs")
    trained, outcome = (
        (given_teacher(project, teacher), None) if teacher else trained_teacher(project, run, data, options)
    )
    if trained is None:
        return Compressed(run, None, None, stopped("teacher", outcome))
    say(f"teacher  {teacher or run.teacher / WEIGHTS}")
    plan = _search(project, trained, run, asked, say)
    student, outcome = distilled_student(project, plan.kept, plan.channels, trained, run, data, options)
    if student is None:
        return Compressed(run, plan, None, stopped("student", outcome))
    say(f"weights  {run.student / WEIGHTS}")
    result = compare(project, plan, trained.module, student, run, data, device=choose_device(options.device))
    draw(project.student_at(plan.kept), run.drawing, teacher=project.teacher_graph, subtitle=str(asked))
    return Compressed(run, plan, result)


def _search(project: Project, teacher: Teacher, run: RunFolder, asked: Budget, say: Callable[[str], None]) -> Plan:
    weights = {name: value.detach().cpu().numpy() for name, value in teacher.module.state_dict().items()}
    plan = project.plan(scales_of(weights, project.teacher_graph), asked)
    if not run.student_program.exists():
        save_student(project, plan, run.student_program, run.spec(project))
        write_text(run.plan, json.dumps(plan_json(plan), indent=1) + "\n")
    say(f"student  {run.student_program} (slack {plan.slack:.4%}, {plan.seconds * 1000:.0f} ms)")
    return plan


def _equal_scores(project: Project) -> dict[str, Any]:

    graph = project.teacher_graph
    return {n.name: np.ones(graph.channels(n.name)) for n in graph.nodes if n.op.is_norm}


def stopped(what: str, outcome: Outcome | None) -> str:
    assert outcome is not None
    return f"the {what}'s training was stopped at step {outcome.step} of {outcome.total_steps}"
