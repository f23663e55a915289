"""Which files of a folder are the two sides of unpaired images: two folders, or names that end in _A and _B."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from catdsl.train.data.folders import Folder, at_or_below
from catdsl.train.data.layouts import (
    TRAINING_NAMES,
    VALIDATION_NAMES,
    OddFile,
    half_missing,
    nothing_found,
    places_of_two,
)
from catdsl.train.data.layouts_paired import named_by_endings

LOOKED_FOR = (
    "two folders of images: DIR/trainA and DIR/trainB (and DIR/valA, ...), DIR/train/A and B, or DIR/A and B",
    "names that end in _A and _B in one folder: DIR/x_A.png and DIR/y_B.png, or the same in DIR/train",
)


@dataclass(frozen=True, slots=True)
class TwoSides:
    """The images of both sides for one purpose, each in natural order, and the folders that hold them."""

    files: tuple[tuple[Path, ...], tuple[Path, ...]]
    folders: tuple[Path, Path]
    odd: tuple[OddFile, ...] = ()

    @property
    def taken(self) -> Iterator[Path]:
        """All files that have been looked at."""
        yield from (path for side in self.files for path in side)
        yield from (file.path for file in self.odd)


@dataclass(frozen=True, slots=True)
class UnpairedLayout:
    """What a data folder holds; `validation` is None where it has no folders of its own."""

    train: TwoSides
    validation: TwoSides | None

    @property
    def splits(self) -> tuple[TwoSides, ...]:
        return (self.train,) if self.validation is None else (self.train, self.validation)


def find_two_sides(root: Folder) -> UnpairedLayout:
    """Look for two sides, opening no file. Raises CatError E601 where there are none."""

    def look(folder: Folder) -> UnpairedLayout | None:
        train = _first_split(folder, TRAINING_NAMES)
        train = train or _two_folders(folder.at("A"), folder.at("B")) or _by_endings(folder)
        return UnpairedLayout(train, _first_split(folder, VALIDATION_NAMES)) if train else None

    found = at_or_below(root, look, what="two folders of images")
    if found is None:
        raise nothing_found(root.path, "two folders of images", LOOKED_FOR)
    return found


def _first_split(folder: Folder, names: Iterable[str]) -> TwoSides | None:
    return next((split for name in names for split in _splits_called(folder, name)), None)


def _splits_called(folder: Folder, name: str) -> Iterator[TwoSides]:
    in_two = (_two_folders(folder.at(a), folder.at(b)) for a, b in places_of_two(name))
    in_one = (_by_endings(folder.at(place)) for place in (name,))
    yield from (split for split in chain(in_two, in_one) if split is not None)


def _two_folders(a: Folder, b: Folder) -> TwoSides | None:
    if not a.pictures and not b.pictures:
        return None
    if not a.pictures or not b.pictures:
        full, empty = (a, b) if a.pictures else (b, a)
        raise half_missing(full.path, empty.path, "images of the other side", empty.broken)
    return TwoSides((a.pictures, b.pictures), (a.path, b.path), (*a.broken, *b.broken))


def _by_endings(folder: Folder) -> TwoSides | None:
    named = named_by_endings(folder)
    if named is None:
        return None
    a, b = (tuple(path for _, path in side) for side in named)
    return TwoSides((a, b), (folder.path, folder.path), folder.broken)
