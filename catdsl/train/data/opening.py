"""A data folder opened: every file verified before training starts, and kept in memory if all are small."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from catdsl.diagnostics import CatError, Span
from catdsl.semantics.settings import DataKind, DataSettings
from catdsl.train.data.folders import Unused
from catdsl.train.data.formats import SAME_SIZE, ImageFormat, by
from catdsl.train.data.found import Found, Wanted
from catdsl.train.data.image_sets import ImageSet
from catdsl.train.data.labelled import look_for_labelled
from catdsl.train.data.layouts import OddFile
from catdsl.train.data.level_check import check_levels
from catdsl.train.data.pairs import look_for_pairs
from catdsl.train.data.pixels import CHANNELS
from catdsl.train.data.shelves import unusable
from catdsl.train.data.sides import Side
from catdsl.train.data.unpaired import look_for_two_sides

MOST_IN_MEMORY = 2**30

_READERS: Mapping[DataKind, Callable[[Wanted], Found]] = {
    "paired": look_for_pairs,
    "unpaired": look_for_two_sides,
    "labels": look_for_labelled,
}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ImageData:
    """A verified data folder: training images at load size, validation images at `crop` size."""

    kind: DataKind
    train: ImageSet
    validation: ImageSet
    crop: tuple[int, int]
    """The size of an input in training and validation; a target's follows by the format's scale."""
    flip: bool
    fingerprint: str
    """Digest of the names and sizes in bytes of the training files, in order."""
    source: Side
    target: Side
    unused: Unused
    joined: bool
    """Whether each file was cut into the two images of a pair."""


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """A data folder of which every file was decoded, and the files of it that cannot be used."""

    data: ImageData
    odd: tuple[OddFile, ...]
    problem: CatError | None
    """E602 or E607 with what cannot be used, or None."""


def open_images(
    folder: Path,
    settings: DataSettings,
    *,
    size: tuple[int, int],
    source: Side,
    target: Side,
    scale: tuple[Fraction, Fraction] = SAME_SIZE,
    most_in_memory: int = MOST_IN_MEMORY,
) -> ImageData:
    """Find, verify and (where they fit) keep all images of `folder`, as `settings.kind` says.

    `size` (height, width) is the generator's, and stands for `load` and `crop` where the settings
    leave them out; images of any other size or shape are resized to `load`. Targets are `scale`
    times as large as inputs (height, width): 4 for super-resolution by 4. Without a validation
    folder the last `holdout` items in natural order are for validation, by default a tenth; of
    unpaired images so many on either side. Sets that take more than `most_in_memory` bytes decoded
    are read again whenever they are needed.

    Raises CatError E601 (the folder), E602 (all files that cannot be used, in one list), E607
    (settings that do not fit together).
    """
    found = look_at_images(
        folder, settings, size=size, source=source, target=target, scale=scale, most_in_memory=most_in_memory
    )  # fmt: skip
    if found.problem is not None:
        raise found.problem
    return found.data


def look_at_images(
    folder: Path, settings: DataSettings, *,
    size: tuple[int, int], source: Side, target: Side,
    scale: tuple[Fraction, Fraction] = SAME_SIZE, most_in_memory: int = 0,
) -> Looked:  # fmt: skip
    """As `open_images`, but files that cannot be used are told beside the others. Raises CatError E601, E607."""
    crop = settings.crop or size
    load = settings.load or crop
    check_kind(settings, source)
    source = source.with_values(settings.label_values)
    _check_settings(load, crop, source, target)
    _check_scaled(load, crop, scale)
    source, target = with_levels(source, target, settings)
    training, validation = (ImageFormat(size=s, scale=scale, source=source, target=target) for s in (load, crop))
    found = _READERS[settings.kind](
        Wanted(folder=folder, settings=settings, training=training, validation=validation)
    )  # fmt: skip
    keep = found.train.bytes + found.validation.bytes <= most_in_memory
    trained, odd_training = found.train.verified(keep=keep)
    validated, odd_validation = found.validation.verified(keep=keep)
    odd = (*found.odd, *odd_training, *odd_validation)
    data = ImageData(
        kind=settings.kind,
        train=trained,
        validation=validated,
        crop=crop,
        flip=settings.flip,
        fingerprint=found.fingerprint,
        source=source,
        target=target,
        unused=found.unused,
        joined=found.joined,
    )
    return Looked(data, odd, _problem(odd, found, settings, looked_at=len(trained) + len(validated)))


def _problem(odd: tuple[OddFile, ...], found: Found, settings: DataSettings, *, looked_at: int) -> CatError | None:
    if odd:
        return unusable(odd, looked_at=looked_at)
    try:
        check_levels(*found.pictures, settings)
    except CatError as error:
        return error
    return None


def with_levels(source: Side, target: Side, settings: DataSettings) -> tuple[Side, Side]:
    """Both sides with the levels that the settings give them; label maps have none."""
    of_target = settings.target_levels or settings.levels
    return (
        source if source.labels is not None else replace(source, levels=settings.levels),
        replace(target, levels=of_target),
    )


def check_kind(settings: DataSettings, source: Side, span: Span | None = None) -> None:
    """Refuse a kind of data that the input cannot take. Raises CatError E607, at the input's `span`."""
    if settings.kind == "labels" and source.labels is None:
        raise CatError.one(
            "E607",
            "kind = labels gives label maps, and the generator's input is an image",
            span,
            help="declare the input as `labels(classes, height, width)`, or set kind = paired in data { }",
        )
    if settings.kind != "labels" and source.labels is not None:
        raise CatError.one(
            "E607",
            f"the generator's input is a label map, and kind = {settings.kind} gives images",
            span,
            help="set kind = labels in data { }, or declare the input as `image(3, height, width)`",
        )
    if settings.kind == "labels" and settings.direction == "b_to_a":
        raise CatError.one(
            "E607",
            "direction = b_to_a turns nothing round where kind = labels: label maps are the input",
            help="remove `direction` from data { }",
        )
    if settings.label_values is not None and source.labels is not None:
        count, classes = len(settings.label_values), source.labels.classes
        if count != classes:
            raise CatError.one(
                "E607",
                f"label_values in data {{ }} lists {count} levels, and the generator takes {classes} classes",
                span,
                help="list one level for each class, in the order of the classes",
            )


def _check_settings(load: tuple[int, int], crop: tuple[int, int], source: Side, target: Side) -> None:
    if crop[0] > load[0] or crop[1] > load[1]:
        raise CatError.one(
            "E607",
            f"crops of {by(crop)} cannot be cut from images loaded at {by(load)} (height x width)",
            help="raise `load` or lower `crop` in data { }; crop is the generator's input size by default",
        )
    images = [side for side in (source, target) if side.labels is None]
    if target.labels is not None or any(side.channels not in CHANNELS for side in images):
        raise CatError.one(
            "E607",
            f"image files cannot feed a generator from {source.channels} to {target.channels} channels",
            help="images have 1 (grey) or 3 (colour) channels",
        )


def _check_scaled(load: tuple[int, int], crop: tuple[int, int], scale: tuple[Fraction, Fraction]) -> None:
    for side, times in ((side, times) for size in (load, crop) for side, times in zip(size, scale, strict=True)):
        if side % times.denominator:
            raise CatError.one(
                "E607",
                f"images are {times} times as large as their inputs, and {side} pixels times {times} are not whole",
                help=f"let both sides of `load` and `crop` in data {{ }} be multiples of {times.denominator}",
            )
