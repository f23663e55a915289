"""A data folder with all that lies below it, looked at once: by name for the layouts, and what none of them takes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from catdsl.diagnostics import CatError
from catdsl.train.data.layouts import (
    VALIDATION_NAMES,
    Entries,
    OddFile,
    check_folder,
    entries_of,
    folded,
    unreadable_folder,
)

T = TypeVar("T")

NOTHING = Entries()

# No layout lies deeper than DIR/something/leftImg8bit/train/CITY.
MOST_DEEP = 6
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder and those inside it. `problem` says why it cannot be looked into, and is empty where it can."""

    path: Path
    entries: Entries = NOTHING
    inside: "tuple[Folder, ...]" = ()
    problem: str = ""

    @property
    def pictures(self) -> tuple[Path, ...]:
        return self.entries.pictures

    @property
    def broken(self) -> tuple[OddFile, ...]:
        """Files that are called like pictures and cannot be read."""
        return self.entries.broken

    def at(self, place: str) -> "Folder":
        """The folder at a place such as `train/A`, in any case and Unicode form; an empty one where there is none.

        Raises CatError E601 where one on the way cannot be read, or two differ only in case.
        """
        found = self
        for name in place.split("/") if place else ():
            found = found._one(name)
            if found.problem:
                raise unreadable_folder(found.path, found.problem)
        return found

    def _one(self, name: str) -> "Folder":
        alike = [folder for folder in self.inside if folded(folder.path.name) == folded(name)]
        exact = [folder for folder in alike if folder.path.name == name]
        if len(alike) > 1 and not exact:
            raise CatError.one(
                "E601",
                f"{alike[0].path} and {alike[1].path} differ only in case or Unicode form, and each may be `{name}`",
                help=f"call one of them {name}, and move the other out of the data folder",
            )
        return next(iter((*exact, *alike)), Folder(path=self.path / name))

    def all(self) -> "Iterator[Folder]":
        """This folder and all below it."""
        yield self
        for folder in self.inside:
            yield from folder.all()


def look_into(path: Path, looked_for: tuple[str, ...]) -> Folder:
    """The folder with all below it, opening no file. Raises CatError E601 where it cannot be read or holds too much.

    A folder may be a link to another; one that leads back to where it lies is not followed.
    """
    check_folder(path, looked_for)
    found = _look(path, around=(), count=[0])
    if found.problem:
        raise unreadable_folder(path, found.problem)
    return found


def _look(path: Path, *, around: tuple[tuple[int, int], ...], count: list[int]) -> Folder:
    if len(around) > MOST_DEEP:
        return Folder(path=path, problem=f"it lies more than {MOST_DEEP} folders deep, where nothing is looked for")
    entries = entries_of(path, before=count[0])
    if entries.problem:
        return Folder(path=path, problem=entries.problem)
    count[0] += entries.count
    found = path.stat()
    itself = (found.st_dev, found.st_ino)
    if itself in around:
        return Folder(path=path, problem="it is a link back to a folder that it lies in")
    inside = tuple(_look(folder, around=(*around, itself), count=count) for folder in entries.folders)
    return Folder(path=path, entries=entries, inside=inside)


def at_or_below(root: Folder, look: Callable[[Folder], T | None], *, what: str) -> T | None:
    """What `look` finds in the folder itself, or in the only folder inside it in which it finds something.

    A folder for validation is none of those: nothing is trained on what it holds.
    Raises CatError E601 where there are several of those, and as `look` where nothing is found.
    """
    found = look(root)
    if found is not None:
        return found
    below: list[tuple[Path, T]] = []
    failed: list[CatError] = []
    for folder in root.inside:
        if folded(folder.path.name) in VALIDATION_NAMES:
            continue
        try:
            inside = look(folder)
        except CatError as error:
            failed.append(error)
            continue
        if inside is not None:
            below.append((folder.path, inside))
    if len(below) > 1:
        raise CatError.one(
            "E601",
            f"{root.path} holds {len(below)} folders with {what}: {', '.join(path.name for path, _ in below[:_SHOWN])}",
            help=f"give one of them, for example {below[0][0]}",
        )
    if not below and failed:
        raise failed[0]
    return below[0][1] if below else None


@dataclass(frozen=True, slots=True)
class Unused:
    """Files and folders that are not read, with the reasons, in the order of folders; hidden ones are only counted."""

    files: tuple[OddFile, ...] = ()
    hidden: int = 0

    @property
    def by_reason(self) -> tuple[tuple[OddFile, ...], ...]:
        """Those of one reason together, the largest group first."""
        groups: dict[str, list[OddFile]] = {}
        for file in self.files:
            groups.setdefault(file.reason, []).append(file)
        return tuple(tuple(group) for group in sorted(groups.values(), key=len, reverse=True))


def unused_in(root: Folder, taken: Iterable[Path]) -> Unused:
    """All below `root` that is not `taken`."""
    left = set(taken)
    folders = tuple(root.all())
    files = tuple(file for folder in folders for file in _unused_right_in(folder, root.path, left))
    return Unused(files, sum(folder.entries.hidden for folder in folders))


def _unused_right_in(folder: Folder, root: Path, taken: set[Path]) -> Iterator[OddFile]:
    if folder.problem:
        yield OddFile(folder.path, f"is not looked into: {folder.problem}")
        return
    where = folder.path.relative_to(root)
    reason = "lies right in the data folder" if folder.path == root else f"lies in {where}"
    part = any(path in taken for path in folder.pictures)
    reason += ", among files that are read by their names" if part else ", which is no part of the layout that is read"
    for path in folder.pictures:
        if path not in taken:
            yield OddFile(path, reason)
    yield from (file for file in (*folder.broken, *folder.entries.others) if file.path not in taken)
