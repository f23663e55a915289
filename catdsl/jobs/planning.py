"""`plan`: scores from a file or a teacher, the search, and the student program."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from catdsl.acceptance import STRICT, Acceptance
from catdsl.analysis.cost import METRICS
from catdsl.diagnostics import CatError
from catdsl.files import write_text
from catdsl.ir.identity import owner_of
from catdsl.jobs.run_folder import RunFolder, existing_run, teacher_weights_path
from catdsl.jobs.spec_copy import copy_spec, is_copy
from catdsl.jobs.targets import check_target, files_of, refusal, write_marked
from catdsl.project import Project, load
from catdsl.reading import there
from catdsl.search.budget import METERED, label, shown
from catdsl.search.plan import Plan
from catdsl.search.scores import load_scores, scales_of
from catdsl.search.speed import Speed
from catdsl.semantics.student_text import write_student
from catdsl.view.describe import METRIC_NAMES, amount


def scores_for(
    project: Project, scores: Path | None, teacher: Path | None, *, seed: int = 0, acceptance: Acceptance = STRICT
) -> Mapping[str, np.ndarray]:
    """Scores from a file as they are, or what the spec's `search` asks for from a teacher.

    A run that was searched has its taylor scores; another teacher's need images. Raises CatError E403, E605.
    """
    if scores is None and teacher is None and project.settings.search.score == "random":
        return project.scores({}, seed=seed)
    if (scores is None) == (teacher is None):
        problem = "the search needs scores" if scores is None else "scores come from a file or from a teacher, not both"
        raise CatError.one("E403", problem, help="give --scores FILE (.npz, .safetensors) or --teacher RUN")
    if scores is not None:
        arrays = load_scores(scores, owner_of(project.teacher_graph), acceptance)
        return {**arrays, **scales_of(arrays, project.teacher_graph)}
    assert teacher is not None
    if project.settings.search.score == "taylor" and teacher.is_dir() and there(RunFolder(teacher).scores):
        return run_scores(project, existing_run(teacher, acceptance))
    if project.settings.search.score == "taylor":
        raise CatError.one(
            "E403", "taylor scores need the teacher's images",
            help="give --data with the folder that the teacher was trained on",
        )  # fmt: skip
    path, run = teacher_weights_path(teacher, project, acceptance)
    weights = load_scores(path, owner_of(project.teacher_graph, run), acceptance)
    _check_weights(project, weights, path)
    return project.scores(weights, seed=seed)


def run_scores(project: Project, run: RunFolder) -> Mapping[str, np.ndarray]:
    """What a run was searched by. Raises CatError E403, E605."""
    return load_scores(run.scores, owner_of(project.teacher_graph, run.id), run.acceptance)


def _check_weights(project: Project, weights: Mapping[str, np.ndarray], path: Path) -> None:
    """Raise CatError E605 where a file holds the weights of another network."""
    graph = project.teacher_graph
    for node in graph.nodes:
        outputs, inputs = graph.channels(node.name), graph.in_channels(node)
        for weight in node.op.weights(node.attrs):
            name = f"{node.name}.{weight.name}"
            shape = weight.shape(inputs=inputs, outputs=outputs)
            if node.attrs.get("spectral") or (name in weights and weights[name].shape == shape):
                continue
            found = f"has shape {list(weights[name].shape)}, not {list(shape)}" if name in weights else "is missing"
            whose = f"{graph.kind} `{graph.name}`"
            raise CatError.one(
                "E605", f"the weights in {path} are not those of {whose}: `{name}` {found}", node.span,
                help="use the spec and --set values that the teacher was trained with",
            )  # fmt: skip


def check_place(project: Project, path: Path, *, overwrite: bool, inputs: Iterable[Path | None] = ()) -> None:
    """Refuse a place that a plan may not be written to. `inputs` are read beside the spec. Raises CatError E608."""
    check_target(path, "plan", overwrite=overwrite, inputs=(*files_of(project), *inputs))


def save_plan(project: Project, plan: Plan, path: Path, *, overwrite: bool) -> None:
    """Write the student program that a user asked for, with the mark by which it may be replaced.

    Raises CatError E608.
    """
    check_place(project, path, overwrite=overwrite)
    text = student_text(project, plan, path, overwrite=overwrite)
    write_marked(path, text, "plan", overwrite=overwrite)


def save_student(project: Project, plan: Plan, path: Path, spec: Path | None = None) -> None:
    """Write the student program of a run's plan, whole or not at all."""
    write_text(path, student_text(project, plan, path, spec))


