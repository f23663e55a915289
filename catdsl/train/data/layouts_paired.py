"""Which files of a folder make pairs: A|B in one image, or two folders with equal names."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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
    places_of_two,
)

LOOKED_FOR = (
    "A|B images side by side in one file: DIR/*.png, or DIR/train/*.png (and DIR/val or DIR/test)",
    "two folders with equal file names: DIR/A and DIR/B, DIR/trainA and DIR/trainB (and DIR/valA, ...)",
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two images of one scene. Where `b` is None, `a` is an A|B file and holds both halves."""

    name: str
    a: Path
    b: Path | None

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.a,) if self.b is None else (self.a, self.b)


@dataclass(frozen=True, slots=True)
class PairSplit:
    """The pairs of one purpose in natural order, the files that have no place in them, and the folders looked at."""

    pairs: tuple[Pair, ...]
    folders: tuple[Path, ...]
    odd: tuple[OddFile, ...] = ()


@dataclass(frozen=True, slots=True)
class PairLayout:
    """What a data folder holds; `validation` is None where it has no folder of its own."""

    train: PairSplit
    validation: PairSplit | None


def find_pairs(folder: Path) -> PairLayout:
    """Look for pairs in `folder`, opening no file. Raises CatError E601 where there are none."""
    check_folder(folder, LOOKED_FOR)
    train = _first_split(folder, TRAINING_NAMES)
    train = train or _two_folders(folder / "A", folder / "B") or _joined(folder)
    if train is None:
        raise nothing_found(folder, "paired images", LOOKED_FOR)
    return PairLayout(train, _first_split(folder, VALIDATION_NAMES))


def _first_split(folder: Path, names: Iterable[str]) -> PairSplit | None:
    return next((split for name in names for split in _splits_called(folder, name)), None)


def _splits_called(folder: Path, name: str) -> Iterator[PairSplit]:
    """All places where the split `name` may lie, those with two folders first."""
    found = (_two_folders(a, b) for a, b in places_of_two(folder, name))
    yield from (split for split in found if split is not None)
    joined = _joined(folder / name)
    if joined is not None:
        yield joined


def _joined(folder: Path) -> PairSplit | None:
    files = image_files(folder)
    if not files:
        return None
    return PairSplit(tuple(Pair(path.stem, path, None) for path in files), (folder,))


def _two_folders(a: Path, b: Path) -> PairSplit | None:
    files_a, files_b = image_files(a), image_files(b)
    if not files_a and not files_b:
        return None
    if not files_a or not files_b:
        full, empty = (a, b) if files_a else (b, a)
        raise half_missing(full, empty, "the partner of each image, with the same name,")
    by_stem_a, odd_a = by_stem(files_a)
    by_stem_b, odd_b = by_stem(files_b)
    lonely = [OddFile(path, f"has no partner in {b}") for s, path in by_stem_a.items() if s not in by_stem_b]
    lonely += [OddFile(path, f"has no partner in {a}") for s, path in by_stem_b.items() if s not in by_stem_a]
    pairs = tuple(Pair(s, path, by_stem_b[s]) for s, path in by_stem_a.items() if s in by_stem_b)
    return PairSplit(pairs, (a, b), (*odd_a, *odd_b, *lonely))
