"""Colours that can be read: contrast by WCAG 2.2, and series that colour-blind readers tell apart."""

import re
from itertools import combinations

import numpy as np
import pytest

from catdsl.view.palette import HEAT, PAGE, SERIES
from catdsl.view.svg_style import style_sheet

# Which words stand on what, and which lines and marks.
_WORDS = [(word, back) for word in ("text", "muted", "accent") for back in ("page", "raised")]
_WORDS += [("text", "caution"), ("warning", "caution"), ("warning", "page")]
_MARKS = [("control", "page"), ("control", "raised"), ("accent", "track")]

# From linear sRGB to what is seen without one kind of cones: Machado, Oliveira and Fernandes, "A Physiologically-based
# Model for Simulation of Color Vision Deficiency", 2009, severity 1.
_BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    light = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear sRGB, for daylight (D65)."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def seen(colour: str, blindness: str | None) -> np.ndarray:
    rgb = linear(colour)
    return lab(rgb if blindness is None else np.clip(np.array(_BLINDNESS[blindness]) @ rgb, 0, 1))


def test_contrast_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # the known grey that just fails


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("word", "back"), _WORDS)
def test_words_can_be_read(word: str, back: str, scheme: int) -> None:
    assert contrast(PAGE[word][scheme], PAGE[back][scheme]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("word", [".name", ".detail", ".shape"])
def test_words_can_be_read_on_every_heat(word: str, scheme: int) -> None:
    rules = re.findall(r"([^{}]+)\{fill:(#\w+)\}", style_sheet())
    colours = [colour for what, colour in rules if word in what.strip().split(",")]
    assert min(contrast(colours[scheme], heat[scheme]) for heat in HEAT) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("mark", "back"), _MARKS)
def test_marks_can_be_seen(mark: str, back: str, scheme: int) -> None:
    assert contrast(PAGE[mark][scheme], PAGE[back][scheme]) >= 3


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_series_can_be_seen(scheme: int) -> None:
    assert min(contrast(colours[scheme], PAGE["page"][scheme]) for colours in SERIES) >= 3


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("blindness", [None, *_BLINDNESS])
def test_series_are_told_apart(scheme: int, blindness: str | None) -> None:
    apart = {
        (a[scheme], b[scheme]): float(np.linalg.norm(seen(a[scheme], blindness) - seen(b[scheme], blindness)))
        for a, b in combinations(SERIES, 2)
    }
    assert min(apart.values()) >= 20, apart
