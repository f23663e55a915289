"""What one image file is like, before anything is made of it: size, depth, orientation, and whether it is A|B."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from catdsl.train.data.pixels import SIXTEEN_BITS, Unreadable, decode

_ORIENTATION = 0x0112
_UPRIGHT = (0, 1)
_GREY = ("1", "L", "LA", *SIXTEEN_BITS)

# Two images side by side meet in a step that no scene has there: this many times the usual one, and levels.
_TIMES_USUAL = 3
_LEAST_STEP = 4


@dataclass(frozen=True, slots=True)
class FileFacts:
    """`size` (height, width) is that of the upright image; `seam` where its halves look like two images."""

    size: tuple[int, int]
    grey: bool
    sixteen_bit: bool
    rotated: bool
    seam: bool


def file_facts(path: Path) -> FileFacts | Unreadable:
    """The whole file is decoded, so that a damaged one is found."""

    def take(opened: Image.Image) -> FileFacts | Unreadable:
        if opened.mode == "F":
            return Unreadable(path, "has floating-point pixels, whose range is not known")
        grey, sixteen = opened.mode in _GREY, opened.mode in SIXTEEN_BITS
        rotated = opened.getexif().get(_ORIENTATION, 1) not in _UPRIGHT
        upright = ImageOps.exif_transpose(opened)
        return FileFacts((upright.height, upright.width), grey, sixteen, rotated, _has_seam(upright))

    return decode(path, take)


def _has_seam(image: Image.Image) -> bool:
    if image.width % 2 or image.width < 4:
        return False
    # 16-bit levels are clipped here, which leaves a step a step.
    levels = np.asarray(image.convert("L"), np.int16)
    steps = np.abs(np.diff(levels, axis=1)).mean(axis=0)
    return bool(steps[image.width // 2 - 1] >= max(_LEAST_STEP, _TIMES_USUAL * np.median(steps)))
