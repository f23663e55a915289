"""Image files to tensors in [-1, 1] and back. All reading and all resizing goes through here."""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from catdsl.diagnostics import CatError
from catdsl.files import write_whole

Pixels = npt.NDArray[np.uint8]
"""Pixels of one image, height x width x channels, 0 to 255."""

CHANNELS = (1, 3)
_MODES = {1: "L", 3: "RGB"}
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_BROKEN = (
    OSError,
    SyntaxError,  # Pillow's word for a damaged PNG chunk
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that is no usable image, and why. A value, so that all such files can be listed."""

    path: Path
    reason: str


def read_pixels(path: Path, channels: int) -> Pixels | Unreadable:
    """The image upright (EXIF), with `channels` 1 (grey) or 3 (RGB); transparency lies on white.

    16-bit grey is scaled to 8 bits; of an animation the first frame counts.
    """
    assert channels in CHANNELS
    try:
        with Image.open(path) as opened:
            if opened.mode == "F":
                return Unreadable(path, "has floating-point pixels, whose range is not known")
            image = _eight_bits(ImageOps.exif_transpose(opened))
            return _with_channels(np.asarray(_opaque(image).convert(_MODES[channels])))
    except UnidentifiedImageError:
        return Unreadable(path, "is empty" if _is_empty(path) else "is not an image that Pillow knows")
    except FileNotFoundError:
        return Unreadable(path, "does not exist")
    except _BROKEN as error:
        return Unreadable(path, f"cannot be decoded ({_short(error)})")


def resize_pixels(pixels_HWC: Pixels, size: tuple[int, int]) -> Pixels:
    """Resized to `size` (height, width) by Pillow's antialiased bicubic, the only path there is.

    Other libraries' bicubic differs from it by up to 6 of 255, enough to move a validation figure.
    """
    if pixels_HWC.shape[:2] == size:
        return pixels_HWC
    squeezed = pixels_HWC[..., 0] if pixels_HWC.shape[2] == 1 else pixels_HWC
    height, width = size
    resized = Image.fromarray(squeezed).resize((width, height), Image.Resampling.BICUBIC)
    return _with_channels(np.asarray(resized))


def to_tensor(pixels_HWC: Pixels) -> torch.Tensor:
    """float32 CHW in [-1, 1]."""
    chw = np.ascontiguousarray(pixels_HWC.transpose(2, 0, 1), dtype=np.float32)
    return torch.from_numpy(chw).div_(127.5).sub_(1.0)


def to_pixels(image_CHW: torch.Tensor) -> Pixels:
    """The inverse of `to_tensor`, rounded; what lies outside [-1, 1] is clipped."""
    levels = image_CHW.detach().float().cpu().add(1.0).mul(127.5).round().clamp(0, 255)
    return np.ascontiguousarray(levels.to(torch.uint8).permute(1, 2, 0).numpy())


def read_image(path: Path, channels: int, *, size: tuple[int, int] | None = None) -> torch.Tensor | Unreadable:
    """One file as float32 CHW in [-1, 1], resized to `size` (height, width) where it is given."""
    pixels = read_pixels(path, channels)
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


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey scaled to 8 bits: Pillow's own conversion would clip at 255 instead."""
    if image.mode not in _SIXTEEN_BITS:
        return image
    levels = np.asarray(image).astype(np.int64)
    return Image.fromarray(np.clip((levels + 128) // 257, 0, 255).astype(np.uint8))


def _opaque(image: Image.Image) -> Image.Image:
    """On white where transparent: the colour stored under full transparency means nothing."""
    if not image.has_transparency_data:
        return image
    layer = image.convert("RGBA")
    ground = Image.new("RGBA", layer.size, (255, 255, 255, 255))
    return Image.alpha_composite(ground, layer).convert("RGB")


def _with_channels(array: npt.NDArray[np.uint8]) -> Pixels:
    return array[..., None] if array.ndim == 2 else array


def _is_empty(path: Path) -> bool:
    return path.stat().st_size == 0


def _short(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:100]
