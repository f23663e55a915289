"""A front as a picture: how much importance is kept at each cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from catdsl.view.axes import Axis
from catdsl.view.plot import Frame, picture
from catdsl.view.plot_style import colour, series
from catdsl.view.svg_elements import line, path, rect, safe, text

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
    cost, kept = (_shares(_nice(max(point.cost for point in points)), _STEP), _shares(1, 1 / _TICKS))
    frame = Frame(
        left=_LEFT, top=_TOP, width=_WIDTH - _LEFT - _RIGHT, height=_HEIGHT - _TOP - _BOTTOM, across=cost, up=kept
    )  # fmt: skip
    elements = [text(24, 34, title, "heading"), text(24, 54, subtitle, "subheading")]
    elements += frame.drawn(across, up, across_words=_percent, up_words=_percent)
    places = [frame.place(point.cost, point.kept) for point in points]
    if len(places) > 1:
        elements.append(path(f"curve {series(0)}", [line(places, 0)]))
    for (x, y), point in zip(places, points, strict=True):
        dot = rect(f"mark {colour(0)}", x - _DOT / 2, y - _DOT / 2, _DOT, _DOT, round_=_DOT / 2)
        elements.append(f"<g><title>{safe(point.label)}</title>{dot}</g>")
    about = "; ".join(point.label for point in points)
    return picture(_WIDTH, _HEIGHT, elements, title=title, about=about, alone=True)


def _shares(high: float, step: float) -> Axis:
    return Axis(0, high, tuple(i * step for i in range(round(high / step) + 1)))


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _nice(share: float) -> float:
    """The end of an axis: the next step."""
    return max(1, ceil(round(share / _STEP, 6))) * _STEP
