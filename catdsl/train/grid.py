"""Sample grids: a row per image, a labelled column per source, large enough to be looked at."""

import colorsys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from catdsl.train.data.images import to_pixels, write_png
from catdsl.train.data.pixels import CHANNELS, Pixels

_SMALLEST_CELL = 128
_GAP = 4
_HEADER = 24
_TEXT = 14
_GROUND = (255, 255, 255)
_INK = (30, 30, 30)
_GOLDEN = 0.61803398875


def write_grid(path: Path, columns: Mapping[str, Tensor]) -> None:
    """Write `draw_grid` as PNG, whole or not at all. Raises CatError E608."""
    write_png(path, np.asarray(draw_grid(columns)))


def draw_grid(columns: Mapping[str, Tensor]) -> Image.Image:
    """Column name -> B x C x H x W in [-1, 1], in the order of the mapping.

    With 1 or 3 channels they are images; others are one-hot label maps, a colour for each label.
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


def label_colours(labels_NHW: Tensor) -> Pixels:
    """A one-hot label map as colours, H x W x 3; what belongs to no class is black.

    Neighbouring labels are a golden angle apart in hue, which keeps any number of them apart.
    """
    count = labels_NHW.shape[0]
    shades = ((index * _GOLDEN % 1.0, 0.65, 0.95 - 0.35 * (index % 3) / 2) for index in range(count))
    palette = np.array([(0.0, 0.0, 0.0), *(colorsys.hsv_to_rgb(*shade) for shade in shades)])
    present = labels_NHW.amax(0) > 0
    chosen = ((labels_NHW.argmax(0) + 1) * present).cpu().numpy()
    return np.ascontiguousarray((255 * palette[chosen]).round().astype(np.uint8))


def _cell(image_CHW: Tensor, shortest: int) -> Image.Image:
    pixels = to_pixels(image_CHW) if image_CHW.shape[0] in CHANNELS else label_colours(image_CHW)
    colour = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    image = Image.fromarray(colour)
    factor = -(-shortest // min(image.size))
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
