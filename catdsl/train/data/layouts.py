"""What the layouts of data folders are made of: image files in natural order, splits, files without a place."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from catdsl.diagnostics import CatError

IMAGE_SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".jpe", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"))
TRAINING_NAMES = ("train", "training")
VALIDATION_NAMES = ("val", "validation", "test")


@dataclass(frozen=True, slots=True)
class OddFile:
    """A file that cannot be used, and why."""

    path: Path
    reason: str


def image_files(folder: Path) -> list[Path]:
    """The image files right in `folder`, hidden ones left out, naturally sorted."""
    if not folder.is_dir():
        return []
    files = (p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
    shown = (p for p in files if not p.name.startswith("."))
    return sorted(shown, key=lambda p: (natural_key(p.name), p.name))


def natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """Sorts 2.jpg before 10.jpg."""
    parts = re.split(r"([0-9]+)", name)
    return tuple((0, int(p)) if p.isascii() and p.isdigit() else (1, p.casefold()) for p in parts if p)


def by_stem(files: Iterable[Path]) -> tuple[dict[str, Path], list[OddFile]]:
    """The first file of each stem, and those whose stem is taken."""
    first_of: dict[str, Path] = {}
    odd = []
    for path in files:
        first = first_of.setdefault(path.stem, path)
        if first is not path:
            odd.append(OddFile(path, f"has the same name as {first.name}"))
    return first_of, odd


def places_of_two(folder: Path, name: str) -> tuple[tuple[Path, Path], ...]:
    """Where the two folders of the split `name` may lie."""
    return (
        (folder / f"{name}A", folder / f"{name}B"),
        (folder / name / "A", folder / name / "B"),
        (folder / "A" / name, folder / "B" / name),
    )


def check_folder(folder: Path, looked_for: tuple[str, ...]) -> None:
    """Raises CatError E601 where there is no such folder."""
    if not folder.is_dir():
        problem = "is a file, not a folder" if folder.exists() else "does not exist"
        raise CatError.one(
            "E601",
            f"the data folder {folder} {problem}",
            notes=looked_for,
            help="give the folder that holds the images",
        )


def half_missing(full: Path, empty: Path, what: str) -> CatError:
    """The error for two folders of which one has no images."""
    return CatError.one(
        "E601", f"{full} has images, but its partner {empty} has none", help=f"put {what} into {empty}"
    )  # fmt: skip


def nothing_found(folder: Path, what: str, looked_for: tuple[str, ...]) -> CatError:
    """The error for a folder in which nothing of the wanted kind lies, with what was looked for."""
    count = len(image_files(folder))
    files = f"{count} image files of its own" if count else "no image files"
    folders = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    seen = f"its folders are {', '.join(folders[:10])}" if folders else "it has no folders either"
    return CatError.one(
        "E601",
        f"no {what} in {folder}",
        notes=(f"{folder} has {files}; {seen}", *(f"looked for: {text}" for text in looked_for)),
        help="arrange the images in one of these ways; a folder may be a link to another",
    )
