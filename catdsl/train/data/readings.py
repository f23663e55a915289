"""As what a folder can be read: each kind of data that finds its layout there, the likeliest first."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from catdsl.diagnostics import CatError
from catdsl.semantics.settings import DataKind
from catdsl.train.data.folders import Folder, look_into
from catdsl.train.data.layouts import nothing_found
from catdsl.train.data.layouts_labels import LOOKED_FOR as FOR_LABELS
from catdsl.train.data.layouts_labels import find_labelled
from catdsl.train.data.layouts_paired import LOOKED_FOR as FOR_PAIRS
from catdsl.train.data.layouts_paired import PairSplit, find_pairs
from catdsl.train.data.layouts_roles import LabelSplit
from catdsl.train.data.layouts_unpaired import LOOKED_FOR as FOR_SIDES
from catdsl.train.data.layouts_unpaired import TwoSides, find_two_sides

Purpose = Literal["train", "validation"]
JOINED = "A|B"

# Below this share of equal names, two folders are no pairs with gaps but two sides.
_LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Part:
    """The files of one role for one purpose: A|B, A, B, photo, label or instance."""

    purpose: Purpose
    role: str
    folder: Path
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One way to read a folder. `partners` are files that belong together; `classes` those known to be there."""

    kind: DataKind
    parts: tuple[Part, ...]
    partners: tuple[tuple[Path, ...], ...] = ()
    classes: int = 1

    @property
    def joined(self) -> bool:
        """Whether both images of a pair lie in one file."""
        return any(part.role == JOINED for part in self.parts)

    @property
    def has_instances(self) -> bool:
        """Whether there are instance maps for training and for validation, where that has folders of its own."""
        purposes = {part.purpose for part in self.parts}
        return purposes == {part.purpose for part in self.parts if part.role == "instance"}

    @property
    def has_validation(self) -> bool:
        return any(part.purpose == "validation" for part in self.parts)


def readings_of(folder: Path) -> tuple[Reading, ...]:
    """All ways to read `folder`, opening no file. Raises CatError E601 where there is none."""
    root = look_into(folder, (*FOR_PAIRS, *FOR_SIDES, *FOR_LABELS))
    found: list[Reading] = []
    missed: list[str] = []
    for kind, look in _LOOKS.items():
        try:
            found.append(look(root))
        except CatError as error:
            missed += [f"kind = {kind}: {diagnostic.message}" for diagnostic in error.diagnostics]
    if not found:
        (seen,) = nothing_found(folder, "data", (*FOR_PAIRS, *FOR_SIDES, *FOR_LABELS)).diagnostics
        raise CatError.one(
            "E601", f"nothing in {folder} can be trained on", notes=(*missed, *seen.notes), help=seen.help
        )  # fmt: skip
    return tuple(found)


def _paired(root: Folder) -> Reading:
    layout = find_pairs(root)
    count, smaller = len(layout.train.pairs), min(map(len, layout.train.sides))
    if count < _LEAST_SHARE * smaller:
        a, b = layout.train.folders
        raise CatError.one("E601", f"of {smaller} files in {a} or {b} only {count} have a partner of the same name")
    splits: tuple[tuple[Purpose, PairSplit | None], ...] = (("train", layout.train), ("validation", layout.validation))
    there = [(purpose, split) for purpose, split in splits if split is not None]
    return Reading(
        kind="paired",
        parts=tuple(part for purpose, split in there for part in _pair_parts(purpose, split)),
        partners=tuple(pair.files for _, split in there for pair in split.pairs if pair.b is not None),
    )


def _pair_parts(purpose: Purpose, split: PairSplit) -> Iterator[Part]:
    roles = (JOINED,) if split.joined else ("A", "B")
    for role, place, files in zip(roles, split.folders, split.sides, strict=True):
        yield Part(purpose, role, place, files)


def _unpaired(root: Folder) -> Reading:
    layout = find_two_sides(root)
    splits: tuple[tuple[Purpose, TwoSides | None], ...] = (("train", layout.train), ("validation", layout.validation))
    parts = (
        Part(purpose, role, place, files)
        for purpose, split in splits
        if split is not None
        for role, place, files in zip("AB", split.folders, split.files, strict=True)
    )
    return Reading(kind="unpaired", parts=tuple(parts))


def _labelled(root: Folder) -> Reading:
    layout = find_labelled(root)
    splits: tuple[tuple[Purpose, LabelSplit | None], ...] = (("train", layout.train), ("validation", layout.validation))
    there = [(purpose, split) for purpose, split in splits if split is not None]
    return Reading(
        kind="labels",
        parts=tuple(part for purpose, split in there for part in _label_parts(purpose, split)),
        partners=tuple(item.files for _, split in there for item in split.items),
        classes=layout.train.classes,
    )


def _label_parts(purpose: Purpose, split: LabelSplit) -> Iterator[Part]:
    photos, labels = split.folders
    yield Part(purpose, "photo", photos, tuple(item.photo for item in split.items))
    yield Part(purpose, "label", labels, tuple(item.label for item in split.items))
    if split.instances is not None:
        maps = tuple(item.instance for item in split.items if item.instance is not None)
        yield Part(purpose, "instance", split.instances, maps)


# The likeliest first: folders called photo and label are clear, and of two folders A and B, names that match.
_LOOKS: Mapping[str, Callable[[Folder], Reading]] = {"labels": _labelled, "paired": _paired, "unpaired": _unpaired}
