"""Sample grids: a row per image, a labelled column per source, large enough to be looked at."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from catdsl.train.data.images import to_pixels, write_png

_SMALLEST_CELL = 128
_GAP = 4
_HEADER = 24
_TEXT = 14
_GROUND = (255, 255, 255)
_INK = (30, 30, 30)


def write_grid(path: Path, columns: Mapping[str, Tensor]) -> None:
    """Write `draw_grid` as PNG, whole or not at all. Raises CatError E608."""
    write_png(path, np.asarray(draw_grid(columns)))


def draw_grid(columns: Mapping[str, Tensor]) -> Image.Image:
    """Column name -> B x C x H x W in [-1, 1] (C is 1 or 3), in the order of the mapping.

    Small images are enlarged by whole factors, pixels left square, until the shorter side has at
    least 128, or what the largest image has.
    """
    shortest = max(_SMALLEST_CELL, *(min(images_BCHW.shape[2:]) for images_BCHW in columns.values()))
    cells = {name: [_cell(image, shortest) for image in images_BCHW] for name, images_BCHW in columns.items()}
    shown = [image for column in cells.values() for image in column]
    width, height = max(i.width for i in shown), max(i.height for i in shown)
    rows = max(len(column) for column in cells.values())
    size = (_GAP + len(cells) * (width + _GAP), _HEADER + rows * (height + _GAP))
    grid = Image.new("RGB", size, _GROUND)
    pen = ImageDraw.Draw(grid)
    font = ImageFont.load_default(size=_TEXT)
    for place, (name, column) in enumerate(cells.items()):
        left = _GAP + place * (width + _GAP)
        pen.text((left + width / 2, _HEADER / 2), name, fill=_INK, font=font, anchor="mm")
        for row, image in enumerate(column):
            grid.paste(image, (left, _HEADER + row * (height + _GAP)))
    return grid


def _cell(image_CHW: Tensor, shortest: int) -> Image.Image:
    pixels = to_pixels(image_CHW)
    colour = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    image = Image.fromarray(colour)
    factor = -(-shortest // min(image.size))
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
