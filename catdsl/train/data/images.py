"""Pixels to tensors in [-1, 1] and back, and tensors to files."""

from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image

from catdsl.diagnostics import CatError
from catdsl.files import write_whole
from catdsl.train.data.levels import Levels
from catdsl.train.data.pixels import CHANNELS, Pixels, Unreadable, read_pixels, resize_pixels


def to_tensor(pixels_HWC: Pixels) -> torch.Tensor:
    """float32 CHW in [-1, 1]."""
    chw = np.ascontiguousarray(pixels_HWC.transpose(2, 0, 1), dtype=np.float32)
    return torch.from_numpy(chw).div_(127.5).sub_(1.0)


def to_pixels(image_CHW: torch.Tensor) -> Pixels:
    """The inverse of `to_tensor`, rounded; what lies outside [-1, 1] is clipped."""
    levels = image_CHW.detach().float().cpu().add(1.0).mul(127.5).round().clamp(0, 255)
    return np.ascontiguousarray(levels.to(torch.uint8).permute(1, 2, 0).numpy())


def read_image(
    path: Path, channels: int, *, size: tuple[int, int] | None = None, levels: Levels | None = None
) -> torch.Tensor | Unreadable:
    """One file as float32 CHW in [-1, 1], resized to `size` (height, width) where it is given.

    `levels` are black and white of a file with more than 8 bits.
    """
    pixels = read_pixels(path, channels, levels)
    if isinstance(pixels, Unreadable):
        return pixels
    return to_tensor(pixels if size is None else resize_pixels(pixels, size))


def write_image(path: Path, image: torch.Tensor) -> None:
    """Write a CHW image, or the images of a BCHW batch side by side, as PNG, whole or not at all.

    Takes 1 or 3 channels in [-1, 1]. Raises CatError E608 where `path` cannot be written, E607
    for another number of channels.
    """
    row_CHW = torch.cat(tuple(image), dim=-1) if image.dim() == 4 else image
    if row_CHW.shape[0] not in CHANNELS:
        raise CatError.one(
            "E607",
            f"an image of {row_CHW.shape[0]} channels cannot be written as PNG",
            help="images have 1 (grey) or 3 (colour) channels",
        )
    write_png(path, to_pixels(row_CHW))


def write_png(path: Path, pixels_HWC: Pixels) -> None:
    """Write pixels as PNG, whole or not at all. Raises CatError E608."""
    image = Image.fromarray(pixels_HWC[..., 0] if pixels_HWC.shape[2] == 1 else pixels_HWC)

    def save(stream: BinaryIO) -> None:
        image.save(stream, format="PNG")

    write_whole(path, save)
