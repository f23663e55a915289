"""Which files of a folder make pairs: A|B in one image, or two folders with equal names."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from catdsl.diagnostics import CatError

IMAGE_SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".jpe", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"))
TRAINING_NAMES = ("train",)
VALIDATION_NAMES = ("val", "validation", "test")
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


@dataclass(frozen=True, slots=True)
class OddFile:
    """A file that cannot be used, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Split:
    """The pairs of one purpose in natural order, and the files that have no place in them."""

    pairs: tuple[Pair, ...]
    odd: tuple[OddFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """What a data folder holds; `validation` is None where it has no folder of its own."""

    train: Split
    validation: Split | None


def find_layout(folder: Path) -> Layout:
    """Look for pairs in `folder`, opening no file. Raises CatError E601 where there are none."""
    if not folder.is_dir():
        problem = "is a file, not a folder" if folder.exists() else "does not exist"
        raise CatError.one(
            "E601",
            f"the data folder {folder} {problem}",
            notes=LOOKED_FOR,
            help="give the folder that holds the images",
        )
    train = _first_split(folder, TRAINING_NAMES)
    train = train or _two_folders(folder / "A", folder / "B") or _joined(folder)
    if train is None:
        raise _nothing_found(folder)
    return Layout(train, _first_split(folder, VALIDATION_NAMES))


def natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """Sorts 2.jpg before 10.jpg."""
    parts = re.split(r"([0-9]+)", name)
    return tuple((0, int(p)) if p.isascii() and p.isdigit() else (1, p.casefold()) for p in parts if p)


def _first_split(folder: Path, names: Iterable[str]) -> Split | None:
    return next((split for name in names for split in _splits_called(folder, name)), None)


def _splits_called(folder: Path, name: str) -> Iterator[Split]:
    """All places where the split `name` may lie, those with two folders first."""
    places = (
        (folder / f"{name}A", folder / f"{name}B"),
        (folder / name / "A", folder / name / "B"),
        (folder / "A" / name, folder / "B" / name),
    )
    found = (_two_folders(a, b) for a, b in places)
    yield from (split for split in found if split is not None)
    joined = _joined(folder / name)
    if joined is not None:
        yield joined


def _joined(folder: Path) -> Split | None:
    files = image_files(folder)
    if not files:
        return None
    return Split(tuple(Pair(path.stem, path, None) for path in files))


def _two_folders(a: Path, b: Path) -> Split | None:
    files_a, files_b = image_files(a), image_files(b)
    if not files_a and not files_b:
        return None
    if not files_a or not files_b:
        empty, full = (a, b) if files_b else (b, a)
        raise CatError.one(
            "E601",
            f"{full} has images, but its partner {empty} has none",
            help=f"put the partner of each image, with the same name, into {empty}",
        )
    by_stem_a, odd_a = _by_stem(files_a)
    by_stem_b, odd_b = _by_stem(files_b)
    lonely = [OddFile(path, f"has no partner in {b}") for s, path in by_stem_a.items() if s not in by_stem_b]
    lonely += [OddFile(path, f"has no partner in {a}") for s, path in by_stem_b.items() if s not in by_stem_a]
    pairs = tuple(Pair(s, path, by_stem_b[s]) for s, path in by_stem_a.items() if s in by_stem_b)
    return Split(pairs, (*odd_a, *odd_b, *lonely))


def _by_stem(files: Iterable[Path]) -> tuple[dict[str, Path], list[OddFile]]:
    by_stem: dict[str, Path] = {}
    odd = []
    for path in files:
        first = by_stem.setdefault(path.stem, path)
        if first is not path:
            odd.append(OddFile(path, f"has the same name as {first.name}"))
    return by_stem, odd


def image_files(folder: Path) -> list[Path]:
    """The image files right in `folder`, hidden ones left out, naturally sorted."""
    if not folder.is_dir():
        return []
    files = (p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
    shown = (p for p in files if not p.name.startswith("."))
    return sorted(shown, key=lambda p: (natural_key(p.name), p.name))


def _nothing_found(folder: Path) -> CatError:
    folders = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    seen = f"its folders are {', '.join(folders[:10])}" if folders else "it has no folders either"
    return CatError.one(
        "E601",
        f"no paired images in {folder}",
        notes=(f"{folder} has no image files; {seen}", *(f"looked for: {text}" for text in LOOKED_FOR)),
        help="arrange the images in one of these ways; a folder may be a link to another",
    )
