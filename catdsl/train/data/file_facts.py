"""What one image file is like, before anything is made of it: size, levels and orientation."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from catdsl.train.data.levels import Levels, to_eight_bits, used
from catdsl.train.data.pixels import Picture, Unreadable, decode
from catdsl.train.data.stored import Stored

_GREY = ("1", "L", "LA", "La", "F")
_INKS = "CMYK"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """`size` (height, width) is that of the upright image.

    `used` are the lowest and the highest level of any channel, of `stored` ones; `several` where the
    file has more frames or pages than the first.
    """

    size: tuple[int, int]
    grey: bool
    channels: int
    stored: Stored
    used: Levels
    rotated: bool
    inks: bool
    several: bool

    @property
    def deep(self) -> bool:
        """Whether levels are others than 0 to 255 at most."""
        return self.stored.deep

    @property
    def deep_colour(self) -> bool:
        """Whether it is colour of more than 8 bits, of which only the upper 8 are read."""
        return self.deep and self.channels > 1


def file_facts(path: Path) -> FileFacts | Unreadable:
    """The whole file is decoded, so that a damaged one is found."""
    picture = decode(path)
    if isinstance(picture, Unreadable):
        return picture
    image = picture.image
    levels = used_levels(picture)
    if levels is None:
        return Unreadable(path, "has levels that are no numbers (NaN or infinite)")
    return FileFacts(
        size=(image.height, image.width),
        grey=image.mode in _GREY or image.mode.startswith("I"),
        channels=picture.channels,
        stored=picture.stored,
        used=levels,
        rotated=picture.rotated,
        inks=image.mode == _INKS,
        several=picture.several,
    )


def used_levels(picture: Picture) -> Levels | None:
    """The lowest and the highest level of any channel, without that of transparency; None where one is no number."""
    if picture.stored.deep and picture.channels == 1:
        return used(picture.levels())
    image = picture.image
    colour = image if image.mode in ("1", "L", "RGB") else image.convert("RGB")
    extrema = np.asarray(colour.getextrema())
    low, high = int(extrema.min()), int(extrema.max())
    # Of deep colour the upper 8 bits are read: no more is known of its levels than what they can be.
    step = (picture.stored.most + 1) // 256 if picture.stored.deep else 1
    return low * step, high * step + step - 1


def grey_levels(picture: Picture, levels: Levels) -> npt.NDArray[np.int16]:
    """0 to 255; deep levels as far apart as they can be, as their black and white may not be known."""
    if not picture.stored.deep or picture.channels > 1:
        return np.asarray(picture.image.convert("L"), np.int16)
    low, high = levels
    if low == high:
        return np.zeros((picture.image.height, picture.image.width), np.int16)
    grey = to_eight_bits(picture.levels(), picture.stored, levels)
    assert not isinstance(grey, str), "these are its own levels"
    return grey.astype(np.int16)
