"""The report of a run: what its folder holds and what was measured, put together and written beside it."""

import json
import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from pydantic import TypeAdapter

from catdsl import __version__
from catdsl.analysis.cost import Cost
from catdsl.analysis.memory import peak_memory
from catdsl.backend.timing import device_name
from catdsl.diagnostics import CatError
from catdsl.diagnostics.shell import shell_line
from catdsl.evaluate.speed import Speed
from catdsl.files import write_text
from catdsl.ir.graph import Graph
from catdsl.jobs.answers import Answers, Network
from catdsl.jobs.reproducing import making_command
from catdsl.jobs.run_folder import RunFolder
from catdsl.jobs.run_records import RunRecord
from catdsl.project import Project
from catdsl.reading import Door, read_json, there
from catdsl.search.budget import label, shown
from catdsl.train.data.opening import ImageData
from catdsl.train.engine import METRICS
from catdsl.train.losses.alignment import KERNEL_ALIGNMENTS
from catdsl.train.metrics import read_metrics
from catdsl.train.run_settings import weights_digest
from catdsl.view.report.charts import training_charts
from catdsl.view.report.content import (
    INPUT,
    STUDENT,
    TARGET,
    TEACHER,
    Asked,
    Bound,
    Chart,
    Costs,
    Data,
    Example,
    Fact,
    Metric,
    Note,
    Protocol,
    Report,
    Segmentation,
    Timed,
    Timing,
    WidthChange,
)
from catdsl.view.report.files import report_files

MANIFEST = "files.json"
"""Lists the files of a report, which the next one replaces; what else lies there is the user's."""
_MADE_BY = "catdsl evaluate"
_NAMES = re.compile(r"report\.(html|md|json)|(?:teacher|student)-[A-Za-z0-9_-]+\.svg|images/[^/]+/\d{5,}\.png")
_LIST = Door("list of a report's files", "E603", "json", "evaluate the run again")

SHOWN = 12
"""Examples that a report shows, spread over the held-out images."""


@dataclass(frozen=True, slots=True)
class _Manifest:
    made_by: str
    files: tuple[str, ...]


_MANIFEST = TypeAdapter(_Manifest)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Measured:
    """Everything that an evaluation has found out."""

    data: ImageData
    place: Path
    protocol: Protocol
    answers: Answers
    metrics: tuple[Metric, ...]
    segmentation: Segmentation | None
    speeds: Mapping[str, Speed]
    device: str
    notes: tuple[Note, ...]
    command: Sequence[str]
    """The evaluation's own, as words."""


def assemble(run: RunFolder, networks: Mapping[str, Network], measured: Measured) -> Report:
    """The report. Raises CatError E603, E604 where files of the run are damaged."""
    record, project = run.held(), run.project()
    teacher = project.teacher_graph
    source, student = teacher.inputs[0], networks.get(STUDENT)
    size = (source.type.height, source.type.width)
    digest = weights_digest(networks[TEACHER].module) if TEACHER in networks else ""
    asked = record.asked
    return Report(
        title=_title(project, asked.budget), run=str(run.path), run_id=run.id, spec=Path(record.file).name,
        system=project.settings.train.system,
        data=_data(measured),
        date=datetime.now(UTC).isoformat(timespec="seconds"), seed=asked.seed, size=size,
        teacher=_costs(project.cost_model.teacher, teacher),
        student=None if student is None else _costs(student.project.cost, student.project.graph),
        teacher_digest=digest,
        asked=_asked(run, measured.protocol),
        metrics=measured.metrics, timings=_timings(measured), segmentation=measured.segmentation,
        examples=tuple(_examples(measured.answers)), charts=tuple(_charts(run, project)),
        widths=() if student is None else tuple(_widths(student.project)),
        environment=tuple(_environment(record, measured, digest)),
        commands=tuple(_commands(record, run, measured)),
        notes=measured.notes,
    )  # fmt: skip


def write_report(folder: Path, report: Report) -> tuple[str, ...]:
    """Write report.html, report.md with its plots, and report.json beside the images; and what files these are.

    Gives the names of those to look at. Raises CatError E608.
    """
    files = {file for example in report.examples for _, file in example.pictures()}
    texts = report_files(report, {file: (folder / file).read_bytes() for file in files})
    # The JSON, by which others know that there is a report, comes last.
    order = sorted(texts, key=lambda name: name.endswith(".json"))
    for name in order:
        write_text(folder / name, texts[name])
    made = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("[!.]*") if path.is_file())
    write_text(folder / MANIFEST, json.dumps({"made_by": _MADE_BY, "files": made}, indent=1) + "\n")
    return tuple(name for name in order if not name.endswith(".svg"))


