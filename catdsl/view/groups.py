"""Which convolutions share a width, so that a picture can show them in one colour and under one letter."""

from string import ascii_uppercase

from catdsl.view.facts import Facts


def shared_widths(facts: Facts) -> dict[str, int]:
    """The widths that more than one conv makes, as `Bar.tied` names them, numbered in graph order."""
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
