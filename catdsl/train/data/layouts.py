"""What lies right in one folder: pictures in natural order, files that are none and why, folders; and partners."""

import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from catdsl.diagnostics import CatError
from catdsl.limits import LIMITS
from catdsl.reading import reason

# What pictures are called, by the format that Pillow takes them for: those that the door for pictures opens, MPO
# as JPEG among them.
SUFFIXES_OF: Mapping[str, tuple[str, ...]] = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "MPO": (".mpo",),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
    "AVIF": (".avif", ".avifs"),
    "JPEG2000": (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"),
}
IMAGE_SUFFIXES = frozenset(suffix for suffixes in SUFFIXES_OF.values() for suffix in suffixes)
TRAINING_NAMES = ("train", "training")
VALIDATION_NAMES = ("val", "validation", "test")

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class OddFile:
    """A file that cannot be used, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """What lies right in a folder. `broken` are called like pictures, and are no files; `others` are no pictures.

    `problem` says why nothing of it can be read, and is empty where it can.
    """

    pictures: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()
    broken: tuple[OddFile, ...] = ()
    others: tuple[OddFile, ...] = ()
    hidden: int = 0
    problem: str = ""

    @property
    def count(self) -> int:
        return len(self.pictures) + len(self.folders) + len(self.broken) + len(self.others) + self.hidden


def entries_of(folder: Path, *, before: int = 0) -> Entries:
    """List one folder, opening no file. `before` entries of the data folder are known already.

    Raises CatError E601 where there are more than the limit on files.
    """
    pictures: list[Path] = []
    folders: list[Path] = []
    broken: list[OddFile] = []
    others: list[OddFile] = []
    hidden = 0
    try:
        with os.scandir(folder) as found:
            for count, entry in enumerate(found, before + 1):
                if count > LIMITS["files"].most:
                    raise _too_many(folder, count)
                path = folder / entry.name
                if entry.name.startswith("."):
                    hidden += 1
                    continue
                what, why = _kind_of(entry, path)
                if what == "folder":
                    folders.append(path)
                elif path.suffix.lower() not in IMAGE_SUFFIXES:
                    others.append(OddFile(path, why or _no_picture(path)))
                elif why:
                    broken.append(OddFile(path, why))
                else:
                    pictures.append(path)
    except (OSError, ValueError, RuntimeError) as error:
        return Entries(problem=reason(error))
    return Entries(
        pictures=tuple(sorted(pictures, key=_in_order)),
        folders=tuple(sorted(folders, key=_in_order)),
        broken=tuple(sorted(broken, key=lambda file: _in_order(file.path))),
        others=tuple(sorted(others, key=lambda file: _in_order(file.path))),
        hidden=hidden,
    )


def _kind_of(entry: "os.DirEntry[str]", path: Path) -> tuple[str, str]:
    """`file` or `folder`, and why it is neither."""
    try:
        if entry.is_dir():
            return "folder", ""
        if entry.is_file():
            return "file", ""
        if entry.is_symlink():
            path.stat()
    except FileNotFoundError:
        return "file", f"is a link to {_target(path)}, which does not exist"
    except (OSError, ValueError, RuntimeError) as error:
        return "file", f"cannot be read: {reason(error)}"
    return "file", "is a pipe, a socket or a device, which is not read"


def _target(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return "a file"


def _no_picture(path: Path) -> str:
    if not path.suffix:
        return "has no suffix that names a format; if it is a picture, rename it (.png, .jpg)"
    return f"is not read, by its suffix {path.suffix.lower()}; if it is a picture, save it as PNG"


def _too_many(folder: Path, count: int) -> CatError:
    # How many there are nobody knows before all are counted.
    return CatError.one(
        "E601",
        f"in {folder} the data folder comes to {count:,} entries, {LIMITS['files'].refusal(2 * count)}",
        help="give a folder that holds the images and little else",
    )


def image_files(folder: Path) -> list[Path]:
    """The pictures right in `folder`, hidden ones left out, naturally sorted; none where there is no such folder.

    Raises CatError E601 where the folder cannot be read.
    """
    if not folder.is_dir():
        return []
    found = entries_of(folder)
    if found.problem:
        raise unreadable_folder(folder, found.problem)
    return list(found.pictures)


def unreadable_folder(folder: Path, problem: str) -> CatError:
    """The error for a folder that is needed and cannot be listed."""
    return CatError.one("E601", f"cannot read the folder {folder}: {problem}", help="check its permissions and links")


def natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """Sorts 2.jpg before 10.jpg."""
    parts = re.split(r"([0-9]+)", name)
    return tuple((0, int(p)) if p.isascii() and p.isdigit() else (1, p.casefold()) for p in parts if p)


def _in_order(path: Path) -> tuple[tuple[tuple[int, int | str], ...], str]:
    return natural_key(path.name), path.name


def folded(name: str) -> str:
    """Equal for names that differ in case or in their Unicode form only."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def by_stem(files: Iterable[Path]) -> tuple[dict[str, Path], list[OddFile]]:
    """The first file of each stem, and those whose stem is taken."""
    return by_name((path.stem, path) for path in files)


