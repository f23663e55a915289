"""`distill`: train a given student program with a given teacher, and compare the two."""

from collections.abc import Callable
from pathlib import Path

from catdsl.diagnostics import CatError
from catdsl.files import write_text
from catdsl.jobs.comparison import compare
from catdsl.jobs.compress import Compressed, stopped
from catdsl.jobs.drawing import draw
from catdsl.jobs.run_folder import open_run
from catdsl.jobs.setting import JobOptions, choose_device, open_data
from catdsl.jobs.training import distilled_student, given_teacher
from catdsl.project import Project
from catdsl.search.plan import Plan, plan_of_counts
from catdsl.search.scores import scales_of
from catdsl.semantics.student import write_student


def distill(
    project: Project, student: Project, teacher: Path, folder: Path, options: JobOptions,
    *, say: Callable[[str], None],
) -> Compressed:  # fmt: skip
    """Distil the student that a program describes. Raises CatError E405 where it is not of this spec."""
    counts = student.student_counts
    if counts is None:
        raise CatError.one(
            "E405",
            f"{student.source.shown} is a spec, not a student program",
            help="write one with `catdsl plan`",
        )
    if student.teacher_graph.counts != project.teacher_graph.counts:
        raise CatError.one(
            "E405", f"{student.source.shown} is a student of another network than {project.source.shown}",
            help="give the spec and the --set values that it was searched with",
        )  # fmt: skip
    data, place = open_data(project, options.data)
    wanted = {
        "seed": options.seed, "steps": options.steps, "data": data.fingerprint,
        "teacher": str(teacher), "widths": dict(counts),
    }  # fmt: skip
    run = open_run(folder, project, wanted, resume=options.resume)
    say(f"data     {place}: {len(data.train)} training and {len(data.validation)} validation pairs")
    taught = given_teacher(project, teacher)
    weights = {name: value.detach().cpu().numpy() for name, value in taught.module.state_dict().items()}
    plan = plan_of_counts(project.cost_model, scales_of(weights, project.teacher_graph), counts)
    _save(project, plan, run.student_program, run.spec(project))
    module, outcome = distilled_student(project, plan.kept, plan.channels, taught, run, data, options)
    if module is None:
        return Compressed(run, plan, None, stopped("student", outcome))
    result = compare(project, plan, taught.module, module, run, data, device=choose_device(options.device))
    draw(project.student_at(plan.kept), run.drawing, teacher=project.teacher_graph, subtitle=str(plan.budget))
    return Compressed(run, plan, result)


def _save(project: Project, plan: Plan, path: Path, spec: Path) -> None:
    text = write_student(
        spec=spec, folder=path.parent, files=project.spec.files, parameters=project.spec.parameters,
        kept=plan.kept, budget={},
    )  # fmt: skip
    write_text(path, text)
