"""How a picture file stores its levels: how many bits, signed or floating, and which is the highest."""

from dataclasses import dataclass
from typing import BinaryIO, Literal

from PIL import Image, ImageFile
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

_Numbers = Literal["unsigned", "signed", "float"]

_WORDS: dict[_Numbers, str] = {"unsigned": "", "signed": "signed ", "float": "floating-point "}
_TIFF_NUMBERS: dict[int, _Numbers] = {1: "unsigned", 2: "signed", 3: "float"}
_BITS, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_WHITE_IS_ZERO = 0
_TIFF_STARTS = (b"II", b"MM")
_TIFF_HEAD = 8
_MOST_USUAL_BITS = 16
_MOST_BITS = 64

# Where a PNG's header has the bits of a channel, and a JPEG 2000's those of its first component.
_PNG_BITS = 24
_JPEG2000_SIZE, _JPEG2000_BITS = b"\xff\x4f\xff\x51", 42
HEAD = 2**16
"""How much of a file's beginning `stored_in` wants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The levels of one channel as the file has them.

    `most` is the highest that the form allows, `shown` what Pillow makes of it: they differ where
    Pillow spreads levels. `inverted` where 0 is white and Pillow leaves it so.
    """

    bits: int = 8
    numbers: _Numbers = "unsigned"
    most: int = 255
    shown: int = 255
    inverted: bool = False

    @property
    def deep(self) -> bool:
        """Whether levels are others than 0 to 255 at most."""
        return self.bits > 8 or self.numbers != "unsigned"

    @property
    def usual(self) -> tuple[int, int] | None:
        """What is black and white where nothing else is said; None where nobody can know."""
        return (0, self.most) if self.numbers == "unsigned" and self.bits <= _MOST_USUAL_BITS else None

    @property
    def described(self) -> str:
        """In words, for a message."""
        return f"{self.bits}-bit {_WORDS[self.numbers]}levels"


def stored_in(opened: Image.Image, head: bytes) -> Stored:
    """How the file stores its levels. `opened` is not decoded yet, `head` the file's beginning (`HEAD` bytes)."""
    if isinstance(opened, TiffImageFile):
        return _of_tiff(opened.tag_v2)
    if opened.format == "PNG":
        return _unsigned(head[_PNG_BITS], spread=opened.mode in ("1", "L"))
    if opened.format == "PPM":
        return _of_ppm(opened)
    if opened.format == "JPEG2000":
        return _of_jpeg2000(head)
    return Stored()


def tile_size(opened: Image.Image) -> tuple[int, int]:
    """Width and height of a tile of a TIFF, which may be larger than the picture; else 0."""
    if not isinstance(opened, TiffImageFile):
        return 0, 0
    return _number(opened.tag_v2, _TILE_WIDTH, 0), _number(opened.tag_v2, _TILE_HEIGHT, 0)


def unknown_tiff(stream: BinaryIO) -> str | None:
    """What a TIFF holds that Pillow has no form for, in words; None for a file that is no TIFF, or a damaged one."""
    stream.seek(0)
    head = stream.read(_TIFF_HEAD)
    if not head.startswith(_TIFF_STARTS):
        return None
    try:
        tags = ImageFileDirectory_v2(head)
        stream.seek(tags.next)
        tags.load(stream)
    except Exception:  # whatever a damaged file leads Pillow to
        return None
    if _BITS not in tags:
        return None
    stored = _of_tiff(tags)
    given = tags[_BITS]
    count = len(given) if isinstance(given, tuple) else 1
    return f"is a TIFF of {count} channel{'s' * (count > 1)} with {stored.described}"


def _unsigned(bits: int, *, spread: bool) -> Stored:
    most = 2**bits - 1
    return Stored(bits=bits, most=most, shown=255 if spread and bits < 8 else most)


def _of_tiff(tags: ImageFileDirectory_v2) -> Stored:
    bits = min(max(_number(tags, _BITS, 1), 1), _MOST_BITS)
    numbers = _TIFF_NUMBERS.get(_number(tags, _SAMPLE_FORMAT, 1), "unsigned")
    photometric = _number(tags, _PHOTOMETRIC, 1)
    # Up to 8 bits Pillow inverts by itself, and spreads levels, but for indices into a palette.
    deep = bits > 8 or numbers != "unsigned"
    most = 2 ** (bits - (numbers == "signed")) - 1
    shown = 255 if bits < 8 and photometric in (0, 1) else most
    return Stored(
        bits=bits, numbers=numbers, most=most, shown=shown, inverted=deep and photometric == _WHITE_IS_ZERO
    )  # fmt: skip


def _number(tags: ImageFileDirectory_v2, tag: int, otherwise: int) -> int:
    """The first whole number of a tag."""
    value = tags.get(tag, otherwise)
    first = value[0] if isinstance(value, tuple) and value else value
    return first if isinstance(first, int) else otherwise


def _of_ppm(opened: Image.Image) -> Stored:
    """Pillow spreads levels up to the file's own highest one over 0 to 255, or over 0 to 65535."""
    if opened.mode == "F":
        return Stored(bits=32, numbers="float")
    shown = 65_535 if opened.mode.startswith("I") else 255
    most = shown
    if isinstance(opened, ImageFile.ImageFile) and opened.tile:
        codec, _, _, args = opened.tile[0]
        if codec in ("ppm", "ppm_plain") and isinstance(args, tuple) and opened.mode != "1":
            most = int(args[1])
    return Stored(bits=most.bit_length(), most=most, shown=shown)


def _of_jpeg2000(head: bytes) -> Stored:
    """Pillow shifts grey levels of more than 8 bits up to 16."""
    found = head.find(_JPEG2000_SIZE)
    place = found + _JPEG2000_BITS
    bits = (head[place] & 0x7F) + 1 if found >= 0 and place < len(head) else 8
    most = 2**bits - 1
    return Stored(bits=bits, most=most, shown=most << max(0, 16 - bits) if bits > 8 else 255)
