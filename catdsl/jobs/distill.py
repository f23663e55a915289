"""`distill`: train a given student program with a given teacher, and compare the two."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from catdsl.acceptance import Acceptance
from catdsl.diagnostics import CatError
from catdsl.files import write_text
from catdsl.ir.graph import Graph
from catdsl.jobs.beginning import begin
from catdsl.jobs.compress import Compressed, finish
from catdsl.jobs.setting import JobOptions, check_distillation, settle
from catdsl.jobs.training import given_teacher, scores_of
from catdsl.project import Project
from catdsl.search.plan import Plan, plan_of_counts
from catdsl.semantics.student_text import write_student
from catdsl.train.collective import first
from catdsl.train.run_settings import weights_digest


def distill(
    project: Project, student: Project, teacher: Path, folder: Path, options: JobOptions,
    *, say: Callable[[str], None],
) -> Compressed:  # fmt: skip
    """Distil the student that a program describes. Raises CatError E405 where it is not of this spec; Stopped."""
    counts = student.student_counts
    if counts is None:
        raise CatError.one(
            "E405",
            f"{student.source.shown} is a spec, not a student program",
            help="write one with `catdsl plan`",
        )
    if _shape(student.teacher_graph) != _shape(project.teacher_graph):
        raise CatError.one(
            "E405", f"{student.source.shown} is a student of another network than {project.source.shown}",
            help="give the spec and the --set values that it was searched with",
        )  # fmt: skip
    setting = settle(project, options, say)
    check_distillation(project, setting)
    taught = given_teacher(project, teacher, Acceptance(options.accept_changes, say))
    known = {"teacher": weights_digest(taught.module), "widths": dict(counts)}
    with begin(folder, project, {**setting.identity, **known}, setting.options, say) as run:
        scores = scores_of(project, taught.module, setting)
        plan = plan_of_counts(project.cost_model, scores, counts, group=project.settings.search.group)
        if first():
            _save(project, plan, run.student_program, run.spec(project))
        return finish(project, plan, taught, run, setting, say, subtitle=str(plan.budget))


def _shape(graph: Graph) -> Graph:
    """A graph without its places in texts, which differ between a spec and a copy of it."""
    nodes = tuple(replace(node, span=None) for node in graph.nodes)
    return replace(graph, nodes=nodes, widths=tuple(replace(width, span=None) for width in graph.widths))


def _save(project: Project, plan: Plan, path: Path, spec: Path) -> None:
    text = write_student(
        spec=spec, folder=path.parent, files=project.spec.files, parameters=project.spec.parameters,
        kept=plan.kept, budget={},
    )  # fmt: skip
    write_text(path, text)
