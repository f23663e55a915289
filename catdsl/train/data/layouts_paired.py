"""Which files of a folder make pairs: A|B in one file, two folders with equal names, or names in _A and _B."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from catdsl.train.data.folders import Folder, at_or_below
from catdsl.train.data.layouts import (
    TRAINING_NAMES,
    VALIDATION_NAMES,
    OddFile,
    by_name,
    by_stem,
    half_missing,
    lonely,
    nothing_found,
    partners,
    places_of_two,
)

LOOKED_FOR = (
    "A|B images side by side in one file: DIR/*.png, or DIR/train/*.png (and DIR/val or DIR/test)",
    "two folders with equal file names: DIR/A and DIR/B, DIR/trainA and DIR/trainB (and DIR/valA, ...)",
    "names that end in _A and _B: DIR/x_A.png and DIR/x_B.png, or the same in DIR/train (and DIR/val)",
)

ENDINGS = ("_a", "_b")
# So many of a folder's pictures must end in _A or _B for their names to be taken for that.
_MOST = 0.5


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
    """The pairs of one purpose in natural order, and the files that have no place in them.

    `sides` are the files of A and of B, those without partner among them, and `folders` where they
    lie; of A|B files there is one side.
    """

    pairs: tuple[Pair, ...]
    folders: tuple[Path, ...]
    sides: tuple[tuple[Path, ...], ...]
    odd: tuple[OddFile, ...] = ()

    @property
    def joined(self) -> bool:
        """Whether both images of a pair lie in one file."""
        return len(self.sides) == 1

    @property
    def taken(self) -> Iterator[Path]:
        """All files that have been looked at."""
        yield from (path for side in self.sides for path in side)
        yield from (file.path for file in self.odd)


@dataclass(frozen=True, slots=True)
class PairLayout:
    """What a data folder holds; `validation` is None where it has no folder of its own."""

    train: PairSplit
    validation: PairSplit | None

    @property
    def splits(self) -> tuple[PairSplit, ...]:
        return (self.train,) if self.validation is None else (self.train, self.validation)


def find_pairs(root: Folder, *, joined: bool = True) -> PairLayout:
    """Look for pairs, opening no file; A|B files only where `joined`. Raises CatError E601 where there are none."""

    def look(folder: Folder) -> PairLayout | None:
        train = _first_split(folder, TRAINING_NAMES, joined=joined)
        train = train or _two_folders(folder.at("A"), folder.at("B")) or _by_endings(folder)
        if train is None and joined and folder is root:
            # Inside some other folder, images without a split may be anything.
            train = _joined(folder)
        return PairLayout(train, _first_split(folder, VALIDATION_NAMES, joined=joined)) if train else None

    found = at_or_below(root, look, what="paired images")
    if found is None:
        raise nothing_found(root.path, "paired images", LOOKED_FOR if joined else LOOKED_FOR[1:])
    return found


def _first_split(folder: Folder, names: Iterable[str], *, joined: bool) -> PairSplit | None:
    return next((split for name in names for split in _splits_called(folder, name, joined=joined)), None)


def _splits_called(folder: Folder, name: str, *, joined: bool) -> Iterator[PairSplit]:
    """All places where the split `name` may lie, those with two folders first."""
    ways: tuple[Callable[[Folder], PairSplit | None], ...] = (_by_endings, _joined) if joined else (_by_endings,)
    in_two = (_two_folders(folder.at(a), folder.at(b)) for a, b in places_of_two(name))
    in_one = (way(folder.at(name)) for way in ways)
    yield from (split for split in chain(in_two, in_one) if split is not None)


def _joined(folder: Folder) -> PairSplit | None:
    files = folder.pictures
    if not files:
        return None
    return PairSplit(tuple(Pair(path.stem, path, None) for path in files), (folder.path,), (files,), folder.broken)


def _two_folders(a: Folder, b: Folder) -> PairSplit | None:
    if not a.pictures and not b.pictures:
        return None
    if not a.pictures or not b.pictures:
        full, empty = (a, b) if a.pictures else (b, a)
        raise half_missing(full.path, empty.path, "the partner of each image, with the same name,", empty.broken)
    file_of_a, odd_a = by_stem(a.pictures)
    file_of_b, odd_b = by_stem(b.pictures)
    return _matched(
        file_of_a, file_of_b, places=(a.path, b.path), missing=(f"partner in {b.path}", f"partner in {a.path}"),
        odd=(*odd_a, *odd_b, *a.broken, *b.broken),
    )  # fmt: skip


def _by_endings(folder: Folder) -> PairSplit | None:
    named = named_by_endings(folder)
    if named is None:
        return None
    (file_of_a, odd_a), (file_of_b, odd_b) = map(by_name, named)
    if not partners(file_of_a, file_of_b):
        return None
    return _matched(
        file_of_a, file_of_b, places=(folder.path, folder.path),
        missing=("partner that ends in _B", "partner that ends in _A"),
        odd=(*odd_a, *odd_b, *folder.broken),
    )  # fmt: skip


def named_by_endings(folder: Folder) -> tuple[list[tuple[str, Path]], list[tuple[str, Path]]] | None:
    """The files whose names end in _A and those in _B, with what stands before; None where most do not."""
    sides: tuple[list[tuple[str, Path]], list[tuple[str, Path]]] = ([], [])
    for path in folder.pictures:
        for side, ending in zip(sides, ENDINGS, strict=True):
            if path.stem.lower().endswith(ending) and len(path.stem) > len(ending):
                side.append((path.stem[: -len(ending)], path))
    many = len(sides[0]) + len(sides[1]) > _MOST * len(folder.pictures)
    return sides if many and sides[0] and sides[1] else None


def _matched(
    file_of_a: Mapping[str, Path], file_of_b: Mapping[str, Path], *,
    places: tuple[Path, Path], missing: tuple[str, str], odd: tuple[OddFile, ...],
) -> PairSplit:  # fmt: skip
    partner_of = partners(file_of_a, file_of_b)
    pairs = tuple(Pair(name, file_of_a[name], file_of_b[other]) for name, other in partner_of.items())
    alone = (
        lonely(file_of_a, partner_of, file_of_b, missing[0]),
        lonely(file_of_b, partner_of.values(), file_of_a, missing[1]),
    )
    sides = tuple(
        (*(pair.files[side] for pair in pairs), *(file.path for file in alone[side])) for side in range(2)
    )  # fmt: skip
    return PairSplit(pairs, places, sides, (*odd, *alone[0], *alone[1]))
