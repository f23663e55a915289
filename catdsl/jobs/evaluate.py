"""`evaluate`: how good, how near and how fast a run's networks are, and the report that says so."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from catdsl.diagnostics import CatError
from catdsl.evaluate.label_table import LabelTable, read_table
from catdsl.evaluate.segmenters import Normalise, Segmenter, load_segmenter
from catdsl.evaluate.speed import measure_speed
from catdsl.evaluate.torchvision_operators import import_torchvision
from catdsl.jobs.answers import TEACHER, answer_all, networks_of, write_training_targets
from catdsl.jobs.judging import Protocol, choose_judges, distance_metrics, paired_metrics, segmentation_metrics
from catdsl.jobs.reporting import Measured, assemble, write_report
from catdsl.jobs.run_folder import RunFolder, existing_run
from catdsl.jobs.setting import choose_device, open_data
from catdsl.project import Project
from catdsl.train.data.opening import ImageData
from catdsl.view.report.content import Note, Report

_FEWEST, _FEW = 2, 200
"""Held-out images without which nothing can be measured, and below which a report says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateOptions:
    """Flags of `evaluate`. `protocol` is None for that of the data's kind; `cache` None for no cache."""

    data: Path | None
    protocol: Protocol | None = None
    inception: Path | None = None
    squeezenet: Path | None = None
    segmenter: str | None = None
    table: Path | None = None
    normalise: Normalise | None = None
    balance: bool = False
    batch: int = 16
    device: str = "auto"
    cache: Path | None = None
    command: Sequence[str] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """The report, and the files that it was written to."""

    report: Report
    files: tuple[Path, ...]


def evaluate(path: Path, options: EvaluateOptions, *, say: Callable[[str], None]) -> Evaluated:
    """Measure a run's networks on held-out images and write its report.

    All that was given is checked before images are made. Raises CatError E601 (no held-out images),
    E602, E603 (no run, or no trained network), E605 (weights), E607 (what does not fit together), E608.
    """
    run = existing_run(path)
    project = run.project()
    device = choose_device(options.device)
    networks = networks_of(run)
    _load_torchvision(say)
    judges = choose_judges(options.inception, options.squeezenet)
    data, place = open_data(project, options.data, as_shown=True)
    _check_held_out(data, place)
    protocol = options.protocol or ("unpaired" if data.kind == "unpaired" else "paired")
    segmenter, table = _segmenter(options, data, device)
    images = run.report / "images"
    say(f"images   {images} ({len(data.validation.names)} held out of {place})")
    answers = answer_all(networks, data, images, batch=options.batch, device=device)
    training = None
    if protocol == "unpaired" and judges.extractors:
        training = write_training_targets(data, images, batch=options.batch)
    metrics = [*paired_metrics(answers)]
    for reason in dict.fromkeys(judges.missing.values()):
        say(f"warning: FID and KID are not measured: {reason}")
    metrics += distance_metrics(
        answers, judges, protocol, training, batch=options.batch, device=device, cache=options.cache,
        balance=options.balance, size=data.validation.format.target_size,
    )  # fmt: skip
    segmentation = None
    if segmenter is not None:
        found, segmentation = segmentation_metrics(
            answers, data, segmenter, table, ignore=project.settings.data.ignore, batch=options.batch
        )
        metrics += found
    source = project.teacher_graph.inputs[0]
    speeds = measure_speed(
        {name: network.module for name, network in networks.items()},
        channels=project.teacher_graph.channels(source.name), size=(source.type.height, source.type.width),
        runs=project.settings.evaluate.timing_runs, device=device,
    )  # fmt: skip
    measured = Measured(
        data=data, place=place, protocol=protocol, answers=answers, metrics=tuple(metrics), segmentation=segmentation,
        speeds=speeds, device=device, notes=tuple(_notes(run, project, data, has_teacher=TEACHER in networks)),
        command=options.command,
    )  # fmt: skip
    report = assemble(run, networks, measured)
    return Evaluated(report, write_report(run, report))


def _load_torchvision(say: Callable[[str], None]) -> None:
    """Tell in a line of our own what had to be done for it, and once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        import_torchvision()
    for warning in caught:
        say(f"warning: {warning.message}")


def _check_held_out(data: ImageData, place: Path) -> None:
    if min(data.validation.counts) < _FEWEST:
        raise CatError.one(
            "E601", f"{min(data.validation.counts)} images of {place} are held out, and {_FEWEST} are needed at least",
            help="set `holdout` in data { } to more, or add a folder `val`; hundreds make figures that mean much",
        )  # fmt: skip


def _segmenter(options: EvaluateOptions, data: ImageData, device: str) -> tuple[Segmenter | None, LabelTable | None]:
    if options.segmenter is None:
        if options.table is not None or options.normalise is not None:
            raise CatError.one("E607", "a label table and --normalise are for a segmenter", help="add --segmenter FILE")
        return None, None
    if data.source.labels is None:
        raise CatError.one(
            "E607", f"mIoU needs label maps as inputs, and kind = {data.kind} has images",
            help="leave out --segmenter, or evaluate a run of kind = labels",
        )  # fmt: skip
    table = None if options.table is None else read_table(options.table)
    return load_segmenter(options.segmenter, normalise=options.normalise, device=device), table


def _notes(run: RunFolder, project: Project, data: ImageData, *, has_teacher: bool) -> Iterator[Note]:
    """What a reader must know to take the figures for what they are."""
    trained = run.held()["asked"].get("data")
    held_out = min(data.validation.counts)
    if trained not in (None, data.fingerprint):
        yield Note(kind="warning", text="The images are not those that the run was trained on, by names and sizes.")
    if held_out < _FEW:
        yield Note(
            kind="note",
            text=f"With {held_out} held-out images, distances between sets of images are larger than they "
            "would be with thousands; compare them only with those of as many images.",
        )
    if not has_teacher:
        yield Note(kind="note", text="The run holds no teacher, so its student stands alone.")
    if project.settings.data.kind == "unpaired":
        yield Note(kind="note", text="The images have no pairs, so there is no target that an image should equal.")
