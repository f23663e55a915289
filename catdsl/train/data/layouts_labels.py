"""Which files of a folder are photos, their label maps and, where there are some, their instance maps."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from catdsl.train.data.layouts import (
    TRAINING_NAMES,
    VALIDATION_NAMES,
    OddFile,
    by_stem,
    check_folder,
    half_missing,
    image_files,
    nothing_found,
)

LOOKED_FOR = (
    "photos and label maps with equal file names: DIR/train/photo and DIR/train/label (and DIR/train/instance), "
    "DIR/photo and DIR/label, DIR/train_img and DIR/train_label (and DIR/train_inst)",
    "for validation the same with `val`, `validation` or `test` instead of `train`",
)

PHOTOS = ("photo", "photos", "image", "images", "img", "imgs")
LABELS = ("label", "labels", "annotation", "annotations", "mask", "masks")
INSTANCES = ("instance", "instances", "inst", "insts")

# Where the photos (or labels, or instances) of a split may lie; SPADE uses the second form.
_PLACES = ("{split}/{role}", "{split}_{role}", "{role}/{split}")
_WITHOUT_SPLIT = ("{role}",)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A photo and its label map; `instance` is None where there is no instance map."""

    name: str
    photo: Path
    label: Path
    instance: Path | None

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.photo, self.label) if self.instance is None else (self.photo, self.label, self.instance)


@dataclass(frozen=True, slots=True)
class LabelSplit:
    """What is labelled for one purpose, in natural order, and the files that have no place in it.

    `instances` is the folder of instance maps, or None; `odd_instances` bear on runs that use them.
    """

    items: tuple[Labelled, ...]
    folders: tuple[Path, Path]
    instances: Path | None
    odd: tuple[OddFile, ...] = ()
    odd_instances: tuple[OddFile, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelLayout:
    """What a data folder holds; `validation` is None where it has no folders of its own."""

    train: LabelSplit
    validation: LabelSplit | None


def find_labelled(folder: Path) -> LabelLayout:
    """Look for label maps and photos, opening no file. Raises CatError E601 where there are none."""
    check_folder(folder, LOOKED_FOR)
    train = _first_split(folder, TRAINING_NAMES, _PLACES) or _first_split(folder, ("",), _WITHOUT_SPLIT)
    if train is None:
        raise nothing_found(folder, "photos with label maps", LOOKED_FOR)
    return LabelLayout(train, _first_split(folder, VALIDATION_NAMES, _PLACES))


def _first_split(folder: Path, names: Iterable[str], places: Iterable[str]) -> LabelSplit | None:
    found = (_split(folder, place, name) for name in names for place in places)
    return next((split for split in found if split is not None), None)


def _split(folder: Path, place: str, split: str) -> LabelSplit | None:
    """What lies at one place, such as `{split}/{role}`."""

    def folders(roles: Iterable[str]) -> Iterator[Path]:
        return (folder / place.format(split=split, role=role) for role in roles)

    photos, labels = (next((f for f in folders(roles) if image_files(f)), None) for roles in (PHOTOS, LABELS))
    if photos is None and labels is None:
        return None
    if labels is None:
        assert photos is not None
        raise half_missing(photos, next(folders(LABELS)), "the label map of each photo, with the same name,")
    if photos is None:
        raise half_missing(labels, next(folders(PHOTOS)), "the photo of each label map, with the same name,")
    return _matched(photos, labels, next((f for f in folders(INSTANCES) if image_files(f)), None))


def _matched(photos: Path, labels: Path, instances: Path | None) -> LabelSplit:
    photo_of, odd_photos = by_stem(image_files(photos))
    label_of, odd_labels = by_stem(image_files(labels))
    instance_of, odd_instances = by_stem(image_files(instances)) if instances else ({}, [])
    shared = [stem for stem in photo_of if stem in label_of]
    lonely = chain(_lonely(photo_of, label_of, labels), _lonely(label_of, photo_of, photos))
    if instances:
        whole = {stem: label_of[stem] for stem in shared}
        odd_instances += [OddFile(p, f"has no instance map in {instances}") for p in _absent(whole, instance_of)]
        odd_instances += _lonely(instance_of, label_of, labels)
    return LabelSplit(
        items=tuple(Labelled(s, photo_of[s], label_of[s], instance_of.get(s)) for s in shared),
        folders=(photos, labels),
        instances=instances,
        odd=(*odd_photos, *odd_labels, *lonely),
        odd_instances=tuple(odd_instances),
    )


def _lonely(files: Mapping[str, Path], partners: Mapping[str, Path], folder: Path) -> list[OddFile]:
    return [OddFile(path, f"has no partner in {folder}") for path in _absent(files, partners)]


def _absent(files: Mapping[str, Path], partners: Mapping[str, Path]) -> list[Path]:
    return [path for stem, path in files.items() if stem not in partners]
