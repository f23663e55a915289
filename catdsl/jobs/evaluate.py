"""`evaluate`: how good, how near and how fast a run's networks are, and the report that says so."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from catdsl.acceptance import Acceptance
from catdsl.diagnostics import CatError
from catdsl.evaluate.label_table import read_table
from catdsl.evaluate.segmenters import Normalise, load_segmenter
from catdsl.evaluate.speed import measure_speed
from catdsl.evaluate.torchvision_operators import import_torchvision
from catdsl.files import cache_folder
from catdsl.jobs.answers import Network, answer_all, networks_of, write_training_targets
from catdsl.jobs.judging import Segmenting, choose_judges, distance_metrics, paired_metrics, segmentation_metrics
from catdsl.jobs.replacing import replacing
from catdsl.jobs.reporting import Measured, assemble, own_files, write_report
from catdsl.jobs.run_folder import RunFolder, existing_run
from catdsl.jobs.run_lock import writing
from catdsl.jobs.setting import choose_device, open_data, told_of_unused
from catdsl.project import Project
from catdsl.semantics.settings import DataSettings
from catdsl.train.data.batches import plain_batches
from catdsl.train.data.opening import ImageData
from catdsl.view.report.content import STUDENT, TEACHER, Note, Protocol, Report

IMAGES = "images"
_FEWEST, _FEW = 2, 200
"""Held-out images without which nothing can be measured, and below which a report says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateOptions:
    """Flags of `evaluate`. `protocol` is None for that of the data's kind; `cache` keeps features of images."""

    data: Path | None
    protocol: Protocol | None = None
    inception: Path | None = None
    squeezenet: Path | None = None
    segmenter: str | None = None
    trust_segmenter: bool = False
    """Whether a segmenter may be a program of torch, which runs code of its maker when it is loaded."""
    table: Path | None = None
    normalise: Normalise | None = None
    balance: bool = False
    batch: int = 16
    device: str = "auto"
    cache: bool = True
    accept_changes: bool = False
    command: Sequence[str] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """The report, and the files that it was written to."""

    report: Report
    files: tuple[Path, ...]


def evaluate(path: Path, options: EvaluateOptions, *, say: Callable[[str], None]) -> Evaluated:
    """Measure a run's networks on held-out images and write its report.

    All that was given is tried before images are made. The new report is made beside one that lay there
    before, and takes its place when it is whole; of that one only what `evaluate` has made is removed.
    Raises CatError E601 (no held-out images), E602, E603 (no run, no trained network, or another process
    writes into it), E605 (weights), E607 (what does not fit together), E608.
    """
    run = existing_run(path, Acceptance(options.accept_changes, say))
    with writing(run.path, options.command):
        return _evaluate(run, options, say)


def _evaluate(run: RunFolder, options: EvaluateOptions, say: Callable[[str], None]) -> Evaluated:
    project = run.project()
    device = choose_device(options.device)
    networks = networks_of(run)
    _load_torchvision(say)
    judges = choose_judges(options.inception, options.squeezenet)
    data, place = open_data(project, options.data, as_shown=True)
    for line in told_of_unused(data, place):
        say(line)
    _check_held_out(data, place)
    notes = tuple(_notes(run, project, data, networks))
    _check_known(run, options, data)
    for note in notes:
        if note.kind == "warning":
            say(f"warning: {note.text}")
    protocol = options.protocol or ("unpaired" if data.kind == "unpaired" else "paired")
    segmentation = _segmentation(options, data, project.settings.data, device)
    cache = _cache(say) if options.cache else None
    with replacing(run.report, own=own_files, say=say) as folder:
        say(f"images   {run.report / IMAGES} ({len(data.validation.names)} held out of {place})")
        answers = answer_all(networks, data, folder / IMAGES, batch=options.batch, device=device)
        training = None
        if protocol == "unpaired" and judges.extractors:
            training = write_training_targets(data, folder / IMAGES, batch=options.batch)
        if judges.missing:
            say(f"warning: {', '.join(judges.missing)} are not measured: {next(iter(judges.missing.values()))}")
        metrics = [
            *paired_metrics(answers),
            *distance_metrics(
                answers, judges, protocol, training, batch=options.batch, device=device, cache=cache,
                balance=options.balance, size=data.validation.format.target_size, say=say,
            ),
        ]  # fmt: skip
        classes = None
        if segmentation is not None:
            say(f"segments {segmentation.segmenter.name}")
            found, classes = segmentation_metrics(answers, data, segmentation, batch=options.batch)
            metrics += found
        source = project.teacher_graph.inputs[0]
        speeds = measure_speed(
            {name: network.module for name, network in networks.items()},
            channels=project.teacher_graph.channels(source.name), size=(source.type.height, source.type.width),
            runs=project.settings.evaluate.timing_runs, device=device,
        )  # fmt: skip
        measured = Measured(
            data=data, place=place, protocol=protocol, answers=answers, metrics=tuple(metrics), segmentation=classes,
            speeds=speeds, device=device, notes=notes, command=options.command,
        )  # fmt: skip
        report = assemble(run, networks, measured)
        names = write_report(folder, report)
    return Evaluated(report, tuple(run.report / name for name in names))


