"""Which convolutions are narrowed together, so that a picture can show them in one colour and under one letter."""

from string import ascii_uppercase

from catdsl.view.facts import Facts
from catdsl.view.palette import SERIES
from catdsl.view.svg_elements import line, path

# The first series is too near to the blue of all other widths.
COLOURS = SERIES[1:]

# Where the colours come again, the bars are cut, at these distances in pixels.
_CUTS = (0, 8, 4)


def shared_widths(facts: Facts) -> dict[str, int]:
    """What decides more than one conv, as `Bar.tied` names it, numbered in graph order."""
    shared = dict.fromkeys(bar.tied for bar in facts.bars.values() if facts.makers[bar.tied] > 1)
    return {width: number for number, width in enumerate(shared)}


def letter(number: int) -> str:
    """A to Z, AA, AB and on: for readers who do not tell the colours apart, and beyond the last of them."""
    letters = ""
    number += 1
    while number:
        number, place = divmod(number - 1, len(ascii_uppercase))
        letters = ascii_uppercase[place] + letters
    return letters


def group_style(number: int) -> str:
    """The class of the colour of a group; none for -1."""
    return "" if number < 0 else f" g{number % len(COLOURS)}"


def cuts(number: int, x: float, y: float, length: float, height: float) -> str:
    """Cuts across a bar, by which a group differs from those before it that have its colour."""
    apart = _CUTS[max(number, 0) // len(COLOURS) % len(_CUTS)]
    if not apart:
        return ""
    places = [x + at for at in range(apart // 2, int(length), apart)]
    return path("cuts", [line([(place, y - 1), (place, y + height + 1)], 0) for place in places])
