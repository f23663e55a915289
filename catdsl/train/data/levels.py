"""Which levels of a file are black and white, and what becomes of them in 8 bits."""

import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np
import numpy.typing as npt

from catdsl.train.data.stored import Stored

Levels = tuple[float, float]
"""Black and white."""

DeepLevels = npt.NDArray[np.generic]
"""Levels of one channel as a file stores them, height x width."""

# A set of files whose highest level is below this share of what they can hold uses fewer bits than it has.
_SHARE = 4
_BITS = (8, 10, 12, 14, 15, 16)
_FLOAT_RANGES: tuple[Levels, ...] = ((0, 1), (-1, 1), (0, 255))
_ROWS = 256


def used(levels_HW: DeepLevels) -> Levels | None:
    """The lowest and the highest level, or None where there is one that is no number."""
    low, high = float(levels_HW.min()), float(levels_HW.max())
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


def to_eight_bits(levels_HW: DeepLevels, stored: Stored, levels: Levels | None) -> npt.NDArray[np.uint8] | str:
    """0 for black, 255 for white, rounded; or what is wrong with these levels."""
    found = used(levels_HW)
    if found is None:
        return "has levels that are no numbers (NaN or infinite)"
    black_white = levels if levels is not None else stored.usual
    if black_white is None:
        return (
            f"has {stored.described} from {shown(found[0])} to {shown(found[1])}, and nothing says which are black "
            f"and white; set `levels` in data {{ }}, for example levels = {as_setting(fitting(stored, found))}"
        )
    black, white = black_white
    if found[0] < black or found[1] > white:
        return (
            f"has levels from {shown(found[0])} to {shown(found[1])}, beyond levels = {as_setting(black_white)}"
            "; widen `levels` in data { }"
        )
    # By rows, as a float64 of each pixel of a large picture would take eight times its memory.
    eight_HW = np.empty(levels_HW.shape, np.uint8)
    for top in range(0, len(levels_HW), _ROWS):
        rows = levels_HW[top : top + _ROWS].astype(np.float64)
        eight_HW[top : top + _ROWS] = np.rint((rows - black) * (255 / (white - black)))
    return 255 - eight_HW if stored.inverted else eight_HW


def narrow(stored: Stored, highest: float) -> bool:
    """Whether files that hold more use so few bits that they would be almost black."""
    usual = stored.usual
    return stored.deep and usual is not None and 0 < highest <= usual[1] // _SHARE


def proposed(files: Sequence[tuple[Stored, Levels]]) -> Levels | None:
    """The levels that files stored so, which use these, are to be read with, or None where nothing need be set."""
    deep = [(stored, found) for stored, found in files if stored.deep]
    if not deep:
        return None
    whole = min(found[0] for _, found in deep), max(found[1] for _, found in deep)
    unknown = next((stored for stored, _ in deep if stored.usual is None), None)
    if unknown is not None:
        return fitting(unknown, whole)
    widest = max((stored for stored, _ in deep), key=lambda stored: stored.most)
    bright = any(found[1] > 0 and not narrow(stored, found[1]) for stored, found in deep)
    return None if bright or whole[1] == 0 else fitting(widest, whole)


def fitting(stored: Stored, found: Levels) -> Levels:
    """Usual levels that hold all that was found: those of a number of bits, or of a range of floats."""
    low, high = found
    ranges = _FLOAT_RANGES if stored.numbers == "float" else tuple((0, 2**bits - 1) for bits in _BITS)
    # Floats from 0 to 2 are no part of 0 to 255, where they would be black.
    near = (r for r in ranges if stored.numbers != "float" or max(abs(low), abs(high)) > r[1] / _SHARE)
    fits = next((r for r in near if r[0] <= low and high <= r[1]), None)
    return fits if fits is not None else _outward(low, high)


def upper_bits_alone(stored: Stored, levels: Levels) -> str:
    """Why levels cannot be set for a file of deep colour."""
    return (
        f"has {stored.bits}-bit colour, of which only the upper 8 bits are read, so that levels = "
        f"{as_setting(levels)} cannot be told apart; save it with 8 bits, or as grey"
    )


def as_setting(levels: Levels) -> str:
    """As a spec writes them."""
    return f"[{shown(levels[0])}, {shown(levels[1])}]"


def shown(level: float) -> str:
    """A level that reads back as the same number."""
    return str(int(level)) if float(level).is_integer() else repr(float(level))


def _outward(low: float, high: float) -> Levels:
    """Two numbers of few digits around these; whole ones stay."""
    if low == high:
        return math.floor(low), math.floor(low) + 1
    if float(low).is_integer() and float(high).is_integer():
        return low, high
    # In decimals, as a product of floats may fall short of the very number that it is to reach.
    step = Decimal(1).scaleb(math.floor(math.log10(high - low)) - 2)
    # The shortest decimals that read back as these floats.
    below = (Decimal(repr(float(low))) / step).to_integral(ROUND_FLOOR)
    above = (Decimal(repr(float(high))) / step).to_integral(ROUND_CEILING)
    return float(below * step), float(above * step)
