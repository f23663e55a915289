"""Estimated text widths: never too small, and cut words keep their ends."""

import string

import pytest
from PIL import ImageFont

from catdsl.view.typeface import STYLES, fit, text_width


@pytest.mark.parametrize("char", string.printable.strip())
def test_no_character_is_wider_than_estimated(char: str) -> None:
    font = ImageFont.load_default(100)
    assert text_width(char, 100) >= font.getlength(char) - 4
    assert text_width(char, 100, True) >= text_width(char, 100) - 4


def test_text_that_fits_stays() -> None:
    assert fit("conv0", 100, 11) == "conv0"


def test_text_that_does_not_fit_loses_its_middle() -> None:
    name = "a_very_long_statement_name_7"
    short = fit(name, 100, 11)
    assert text_width(short, 11) <= 100
    head, tail = short.split("…")
    assert name.startswith(head)
    assert name.endswith(tail)
    assert tail.endswith("7")
    assert fit(name * 1000, 100, 11).startswith("a_very")


def test_next_to_no_room_leaves_an_ellipsis() -> None:
    assert fit("conv0", 3, 11) == "…"


def test_wide_script_and_marks_are_known() -> None:
    assert text_width("漢", 10) > 10
    assert text_width("e\u0301", 10) == text_width("e", 10)
    assert text_width("\U0001f600", 10) > 13
    assert all(size > 8 for size, _ in STYLES.values())
