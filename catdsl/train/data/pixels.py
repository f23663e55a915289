"""Image files to pixels, upright and of the wanted channels. All reading and all resizing goes through here."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

T = TypeVar("T")
Pixels = npt.NDArray[np.uint8]
"""Pixels of one image, height x width x channels, 0 to 255."""

CHANNELS = (1, 3)
_MODES = {1: "L", 3: "RGB"}
SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_SIXTEEN_BIT_WHITE = 65_535
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

    def take(opened: Image.Image) -> Pixels | Unreadable:
        if opened.mode == "F":
            return Unreadable(path, "has floating-point pixels, whose range is not known")
        if opened.mode == "I" and int(np.asarray(opened).max()) > _SIXTEEN_BIT_WHITE:
            return Unreadable(path, f"has levels above {_SIXTEEN_BIT_WHITE}, whose range is not known")
        image = _eight_bits(ImageOps.exif_transpose(opened))
        return _with_channels(np.asarray(_opaque(image).convert(_MODES[channels])))

    return decode(path, take)


def decode(path: Path, take: Callable[[Image.Image], T | Unreadable]) -> T | Unreadable:
    """What `take` makes of the opened file, or why the file cannot be read."""
    try:
        with Image.open(path) as opened:
            return take(opened)
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


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey scaled to 8 bits: Pillow's own conversion would clip at 255 instead."""
    if image.mode not in SIXTEEN_BITS:
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
