"""Which files of a folder are the two sides of unpaired images: two folders, whatever their names."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from catdsl.train.data.layouts import (
    TRAINING_NAMES,
    VALIDATION_NAMES,
    check_folder,
    half_missing,
    image_files,
    nothing_found,
    places_of_two,
)

LOOKED_FOR = (
    "two folders of images: DIR/trainA and DIR/trainB (and DIR/valA, ...), DIR/train/A and B, or DIR/A and B",
)


@dataclass(frozen=True, slots=True)
class TwoSides:
    """The images of both sides for one purpose, each in natural order, and the folders that hold them."""

    files: tuple[tuple[Path, ...], tuple[Path, ...]]
    folders: tuple[Path, Path]


@dataclass(frozen=True, slots=True)
class UnpairedLayout:
    """What a data folder holds; `validation` is None where it has no folders of its own."""

    train: TwoSides
    validation: TwoSides | None


def find_two_sides(folder: Path) -> UnpairedLayout:
    """Look for two sides in `folder`, opening no file. Raises CatError E601 where there are none."""
    check_folder(folder, LOOKED_FOR)
    train = _first_split(folder, TRAINING_NAMES) or _two_folders(folder / "A", folder / "B")
    if train is None:
        raise nothing_found(folder, "two folders of images", LOOKED_FOR)
    return UnpairedLayout(train, _first_split(folder, VALIDATION_NAMES))


def _first_split(folder: Path, names: Iterable[str]) -> TwoSides | None:
    found = (_two_folders(a, b) for name in names for a, b in places_of_two(folder, name))
    return next((split for split in found if split is not None), None)


def _two_folders(a: Path, b: Path) -> TwoSides | None:
    files_a, files_b = image_files(a), image_files(b)
    if not files_a and not files_b:
        return None
    if not files_a or not files_b:
        full, empty = (a, b) if files_a else (b, a)
        raise half_missing(full, empty, "images of the other side")
    return TwoSides((tuple(files_a), tuple(files_b)), (a, b))