def student_text(project: Project, plan: Plan, path: Path, spec: Path | None = None, *, overwrite: bool = False) -> str:
    """The student program of a plan that will lie at `path`. Raises CatError E608."""
    original = spec or project.spec.files[0].path
    if original is None:
        raise CatError.one("E608", "a spec that is not a file has no student program", help="save the spec first")
    budget: dict[str, int | str] = {}
    for limit in plan.budget.limits:
        budget[limit.kind] = f"{limit.most / 1e6}ms" if limit.metric == "latency" else limit.most
        if limit.kind == "macs":
            budget["count"] = limit.metric
    if not original.resolve().is_relative_to(path.parent.resolve()):
        original = _copied(project, path, overwrite=overwrite)
    return write_student(
        spec=original, folder=path.parent, files=project.spec.files, parameters=project.spec.parameters,
        kept=plan.kept, budget=budget,
    )  # fmt: skip


def _copied(project: Project, path: Path, *, overwrite: bool) -> Path:
    """A copy of the spec beside a student program. Raises CatError E608 where something else lies there."""
    folder = path.with_name(f"{path.stem}.spec")
    main = folder / Path(project.spec.files[0].shown).name
    ours = overwrite or not there(folder) or is_copy(folder, project.spec.files) or _copy_of(path, main)
    if not ours:
        raise refusal(folder, "the copy of the spec would lie there")
    copy_spec(folder, project.spec.files)
    return main


def _copy_of(path: Path, main: Path) -> bool:
    """Whether a student program that is there has this copy of a spec, and may be replaced with it."""
    try:
        student = load(path).student
    except CatError:
        return False
    return student is not None and student.spec.path == main.resolve()


def plan_json(plan: Plan, speed: Speed | None = None) -> dict[str, Any]:
    """What `catdsl plan --format json` prints; `speed` is predicted, in nanoseconds."""
    return {
        "budget": {limit.metric: limit.most for limit in plan.budget.limits},
        "macs": {"exact": plan.cost.exact, "paper": plan.cost.paper},
        "params": plan.cost.params,
        "weights": plan.cost.weights,
        **plan.metered,
        "teacher": {
            "macs": {"exact": plan.teacher.exact, "paper": plan.teacher.paper},
            "params": plan.teacher.params, "weights": plan.teacher.weights,
        },
        "slack": plan.slack,
        "tightest": plan.tightest,
        "cheapest_step": plan.cheapest_step,
        "claims": asdict(plan.claims),
        **({"predicted": asdict(speed)} if speed else {}),
        "threshold": plan.threshold,
        "kept": dict(plan.kept),
        "cut": dict(plan.cut),
        "channels": {name: list(channels) for name, channels in plan.channels.items()},
        "seconds": plan.seconds,
    }  # fmt: skip


def plan_text(project: Project, plan: Plan, speed: Speed | None = None) -> str:
    """The same for a person: what it costs, and each width."""
    teacher, student = plan.teacher, plan.cost
    rows = [
        f"{METRIC_NAMES[metric]:<16}{amount(a):>12} -> {amount(b):>10}   {b / max(a, 1):>6.2%} of the teacher"
        for metric, a, b in ((metric, getattr(teacher, metric), getattr(student, metric)) for metric in METRICS)
    ]
    rows += [
        f"{metric:<16}{'':>12} -> {shown(metric, n):>10}" for metric, n in plan.metered.items() if metric != "latency"
    ]
    if speed is not None:
        teacher_ms, student_ms = (shown("latency", n) for n in (speed.teacher, speed.student))
        rows.append(f"{'predicted':<16}{teacher_ms:>12} -> {student_ms:>10}   {speed.share:>6.2%} on {speed.device}")
    gone = [n for n, c in plan.kept.items() if c == 0]
    step = "every width is at its high bound" if plan.cheapest_step is None else (
        f"the cheapest further step would add {shown(plan.tightest, plan.cheapest_step)} of {label(plan.tightest)}"
    )  # fmt: skip
    widths = [f"  {n:<32}{project.teacher_graph.width[n].count:>5} -> {c}" for n, c in plan.kept.items()]
    return "\n".join(
        (
            f"budget {plan.budget}; slack {plan.slack:.4%}; {step}",
            _certificate(plan),
            *rows,
            f"{len(gone)} of {len(plan.kept)} searched widths vanished; {plan.seconds * 1000:.1f} ms",
            *widths,
        )
    )


def _certificate(plan: Plan) -> str:
    """What holds of the plan, for the kinds of its limits."""
    if plan.claims.maximal:
        return "certified: within every limit; no single further step fits; a larger budget has no smaller cut"
    kinds = " and ".join(limit.metric for limit in plan.budget.limits if limit.metric in METERED)
    predicted = ", as predicted" if "latency" in plan.metered else ""
    return f"certified: within every limit{predicted}; with {kinds}, neither that no step fits nor that cuts nest"


def free_plan_path(project: Project) -> Path:
    """A student program's place where none is given: a new folder below `runs`."""
    stem = Path(os.path.basename(project.source.shown)).stem
    number = 1
    while True:
        folder = Path("runs") / (f"{stem}-plan" + (f"-{number}" if number > 1 else ""))
        if not folder.exists():
            return folder / "student.cat"
        number += 1
