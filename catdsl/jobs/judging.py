"""What the answers of a run are worth, as the metrics of its report: each with its protocol and intervals."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from catdsl.diagnostics import CatError
from catdsl.evaluate import fidelity
from catdsl.evaluate.bootstrap import FEWEST, LEVEL, Estimate, mean_estimate, too_few
from catdsl.evaluate.extractors import INCEPTION, Extractor, with_inception, with_squeezenet
from catdsl.evaluate.features import extract_features
from catdsl.evaluate.fidelity import DRAWS, SCORE, Fidelity, measure_fidelity
from catdsl.evaluate.image_lists import list_images
from catdsl.evaluate.label_table import LabelTable
from catdsl.evaluate.quality import PairedValues
from catdsl.evaluate.segmentation import Segmentation, measure_segmentation, shown_labels
from catdsl.evaluate.segmenters import Segmenter
from catdsl.jobs.answers import Answers
from catdsl.train.data.batches import plain_batches
from catdsl.train.data.images import read_image
from catdsl.train.data.opening import ImageData
from catdsl.train.data.pixels import Unreadable
from catdsl.view.report import content
from catdsl.view.report.content import (
    REAL,
    STUDENT,
    TARGET,
    TEACHER,
    ClassScore,
    Difference,
    Figure,
    Metric,
    Protocol,
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Judges:
    """The feature networks that images are compared in, and why others are not there."""

    extractors: tuple[Extractor, ...]
    missing: Mapping[str, str]
    """For a metric that cannot be taken, the reason and what to do."""


def choose_judges(inception: Path | None, squeezenet: Path | None) -> Judges:
    """Networks of the given weights; Inception's are looked for where none are given.

    Raises CatError E605 where a file that was given cannot be used. That Inception is not to be had
    otherwise is no error: all other metrics are still taken.
    """
    extractors = [] if squeezenet is None else [with_squeezenet(squeezenet)]
    try:
        return Judges(extractors=(with_inception(inception), *extractors), missing={})
    except CatError as error:
        if inception is not None:
            raise
        (diagnostic,) = error.diagnostics
        reason = "; ".join(filter(None, (diagnostic.message, *diagnostic.notes, diagnostic.help)))
        names = (INCEPTION.frechet, INCEPTION.kernel, INCEPTION.precision, INCEPTION.recall, SCORE)
        # In full once: it is a long one.
        missing = {name: reason if name == names[0] else f"as {names[0]}" for name in names}
        return Judges(extractors=tuple(extractors), missing=missing)


@dataclass(frozen=True, slots=True)
class _Measure:
    """What is measured of each image by itself."""

    name: str
    unit: str
    better: Literal["smaller", "larger"]
    what: str
    values: Callable[[PairedValues], np.ndarray | None]


_MEASURES = (
    _Measure("L1", "", "smaller", "the mean absolute error", lambda v: v.l1_N),
    _Measure("PSNR", "dB", "larger", "10 log10(1 / MSE) of each image, and the mean of these", lambda v: v.psnr_N),
    _Measure("SSIM", "", "larger", "structural similarity in a Gaussian window of 11 x 11", lambda v: v.ssim_N),
)


def paired_metrics(answers: Answers) -> Iterator[Metric]:
    """L1, PSNR and SSIM against the targets; without targets, the student's L1 to the teacher's images."""
    if not answers.values:
        yield from _likeness(answers)
        return
    without = next(values.without_ssim for values in answers.values.values())
    for measure in _MEASURES:
        found = {name: measure.values(values) for name, values in answers.values.items()}
        known = {name: values for name, values in found.items() if values is not None}
        yield Metric(
            name=measure.name, unit=measure.unit, better=measure.better, images=len(answers.names),
            protocol=f"Each made image against its held-out target, values scaled to 0 to 1: {measure.what}.",
            figures=_estimates({name: mean_estimate(values) for name, values in known.items()}),
            differences=tuple(_differences(known)), reason=_few(len(answers.names)) if known else without,
        )  # fmt: skip


def _differences(values: Mapping[str, np.ndarray]) -> Iterator[Difference]:
    """Of each network to all other answers, image by image."""
    for answer, other in product(values, values):
        if answer in (TEACHER, STUDENT) and answer != other:
            found = mean_estimate(values[answer] - values[other])
            if found.interval is not None:
                yield Difference(answer=answer, other=other, value=found.value, interval=found.interval)


def _likeness(answers: Answers) -> Iterator[Metric]:
    if not answers.to_teacher:
        return
    yield Metric(
        name="L1 to the teacher's images", better="smaller", images=len(answers.names),
        protocol="Each image against the teacher's of the same held-out input, values scaled to 0 to 1: the mean "
        "absolute error. Nothing here says how good the teacher is.",
        figures=_estimates({name: mean_estimate(values.l1_N) for name, values in answers.to_teacher.items()}),
        reason=_few(len(answers.names)),
    )  # fmt: skip


def _estimates(found: Mapping[str, Estimate]) -> tuple[Figure, ...]:
    return tuple(
        Figure(answer=answer, value=estimate.value, interval=estimate.interval) for answer, estimate in found.items()
    )


def _few(images: int) -> str:
    """Why figures of so many images have no intervals, to be read after a metric; nothing where they have."""
    return "" if images >= FEWEST else f"{too_few(images).capitalize()}."


_MANY, _FEWER_DRAWS = 1000, 40
"""Above so many images a draw takes seconds, and varies less."""


def distance_metrics(
    answers: Answers, judges: Judges, protocol: Protocol, training: Path | None, *,
    batch: int, device: str, cache: Path | None, balance: bool, size: tuple[int, int], say: Callable[[str], None],
) -> Iterator[Metric]:  # fmt: skip
    """Distances between all made and all real images; `training` holds the real ones beside the held-out.

    Raises CatError E601 where there are fewer than two images, E608 for a cache that cannot be written.
    """
    real = (answers.of(TARGET), *(() if training is None else (training,)))
    for extractor in judges.extractors:
        say(f"features {extractor.network.name}")
        sets = [list_images(*real), *(list_images(answers.of(name)) for name in answers.given)]
        true, *made = extract_features(sets, extractor, device=device, batch=batch, cache=cache)
        # Halves of scenes, where both sides show the same ones: what another collection would have others of.
        scenes = protocol == "paired" and bool(answers.values)
        say(f"distances {', '.join(answers.given)}: {len(made[0])} made and {len(true)} real images")
        draws = DRAWS if min(len(made[0]), len(true)) <= _MANY else _FEWER_DRAWS
        found = {
            name: measure_fidelity(side, true, balance=balance, paired=scenes, draws=draws)
            for name, side in zip(answers.given, made, strict=True)
        }
        yield from _of_extractor(found, protocol, size)
    for name, reason in judges.missing.items():
        yield Metric(name=name, better="smaller", protocol=_protocol(protocol), images=0, reason=reason)


def _of_extractor(found: Mapping[str, Fidelity], protocol: Protocol, size: tuple[int, int]) -> Iterator[Metric]:
    first = next(iter(found.values()))
    for index, figure in enumerate(first.figures):
        yield Metric(
            name=figure.name, better="smaller" if figure.less_is_better else "larger",
            protocol=f"{_protocol(protocol)} {first.generated} made and {first.real} real images of "
            f"{size[0]} x {size[1]}, {_network(first, figure.name)}.",
            images=first.generated, figures=_figures(found, index),
            differences=tuple(_apart({name: measured.figures[index] for name, measured in found.items()})),
            interval=f"{LEVEL:.0%} of the figures of {first.draws} halves, around the whole".replace("%", " %"),
            reason=_few(figure.images) if figure.drawn else "",
        )  # fmt: skip


def _figures(found: Mapping[str, Fidelity], index: int) -> tuple[Figure, ...]:
    figures = {name: measured.figures[index] for name, measured in found.items()}
    return tuple(
        Figure(
            answer=name, value=figure.value,
            interval=None if figure.low is None or figure.high is None else (figure.low, figure.high),
        )
        for name, figure in figures.items()
    )  # fmt: skip


def _apart(figures: Mapping[str, fidelity.Figure]) -> Iterator[Difference]:
    """Of each network to all other answers, over the same halves."""
    for answer, other in product(figures, figures):
        found = figures[answer].less(figures[other])
        if answer in (TEACHER, STUDENT) and answer != other and found is not None and found.interval is not None:
            yield Difference(answer=answer, other=other, value=found.value, interval=found.interval)


def _protocol(protocol: Protocol) -> str:
    if protocol == "paired":
        return "Made images against the held-out real ones."
    return "Images made of held-out inputs against all real ones, those of the training and the held-out."


def _network(measured: Fidelity, name: str) -> str:
    """What is particular to a figure, for the protocol."""
    features = f"in the features of {measured.extractor} (weights {measured.weights[:12]})"
    if name.startswith(("KID", "kernel")):
        return f"{features}, subsets of {measured.subset}"
    if name.startswith(("precision", "recall")):
        return f"{features}, not of the VGG-16 of its paper, {measured.neighbours} neighbours"
    return features


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Segmenting:
    """A segmenter, and the labels that its classes are held against."""

    segmenter: Segmenter
    table: LabelTable | None
    classes: int
    ignore: int | None

    def labels(self, input_BCHW: Tensor) -> Tensor:
        """The label maps behind one-hot inputs, B x H x W."""
        return shown_labels(input_BCHW, classes=self.classes, ignore=self.ignore)

    def measure(self, pairs: Iterable[tuple[Tensor, Tensor]], *, draws: int = 1000) -> Segmentation:
        """Images and their label maps compared. Raises CatError E602, E605, E607 as `measure_segmentation` does."""
        return measure_segmentation(
            pairs, self.segmenter, classes=self.classes, ignore=self.ignore, table=self.table, draws=draws
        )  # fmt: skip


def segmentation_metrics(
    answers: Answers, data: ImageData, segmenting: Segmenting, *, batch: int
) -> tuple[tuple[Metric, ...], content.Segmentation]:
    """mIoU and pixel accuracy of the networks' images and, as what can be reached, of the real ones.

    The files are segmented, as anybody would. Raises CatError E602, E605, E607.
    """
    shown = [name for name in (TEACHER, STUDENT) if name in answers.given] + [TARGET]
    found = {
        REAL if name == TARGET else name: segmenting.measure(_with_labels(answers, name, data, segmenting, batch=batch))
        for name in shown
    }
    protocol = (
        f"Images made of held-out label maps, segmented by {segmenting.segmenter.name}, against those maps; pixels "
        "without a class do not count, and classes that occur nowhere are left out of the mean."
    )
    metrics = tuple(
        Metric(name=name, better="larger", protocol=protocol, images=len(answers.names),
               figures=_estimates({answer: take(result) for answer, result in found.items()}),
               reason=_few(min(take(result).count for result in found.values())))
        for name, take in _SEGMENTED
    )  # fmt: skip
    classes = tuple(
        ClassScore(name=str(label), scores=tuple(result.iou[label] for result in found.values()))
        for label in range(segmenting.classes)
    )
    return metrics, content.Segmentation(answers=tuple(found), classes=classes, protocol=protocol)


_SEGMENTED: tuple[tuple[str, Callable[[Segmentation], Estimate]], ...] = (
    ("mIoU", lambda result: result.miou),
    ("pixel accuracy", lambda result: result.accuracy),
)


def _with_labels(
    answers: Answers, name: str, data: ImageData, segmenting: Segmenting, *, batch: int
) -> Iterator[tuple[Tensor, Tensor]]:
    for number, read in enumerate(plain_batches(data.validation, batch=batch)):
        places = range(number * batch, number * batch + len(read))
        images = [read_image(answers.file(name, place), 3) for place in places]
        whole = [image for image in images if not isinstance(image, Unreadable)]
        assert len(whole) == len(images), "these files have just been written"
        yield torch.stack(whole), segmenting.labels(read.input_BCHW)
