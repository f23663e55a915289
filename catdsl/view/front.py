"""A front as a picture: how much importance is kept at each cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from catdsl.view.svg_elements import line, path, rect, safe, text
from catdsl.view.svg_style import style_sheet
from catdsl.view.typeface import STYLES, text_width

_WIDTH, _HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 96, 56
_TICKS = 5
_STEP = 0.1
_DOT = 8


@dataclass(frozen=True, slots=True)
class Point:
    """One plan of a front: its cost and what it keeps, as shares of the teacher's, and words about it."""

    cost: float
    kept: float
    label: str


def render_front(points: Sequence[Point], *, title: str, subtitle: str, across: str, up: str) -> str:
    """A complete SVG, without scripts and without anything from outside; both axes begin at 0."""
    right = _nice(max(point.cost for point in points))
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def place(cost: float, kept: float) -> tuple[float, float]:
        return _LEFT + cost / right * width, _TOP + (1 - kept) * height

    elements = [text(24, 34, title, "heading"), text(24, 54, subtitle, "subheading")]
    for i in range(_TICKS + 1):
        _, y = place(0, i / _TICKS)
        elements.append(path("rule", [f"M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"]))
        elements.append(text(_LEFT - 8, y + 4, f"{i / _TICKS:.0%}", "legend", end=True))
    for i in range(round(right / _STEP) + 1):
        x, _ = place(i * _STEP, 0)
        words = f"{i * _STEP:.0%}"
        elements.append(text(x - text_width(words, *STYLES["legend"]) / 2, _HEIGHT - _BOTTOM + 18, words, "legend"))
    elements.append(text(_WIDTH - _RIGHT, _HEIGHT - 14, across, "legend", end=True))
    elements.append(text(24, _TOP - 14, up, "legend"))
    places = [place(point.cost, point.kept) for point in points]
    if len(places) > 1:
        elements.append(path("wire", [line(places, 0)]))
    for (x, y), point in zip(places, points, strict=True):
        dot = rect("left", x - _DOT / 2, y - _DOT / 2, _DOT, _DOT, round_=_DOT / 2)
        elements.append(f"<g><title>{safe(point.label)}</title>{dot}</g>")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{safe(title)}">'
    )
    style = f"<style>{style_sheet()}</style>"
    page = rect("page", 0, 0, _WIDTH, _HEIGHT)
    return "\n".join((head, f"<title>{safe(title)}</title>", style, page, *elements, "</svg>", ""))


def _nice(share: float) -> float:
    """The end of an axis: the next step."""
    return max(1, ceil(round(share / _STEP, 6))) * _STEP
