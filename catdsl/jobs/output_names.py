"""Names of results: one for each image, no two of which are one file on any file system."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from unicodedata import normalize

_LONGEST = 240
"""Bytes of a name with its ending: file systems hold 255, of which a temporary name needs some."""
_ENDING = ".png"


def output_names(images: Sequence[Path]) -> list[str]:
    """A file name for each image: its stem, with the folder before it where two stems are equal.

    Equal are names that a file system may take for one: in another case, or in another Unicode form.
    What is still equal then (a folder `a` with `x`, and a file `a_x`) is numbered, in the order of the
    images; stems alone are given out first, so that no other name takes theirs. Every name is given
    out once: each is looked up among those given out before.
    """
    stems = Counter(_alike(path.stem) for path in images)
    alone = [stems[_alike(path.stem)] == 1 for path in images]
    taken: set[str] = set()
    numbers: Counter[str] = Counter()
    names = [""] * len(images)
    for index in sorted(range(len(images)), key=lambda i: not alone[i]):
        path = images[index]
        wanted = path.stem if alone[index] else f"{_folder(path)}_{path.stem}"
        names[index] = _free(wanted, taken, numbers)
    return names


def _free(wanted: str, taken: set[str], numbers: Counter[str]) -> str:
    """The first of `wanted`, `wanted-2`, `wanted-3`, ... that fits and is not taken, which it then is."""
    base = _alike(_fitting(wanted, _ENDING))
    while True:
        numbers[base] += 1
        number = numbers[base]
        name = _fitting(wanted, _ENDING if number == 1 else f"-{number}{_ENDING}")
        if _alike(name) not in taken:
            taken.add(_alike(name))
            return name


def _fitting(stem: str, ending: str) -> str:
    """The two as one name that is no longer than file systems allow; never one that leads elsewhere."""
    most = _LONGEST - len(os.fsencode(ending))
    while len(os.fsencode(stem)) > most:
        stem = stem[: min(most, len(stem) - 1)]
    return f"{stem}{ending}"


def _folder(path: Path) -> str:
    """The name of the folder that an image lies in, which is no `..`; of the root there is none."""
    return os.path.basename(os.path.dirname(os.path.abspath(path)))


def _alike(name: str) -> str:
    """What is equal for names that some file system takes for one (Unicode, canonical caseless matching)."""
    return normalize("NFD", normalize("NFD", name).casefold())