def _check_known(run: RunFolder, options: EvaluateOptions, data: ImageData) -> None:
    """Where no folder was given, the embedded scenes are meant only for who trained on them. Raises CatError E601."""
    if options.data is None and run.held().asked.data not in (None, data.fingerprint):
        raise CatError.one(
            "E601", f"the run {run.path} was not trained on the embedded scenes",
            help="give --data with the folder that it was trained on",
        )  # fmt: skip


def _cache(say: Callable[[str], None]) -> Path | None:
    """The folder for features of images, where the user's cache can be written."""
    try:
        folder = cache_folder("features")
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, CatError) as error:
        say(f"warning: features of images are not kept: {error}")
        return None
    return folder


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


def _segmentation(options: EvaluateOptions, data: ImageData, settings: DataSettings, device: str) -> Segmenting | None:
    """The segmenter with its table, tried on a real image. Raises CatError E602, E605, E607."""
    if options.segmenter is None:
        if options.table is not None or options.normalise is not None:
            raise CatError.one(
                "E607", "--label-table and --normalise are for a segmenter", help="add --segmenter FILE"
            )  # fmt: skip
        return None
    if data.source.labels is None:
        raise CatError.one(
            "E607", f"mIoU needs label maps as inputs, and kind = {data.kind} has images",
            help="leave out --segmenter, or evaluate a run of kind = labels",
        )  # fmt: skip
    table = None if options.table is None else read_table(options.table)
    segmenter = load_segmenter(
        options.segmenter, normalise=options.normalise, device=device, trust=options.trust_segmenter
    )
    classes = data.source.labels.classes
    found = Segmenting(segmenter=segmenter, table=table, classes=classes, ignore=settings.ignored_class(classes))
    pair = next(plain_batches(data.validation, batch=1))
    found.measure([(pair.target_BCHW, found.labels(pair.input_BCHW))], draws=1)
    return found


def _notes(run: RunFolder, project: Project, data: ImageData, networks: Mapping[str, Network]) -> Iterator[Note]:
    """What a reader must know to take the figures for what they are."""
    trained = run.held().asked.data
    held_out = min(data.validation.counts)
    if trained not in (None, data.fingerprint):
        yield Note(kind="warning", text="The images are not those that the run was trained on, by names and sizes.")
    if STUDENT not in networks and run.student_program.exists():
        yield Note(kind="warning", text="The run's student is not trained to the end, and is not measured.")
    if held_out < _FEW:
        yield Note(
            kind="note",
            text=f"With {held_out} held-out images, distances between sets of images are larger than they "
            "would be with thousands; compare them only with those of as many images.",
        )
    if TEACHER not in networks:
        yield Note(kind="note", text="The run holds no teacher, so its student stands alone.")
    if project.settings.data.kind == "unpaired":
        yield Note(kind="note", text="The images have no pairs, so there is no target that an image should equal.")
