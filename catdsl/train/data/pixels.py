"""Picture files to pixels, upright and of the wanted channels. All reading and all resizing goes through here.

`decode` is the one door: regular files of raster formats only, within the limits on bytes and
pixels, decoded by nothing outside this process. What does not pass is a value that says why.
"""

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from catdsl.diagnostics import CatError
from catdsl.limits import LIMITS
from catdsl.reading import Door, opened, read_bytes, reason
from catdsl.train.data.levels import DeepLevels, Levels, to_eight_bits, upper_bits_alone
from catdsl.train.data.stored import HEAD, Stored, stored_in, tile_size, unknown_tiff

T = TypeVar("T")
Pixels = npt.NDArray[np.uint8]
"""Pixels of one image, height x width x channels, 0 to 255."""

CHANNELS = (1, 3)
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "AVIF", "JPEG2000")
"""What is read, by Pillow's names: rasters that are decoded here, known by how they begin. Others are containers
of other formats (ICO, PSD), have no beginning of their own (TGA), or start a program (EPS)."""

PICTURE = Door("picture", "E602", "picture", help="check the path")

_MODES = {1: "L", 3: "RGB"}
_ORIENTATION = 0x0112
# As EXIF numbers them.
_UPRIGHT_BY = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LYING = (5, 6, 7, 8)
_IT = "it"
"""How the door calls the file, in place of its path: a reason stands behind the path."""
_SHOWN = 100
_START = 16
"""By how many bytes Pillow knows a format."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that is no usable image, and why. A value, so that all such files can be listed."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Picture:
    """A decoded file: its first frame, upright. `format` is Pillow's name, `stored` how the file has its levels."""

    path: Path
    image: Image.Image
    format: str
    compression: str
    stored: Stored
    rotated: bool
    several: bool
    """Whether the file holds more frames or pages, which are not read."""

    @property
    def channels(self) -> int:
        return len(self.image.getbands())

    @property
    def transparent_level(self) -> int | None:
        """The level of a grey file that means transparency (tRNS of PNG)."""
        level = self.image.info.get("transparency")
        return level if isinstance(level, int) else None

    def levels(self) -> DeepLevels:
        """Levels as the file stores them, not as Pillow spreads them: height x width (x channels)."""
        array = np.asarray(self.image)
        stored = self.stored
        if stored.numbers == "float" or array.ndim > 2:
            return array
        if stored.numbers == "signed" and stored.bits == 8:
            return array.view(np.int8)
        if stored.numbers == "unsigned" and stored.bits == 32:
            return np.ascontiguousarray(array).view(np.uint32)
        if stored.most == stored.shown or self.image.mode in ("1", "P"):
            return array
        return np.rint(array * (stored.most / stored.shown)).astype(np.int32)


def read_pixels(path: Path, channels: int, levels: Levels | None = None) -> Pixels | Unreadable:
    """The image upright (EXIF), with `channels` 1 (grey) or 3 (RGB); transparency lies on white.

    `levels` are black and white of files with more than 8 bits (or with signed or floating-point
    levels), which are scaled to 8; without it those of 16 bits go up to 65535. Of an animation the
    first frame counts.
    """
    assert channels in CHANNELS
    picture = decode(path)
    if isinstance(picture, Unreadable):
        return picture
    image = _eight_bits(picture, levels) if picture.stored.deep else picture.image
    if isinstance(image, str):
        return Unreadable(path, image)
    return _with_channels(np.asarray(_opaque(image).convert(_MODES[channels])))


def decode(path: Path) -> Picture | Unreadable:
    """The decoded file, or why it cannot be used."""
    return _guarded(path, lambda opened, stored: _decoded(path, opened, stored))


def stored_levels(path: Path) -> Stored | Unreadable:
    """How the file stores its levels, by its header alone."""
    return _guarded(path, lambda _, stored: stored)


def upright_size(path: Path) -> tuple[int, int] | Unreadable:
    """Height and width of the upright image, by its header alone."""

    def take(image: Image.Image, _: Stored) -> tuple[int, int]:
        with _quietly():
            lying = image.getexif().get(_ORIENTATION, 1) in _LYING
        return (image.width, image.height) if lying else (image.height, image.width)

    return _guarded(path, take)


def file_bytes(path: Path) -> bytes | Unreadable:
    """The file as it is, within the limit on bytes, or why it cannot be read."""
    try:
        return read_bytes(path, PICTURE, shown=_IT)
    except CatError as error:
        return Unreadable(path, _refused(path, error))


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


