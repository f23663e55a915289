"""What a reader of one kind has found in a folder, before any file is opened."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from catdsl.diagnostics import CatError
from catdsl.semantics.settings import DataSettings
from catdsl.train.data.folders import Unused
from catdsl.train.data.formats import ImageFormat
from catdsl.train.data.image_sets import ImageSet
from catdsl.train.data.layouts import OddFile

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a reader is told: where to look, how, and in which form images are delivered."""

    folder: Path
    settings: DataSettings
    training: ImageFormat
    validation: ImageFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Sets that are not verified yet, files without a place, a digest of the training files, and what is not read.

    `pictures` are the files of inputs and of targets, label maps not among them.
    """

    train: ImageSet
    validation: ImageSet
    odd: tuple[OddFile, ...]
    fingerprint: str
    pictures: tuple[tuple[Path, ...], tuple[Path, ...]]
    unused: Unused
    joined: bool = False
    """Whether each file is cut into the two images of a pair."""


def split_off(
    items: Sequence[T], holdout: int | None, *, folder: Path, what: str
) -> tuple[tuple[T, ...], tuple[T, ...]]:
    """Items for training, and the last `holdout` (by default a tenth) for validation. Raises CatError E601."""
    count = default_holdout(len(items)) if holdout is None else holdout
    if items and count >= len(items):
        raise CatError.one(
            "E601",
            f"{folder} has {len(items)} {what}, and holdout keeps {count} of them from training",
            help="add images, or lower `holdout` in data { } (0 trains on all, without validation)",
        )
    return tuple(items[: len(items) - count]), tuple(items[len(items) - count :])


def default_holdout(count: int) -> int:
    """A tenth; of few images two, without which nothing can be evaluated, of three at most one."""
    return max(1 if count < 4 else 2, count // 10)


def digest_of(named: Iterable[tuple[str, Sequence[Path]]]) -> str:
    """A digest of names and sizes in bytes, in order: it follows what a folder holds, not where it lies."""
    digest = hashlib.blake2b(digest_size=16)
    for name, files in named:
        digest.update(
            "|".join((name, *(str(path.stat().st_size) for path in files), "")).encode("utf-8", "surrogateescape")
        )
    return digest.hexdigest()
