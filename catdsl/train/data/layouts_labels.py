"""Which files of a folder are photos, their label maps and, where there are some, their instance maps."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from catdsl.train.data.folders import Folder, at_or_below
from catdsl.train.data.layouts import (
    TRAINING_NAMES,
    VALIDATION_NAMES,
    by_stem,
    half_missing,
    nothing_found,
)
from catdsl.train.data.layouts_cityscapes import CITYSCAPES, cityscapes
from catdsl.train.data.layouts_roles import LabelSplit, Roles, matched

LOOKED_FOR = (
    "photos and label maps with equal file names: DIR/train/photo and DIR/train/label (and DIR/train/instance), "
    "DIR/photo and DIR/label, DIR/train_img and DIR/train_label (and DIR/train_inst)",
    "for validation the same with `val`, `validation` or `test` instead of `train`",
    CITYSCAPES,
)

PHOTOS = ("photo", "photos", "image", "images", "img", "imgs")
LABELS = ("label", "labels", "annotation", "annotations", "mask", "masks")
INSTANCES = ("instance", "instances", "inst", "insts")

# Where the photos (or labels, or instances) of a split may lie; SPADE uses the second form.
_PLACES = ("{split}/{role}", "{split}_{role}", "{role}/{split}")
_WITHOUT_SPLIT = ("{role}",)


@dataclass(frozen=True, slots=True)
class LabelLayout:
    """What a data folder holds; `validation` is None where it has no folders of its own."""

    train: LabelSplit
    validation: LabelSplit | None

    @property
    def splits(self) -> tuple[LabelSplit, ...]:
        return (self.train,) if self.validation is None else (self.train, self.validation)


def find_labelled(root: Folder) -> LabelLayout:
    """Look for label maps and photos, opening no file. Raises CatError E601 where there are none."""

    def look(folder: Folder) -> LabelLayout | None:
        train = _first_split(folder, TRAINING_NAMES, _PLACES) or _first_split(folder, ("",), _WITHOUT_SPLIT)
        return LabelLayout(train, _first_split(folder, VALIDATION_NAMES, _PLACES)) if train else None

    found = at_or_below(root, look, what="photos with label maps")
    if found is None:
        raise nothing_found(root.path, "photos with label maps", LOOKED_FOR)
    return found


def _first_split(folder: Folder, names: Iterable[str], places: Iterable[str]) -> LabelSplit | None:
    found = (split for name in names for split in _splits_called(folder, name, places))
    return next((split for split in found if split is not None), None)


def _splits_called(folder: Folder, name: str, places: Iterable[str]) -> Iterator[LabelSplit | None]:
    yield from (_split(folder, place, name) for place in places)
    if name:
        city = cityscapes(folder, name)
        yield matched(city) if city else None


def _split(folder: Folder, place: str, split: str) -> LabelSplit | None:
    """What lies at one place, such as `{split}/{role}`."""

    def role(names: Iterable[str]) -> tuple[Folder, Folder | None]:
        """The folder to put files of a role into, and the one that holds some."""
        folders = [folder.at(place.format(split=split, role=name)) for name in names]
        return folders[0], next((found for found in folders if found.pictures), None)

    (photo_place, photos), (label_place, labels), (_, instances) = map(role, (PHOTOS, LABELS, INSTANCES))
    if photos is None and labels is None:
        return None
    if labels is None:
        assert photos is not None
        missing = "the label map of each photo, with the same name,"
        raise half_missing(photos.path, label_place.path, missing, label_place.broken)
    if photos is None:
        missing = "the photo of each label map, with the same name,"
        raise half_missing(labels.path, photo_place.path, missing, photo_place.broken)
    places = (photos, labels) if instances is None else (photos, labels, instances)
    (photo_of, odd_photos), (label_of, odd_labels), (instance_of, odd_instances) = (
        by_stem(there.pictures if there else ()) for there in (photos, labels, instances)
    )
    return matched(
        Roles(
            photos=photo_of, labels=label_of, instances=instance_of, folders=tuple(there.path for there in places),
            odd=(*odd_photos, *photos.broken, *odd_labels, *labels.broken),
            odd_instances=(*odd_instances, *(instances.broken if instances else ())),
        )
    )  # fmt: skip