def _guarded(path: Path, take: Callable[[Image.Image, Stored], T | Unreadable]) -> T | Unreadable:
    """What `take` makes of the opened file, whose size is within the limit, or why it cannot be used."""
    try:
        with opened(path, PICTURE, shown=_IT) as stream:
            head = stream.read(HEAD)
            try:
                with _quietly():
                    image = Image.open(stream, formats=_formats())
            except UnidentifiedImageError:
                return Unreadable(path, _unknown(stream, head))
            too_large = _too_large(image)
            if too_large is not None:
                return Unreadable(path, too_large)
            return take(image, stored_in(image, head))
    except CatError as error:
        return Unreadable(path, _refused(path, error))
    except MemoryError:
        return Unreadable(path, "needs more memory than there is")
    except Exception as error:
        # Pillow raises whatever a damaged file leads its decoders to; nothing but them and `take` runs here.
        if isinstance(error, OSError) and error.errno is not None:
            return Unreadable(path, f"cannot be read: {reason(error)}")
        return Unreadable(path, f"cannot be decoded ({_short(error)})")


def _decoded(path: Path, image: Image.Image, stored: Stored) -> Picture | Unreadable:
    several = getattr(image, "is_animated", False)
    compression = str(image.info.get("compression", ""))
    form = image.format or ""
    if image.mode == "LAB":
        return Unreadable(path, "is in Lab colours, which are not read: save it as RGB")
    clear = image.info.get("transparency")
    if isinstance(clear, tuple) and stored.deep:
        return Unreadable(path, f"has a transparent one among its colours of {stored.bits} bits: save it with 8 bits")
    if form == "TIFF":
        with _quietly():
            # Loading a TIFF reads its tags once more, unless they are there.
            image.getexif()
    image.load()
    if isinstance(clear, int) and image.mode == "L":
        # Pillow spreads the levels, and leaves the transparent one.
        image.info["transparency"] = clear * stored.shown // stored.most
    with _quietly():
        orientation = image.getexif().get(_ORIENTATION, 1)
    transposed = _UPRIGHT_BY.get(orientation)
    return Picture(
        path=path,
        image=image if transposed is None else image.transpose(transposed),
        format=form,
        compression=compression,
        stored=stored,
        rotated=transposed is not None,
        several=bool(several),
    )


@cache
def _formats() -> tuple[str, ...]:
    """Those of `FORMATS` that this Pillow has: it stumbles over others."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def _quietly() -> Iterator[None]:
    """Pillow's own limit and its warnings put aside while it reads headers and tags.

    Its limit refuses, or warns of, what `--limit` may allow; a file with thousands of odd tags has as many warnings.
    """
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _refused(path: Path, error: CatError) -> str:
    if path.is_symlink():
        with suppress(OSError, RuntimeError):
            if not path.resolve(strict=False).exists():
                return "is a link to a file that does not exist"
    message = error.diagnostics[0].message
    return message.removeprefix(f"{_IT} ").replace(f"cannot read {_IT}:", "cannot be read:", 1)


def _too_large(image: Image.Image) -> str | None:
    """Which limit on pixels the file exceeds, by its header; a tile of a TIFF may be larger than the picture."""
    limit, tile = LIMITS["pixels"], tile_size(image)
    for what, (width, height) in (("is", image.size), ("has tiles of", tile)):
        if width * height > limit.most:
            return f"{what} {width} x {height} (width x height), {limit.refusal(width * height)}"
    return None


def _unknown(stream: BinaryIO, head: bytes) -> str:
    """Why a file was not recognised."""
    if not head:
        return "is empty"
    with _quietly():
        tiff = unknown_tiff(stream)
    if tiff is not None:
        return f"{tiff}, which is not read: save it as grey of 16 bits or 32-bit floats, or as colour of 8"
    for name in _formats():
        accept = Image.OPEN[name][1]
        if accept is not None and accept(head[:_START]) is True:
            return f"begins like {name}, and its header is damaged or of a kind that is not read"
    return f"is no picture of a format that is read ({', '.join(_formats())})"


def _eight_bits(picture: Picture, levels: Levels | None) -> Image.Image | str:
    """Scaled to 8 bits: Pillow's own conversion would clip at 255 instead. Or what is wrong with the levels."""
    stored = picture.stored
    if picture.channels > 1:
        # Pillow reads the upper 8 bits, which is right for the whole range alone.
        if levels is None or levels == stored.usual:
            return picture.image
        return upper_bits_alone(stored, levels)
    array = picture.levels()
    eight_HW = to_eight_bits(array, stored, levels)
    if isinstance(eight_HW, str):
        return eight_HW
    if picture.transparent_level is not None:
        eight_HW[array == picture.transparent_level] = 255
    return Image.fromarray(eight_HW)


def _opaque(image: Image.Image) -> Image.Image:
    """On white where transparent: the colour stored under full transparency means nothing."""
    if not image.has_transparency_data:
        return image
    # Pillow has no way from premultiplied grey to colour.
    layer = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
    ground = Image.new("RGBA", layer.size, (255, 255, 255, 255))
    return Image.alpha_composite(ground, layer).convert("RGB")


def _with_channels(array: npt.NDArray[np.uint8]) -> Pixels:
    return array[..., None] if array.ndim == 2 else array


def _short(error: Exception) -> str:
    line = (str(error) or type(error).__name__).splitlines()[0][:_SHOWN]
    return "".join(letter if letter.isprintable() else "?" for letter in line)
