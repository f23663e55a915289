"""Random crops and mirrored images: joint for what shows one scene, each by itself for what does not."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from catdsl.train.data.formats import SAME_SIZE, ImageFormat, scaled
from catdsl.train.data.image_sets import OneSide
from catdsl.train.seeding import numbers_for

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Window:
    """A part of an image, by its upper left corner (row, column) and size (height, width)."""

    corner: Size
    size: Size
    mirrored: bool

    def of(self, image_HWC: OneSide) -> OneSide:
        (top, left), (height, width) = self.corner, self.size
        return image_HWC[top : top + height, left : left + width][:, :: -1 if self.mirrored else 1]


def windows_at(
    format: ImageFormat, crop: Size, *, flip: bool, apart: bool, batch: int, seed: int, step: int
) -> list[tuple[Window, Window]]:
    """Windows of input and target for each row of a batch, input's of `crop` size.

    They are drawn for the whole batch, so that whoever makes a part of it cuts as all would.
    """
    numbers = numbers_for(seed, "crop and flip", step)
    draw = _two if apart else _joint
    return [draw(format, crop, flip, numbers) for _ in range(batch)]


def _joint(format: ImageFormat, crop: Size, flip: bool, numbers: np.random.Generator) -> tuple[Window, Window]:
    # Where a target is smaller, only corners that fall on its pixels too.
    source = _window(format.size, crop, flip, numbers, steps=format.scale)
    corner, size = scaled(source.corner, format.scale), scaled(crop, format.scale)
    return source, Window(corner, size, source.mirrored)


def _two(format: ImageFormat, crop: Size, flip: bool, numbers: np.random.Generator) -> tuple[Window, Window]:
    source = _window(format.size, crop, flip, numbers)
    return source, _window(format.target_size, scaled(crop, format.scale), flip, numbers)


def _window(
    loaded: Size, size: Size, flip: bool, numbers: np.random.Generator, steps: tuple[Fraction, Fraction] = SAME_SIZE
) -> Window:
    """Anywhere in an image of `loaded` size, mirrored half of the time where `flip` is set."""
    top, left = (
        step.denominator * int(numbers.integers((whole - part) // step.denominator + 1))
        for whole, part, step in zip(loaded, size, steps, strict=True)
    )
    return Window((top, left), size, bool(numbers.integers(2)) and flip)
