"""Whether files hold two images side by side (A|B): by their shape, and by what meets in the middle."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from catdsl.diagnostics import CatError
from catdsl.train.data.file_facts import grey_levels, used_levels
from catdsl.train.data.layouts import OddFile
from catdsl.train.data.layouts_paired import LOOKED_FOR as FOR_PAIRS
from catdsl.train.data.layouts_unpaired import LOOKED_FOR as FOR_SIDES
from catdsl.train.data.pixels import Unreadable, decode, upright_size

T = TypeVar("T")
Size = tuple[int, int]
"""Height and width."""

# A|B of square halves is twice as wide as high; of other shapes, where the halves meet in a step.
_TWICE = (1.9, 2.1)
_MOST = 0.5
# So many files, evenly spaced, are looked at in whole; of the others the shape alone.
_LOOKED_AT = 100
_READERS = 2

# Two images side by side meet in a step that no scene has there: this many times the usual one, and levels.
_TIMES_USUAL = 3
_LEAST_STEP = 4
# One scene goes on across the middle: its columns there are alike, and show more than one tone. Of 150 street scenes
# 89 % do, of 200 photos of horses 78 %, and none of 400 facades or of 150 pairs of street scenes put side by side.
_GOES_ON = 1.5
_LEAST_CORRELATION = 0.5
_LEAST_SPREAD = 4


@dataclass(frozen=True, slots=True)
class Middle:
    """What meets in the middle of an image: the border of two, or one scene that goes on; mostly neither is sure."""

    seam: bool
    goes_on: bool


def check_joined(folder: Path, files: Sequence[Path]) -> tuple[OddFile, ...]:
    """Those of `files` that look like one image among A|B images; files that cannot be read are passed over.

    Raises CatError E601 where most of them look so: cut in half they would teach nothing.
    """
    sizes = {path: size for path, size in _of_each(upright_size, files).items() if not isinstance(size, Unreadable)}
    known = list(sizes)
    places = np.linspace(0, len(known) - 1, min(len(known), _LOOKED_AT)).round().astype(int)
    middles = _of_each(_middle, [known[i] for i in places])
    joined = [_looks_joined(sizes[path], middle) for path, middle in middles.items() if isinstance(middle, Middle)]
    if joined and sum(joined) <= _MOST * len(joined):
        raise _plain(folder, len(files))
    return _single(sizes, middles)


def _single(sizes: Mapping[Path, Size], middles: Mapping[Path, Middle | Unreadable]) -> tuple[OddFile, ...]:
    """Files of another shape than most, which no seam divides. Of an odd width the reader of pairs tells itself."""
    shapes = Counter(Fraction(width, height) for height, width in sizes.values())
    usual = shapes.most_common(1)[0][0] if shapes else None
    others = [
        path
        for path, (height, width) in sizes.items()
        if width % 2 == 0 and Fraction(width, height) != usual and not _is_twice((height, width))
    ]
    looked_at = {**middles, **_of_each(_middle, [path for path in others if path not in middles])}
    reason = "looks like one image, and most others like two side by side; `joined = true` in data { } cuts all in two"
    return tuple(
        OddFile(path, reason)
        for path in others
        if isinstance(middle := looked_at[path], Middle) and not middle.seam
    )  # fmt: skip


def _middle(path: Path) -> Middle | Unreadable:
    picture = decode(path)
    if isinstance(picture, Unreadable):
        return picture
    levels = used_levels(picture)
    if levels is None:
        return Unreadable(path, "has levels that are no numbers")
    return middle_of(grey_levels(picture, levels))


def middle_of(levels_HW: npt.NDArray[np.int16]) -> Middle:
    """What meets between the halves of an image."""
    width = levels_HW.shape[1]
    if width % 2 or width < 4:
        return Middle(seam=False, goes_on=False)
    steps = np.abs(np.diff(levels_HW, axis=1)).mean(axis=0)
    left, right = (levels_HW[:, column].astype(np.float64) for column in (width // 2 - 1, width // 2))
    step, usual = steps[width // 2 - 1], np.median(steps)
    spread = min(left.std(), right.std())
    alike = spread >= _LEAST_SPREAD and np.corrcoef(left, right)[0, 1] >= _LEAST_CORRELATION
    return Middle(
        seam=bool(step >= max(_LEAST_STEP, _TIMES_USUAL * usual)), goes_on=bool(alike and step <= _GOES_ON * usual)
    )


def _looks_joined(size: Size, middle: Middle) -> bool:
    return middle.seam or (_is_twice(size) and not middle.goes_on)


def _is_twice(size: Size) -> bool:
    return _TWICE[0] <= size[1] / size[0] <= _TWICE[1]


def _of_each(look: Callable[[Path], T], files: Sequence[Path]) -> dict[Path, T]:
    with ThreadPoolExecutor(_READERS) as pool:
        return dict(zip(files, pool.map(look, files), strict=True))


def _plain(folder: Path, count: int) -> CatError:
    return CatError.one(
        "E601",
        f"{folder} holds {count} images of one side, and nothing that they should become",
        notes=(
            "two images side by side in one file are twice as wide as one, or meet in a step in the middle",
            *(f"looked for: {text}" for text in (*FOR_PAIRS, *FOR_SIDES)),
        ),
        help="give unpaired images as two folders, trainA and trainB; if the files are A|B images after all, "
        "`joined = true` in data { } cuts each of them in two",
    )