def by_name(named: Iterable[tuple[str, Path]]) -> tuple[dict[str, Path], list[OddFile]]:
    """The first file of each name, and those whose name is taken."""
    first_of: dict[str, Path] = {}
    odd = []
    for name, path in named:
        first = first_of.setdefault(name, path)
        if first is not path:
            odd.append(OddFile(path, f"has the same name as {first.name}"))
    return first_of, odd


def partners(first: Iterable[str], second: Iterable[str]) -> dict[str, str]:
    """The name in `second` that belongs to each of `first`, in their order.

    Equal names belong together; of the others those that differ only in case or Unicode form, where
    there is one of them on either side.
    """
    first, there = list(first), set(second)
    found = {name: name for name in first if name in there}
    alike = _alike(name for name in first if name not in found)
    alike_there = _alike(there - found.keys())
    for key, names in alike.items():
        if len(names) == len(alike_there.get(key, ())) == 1:
            found[names[0]] = alike_there[key][0]
    return {name: found[name] for name in first if name in found}


def lonely(files: Mapping[str, Path], found: Iterable[str], beside: Mapping[str, Path], what: str) -> list[OddFile]:
    """The files whose names are not among `found`. `what` they miss; `beside` are the files on the other side."""
    left = set(found)
    alone = [name for name in files if name not in left]
    near = _alike(beside) if alone else {}
    return [OddFile(files[name], f"has no {what}{_nearly(near.get(folded(name), []), beside)}") for name in alone]


def _nearly(names: list[str], files: Mapping[str, Path]) -> str:
    shown = " and ".join(files[name].name for name in sorted(names))
    return f"; {shown} differ{'s' * (len(names) == 1)} from it only in case or Unicode form" if names else ""


def _alike(names: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(folded(name), []).append(name)
    return found


def places_of_two(name: str) -> tuple[tuple[str, str], ...]:
    """Where the two folders of the split `name` may lie."""
    return ((f"{name}A", f"{name}B"), (f"{name}/A", f"{name}/B"), (f"A/{name}", f"B/{name}"))


def check_folder(folder: Path, looked_for: tuple[str, ...]) -> None:
    """Raises CatError E601 where there is no such folder."""
    try:
        found = folder.stat()
    except (OSError, ValueError, RuntimeError) as error:
        problem = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {reason(error)}"
    else:
        problem = "" if stat.S_ISDIR(found.st_mode) else "is a file, not a folder"
    if problem:
        raise CatError.one(
            "E601",
            f"the data folder {folder} {problem}",
            notes=looked_for,
            help="give the folder that holds the images",
        )


def half_missing(full: Path, empty: Path, what: str, broken: tuple[OddFile, ...] = ()) -> CatError:
    """The error for two folders of which one has no images, but perhaps some that are `broken`."""
    return CatError.one(
        "E601",
        f"{full} has images, but its partner {empty} has none{' that can be read' if broken else ''}",
        notes=tuple(f"{file.path} {file.reason}" for file in broken[:_SHOWN]),
        help=f"put {what} into {empty}",
    )


def nothing_found(folder: Path, what: str, looked_for: tuple[str, ...]) -> CatError:
    """The error for a folder in which nothing of the wanted kind lies, with what was looked for."""
    found = entries_of(folder)
    if found.problem:
        return unreadable_folder(folder, found.problem)
    count = len(found.pictures)
    files = f"{count} image files of its own" if count else "no image files"
    inside = {folder: entries_of(folder) for folder in found.folders[:_SHOWN]}
    shown = ", ".join(_shown_folder(folder, entries) for folder, entries in inside.items())
    holder = next((folder for folder, entries in inside.items() if entries.pictures), None)
    more = f" and {len(found.folders) - _SHOWN} more" if len(found.folders) > _SHOWN else ""
    seen = f"its folders are {shown}{more}" if shown else "it has no folders either"
    return CatError.one(
        "E601",
        f"no {what} in {folder}",
        notes=(
            f"{folder} has {files}; {seen}",
            *(f"{file.path} {file.reason}" for file in (*found.broken, *found.others)[:_SHOWN]),
            *(f"looked for: {text}" for text in looked_for),
        ),
        help="arrange the images in one of these ways; a folder may be a link to another"
        + (f"; or give the folder that holds them, for example {holder}" if holder else ""),
    )


def _shown_folder(folder: Path, inside: Entries) -> str:
    amounts = {"image files": len(inside.pictures), "that cannot be read": len(inside.broken)}
    what = inside.problem or ", ".join(f"{count} {kind}" for kind, count in amounts.items() if count)
    return folder.name + (f" ({what})" if what else "")