def own_files(folder: Path) -> frozenset[str]:
    """The files of a report's folder that `evaluate` has made, as paths below it.

    Those that the report lists; of one without a list, what bears the names that reports have.
    """
    try:
        listed = read_json(folder / MANIFEST, _LIST, _MANIFEST)
    except CatError:
        names = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
        return frozenset((MANIFEST, *filter(_NAMES.fullmatch, names)))
    return frozenset((MANIFEST, *listed.files))


def _title(project: Project, budget: str | None) -> str:
    name = Path(project.source.shown).stem
    return f"{name} at {budget}" if budget else name


def _data(measured: Measured) -> Data:
    train, held_out = measured.data.train, measured.data.validation
    return Data(folder=str(measured.place), trained_on=len(train), held_out=len(held_out))


def _costs(cost: Cost, graph: Graph) -> Costs:
    memory = peak_memory(graph).bytes
    return Costs(exact=cost.exact, paper=cost.paper, params=cost.params, weights=cost.weights, memory=memory)


def _asked(run: RunFolder, protocol: Protocol) -> Asked:
    plan = run.found_plan()
    if plan is None:
        return Asked(protocol=protocol)
    said = (run.held().asked.budget or "").split(", ")
    texts = {
        metric: text.removeprefix(label(metric)).strip()
        for metric in plan.budget
        for text in said
        if text.startswith(label(metric))
    }
    bounds = tuple(
        Bound(metric=metric, text=texts.get(metric, shown(metric, most)), most=most, reached=plan.reached(metric))
        for metric, most in plan.budget.items()
    )
    return Asked(bounds=bounds, slack=plan.slack, protocol=protocol)


def _timings(measured: Measured) -> tuple[Timing, ...]:
    if not measured.speeds:
        return ()
    first = next(iter(measured.speeds.values()))
    return (
        Timing(
            device=device_name(first.device), threads=first.threads, precision=first.precision, batch=first.batch,
            size=first.size, runs=first.runs,
            networks=tuple(
                Timed(network=name, median=s.median_ms, quartiles=(s.low_ms, s.high_ms),
                      per_second=s.images_per_second, memory=s.peak_bytes)
                for name, s in measured.speeds.items()
            ),
        ),
    )  # fmt: skip


def _examples(answers: Answers) -> Iterator[Example]:
    count = len(answers.names)
    for index in np.unique(np.linspace(0, count - 1, min(SHOWN, count)).round().astype(int)).tolist():
        files = {
            role: answers.file(role, index).relative_to(answers.folder.parent).as_posix()
            for role in (INPUT, TEACHER, STUDENT, TARGET)
            if (role in answers.given or role == INPUT or (role == TARGET and answers.values))
        }
        yield Example(name=answers.names[index], **files)


def _charts(run: RunFolder, project: Project) -> Iterator[Chart]:
    taps = "1 - KA" if project.settings.distill.similarity in KERNEL_ALIGNMENTS else "squared error"
    for name, folder in ((TEACHER, run.teacher), (STUDENT, run.student)):
        if there(folder / METRICS):
            yield from training_charts(name, read_metrics(folder / METRICS), taps=taps)


def _widths(student: Project) -> Iterator[WidthChange]:
    counts = student.student_counts or {}
    for width in student.teacher_graph.widths:
        if width.searched and width.name in counts:
            yield WidthChange(
                name=width.name, block=_block(width.name), teacher=width.count, student=counts[width.name]
            )  # fmt: skip


def _block(name: str) -> str:
    """The statement that makes a width, with its number where it is a step of a repeat."""
    first, *rest = name.split(".")
    return f"{first}.{rest[0]}" if rest and rest[0].isdigit() else first


_MEASURED_BY = ("torch", "torchvision", "torch-fidelity", "torchmetrics", "numpy", "pillow")
"""Packages that figures depend on."""


def _environment(record: RunRecord, measured: Measured, digest: str) -> Iterator[Fact]:
    facts = {
        "catdsl": __version__,
        "trained with catdsl": record.catdsl,
        "Python": platform.python_version(),
        **{name: version(name) for name in _MEASURED_BY},
        "platform": platform.platform(),
        "device": device_name(measured.device),
        "threads": torch.get_num_threads(),
        "seed": record.asked.seed,
        "steps": record.asked.steps or "as the spec says",
        "training images": record.asked.data,
        "teacher weights": digest or "not in this run",
    }
    yield from (Fact(name=name, value=str(value)) for name, value in facts.items())


def _commands(record: RunRecord, run: RunFolder, measured: Measured) -> Iterator[str]:
    """What makes the run again, at a place of another name beside this one, and what judged it."""
    again = f"{run.path}-again"
    made = making_command(record.model_dump(exclude_unset=True), run.path / record.spec_file, again)
    if made:
        yield shell_line(made)
    if measured.command:
        yield shell_line(again if word == str(run.path) else word for word in measured.command)
