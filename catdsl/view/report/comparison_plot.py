"""Fidelity against cost: every teacher joined with its students, on a logarithmic axis of MACs or time."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from catdsl.view.axes import axis_over, logarithmic
from catdsl.view.label_places import Box, place_labels
from catdsl.view.plot import Frame, picture
from catdsl.view.plot_style import colour, series
from catdsl.view.report.comparison import Comparison, Row
from catdsl.view.report.content import TEACHER, Figure, Metric
from catdsl.view.report.wording import better_words, figure_words, figures_of, image_size
from catdsl.view.svg_elements import Point, path, rect, safe, text
from catdsl.view.typeface import STYLES, fit, text_width

Across = Literal["macs", "time"]

_HEIGHT = 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 34, 48
_DOT, _LINE = 9.0, 15.0
_LONGEST = 0.45
_TYPE = STYLES["legend"]


@dataclass(frozen=True, slots=True)
class _Mark:
    """A row that both axes have a value of, and its place among the students (-1 for a teacher)."""

    row: Row
    figure: Figure
    cost: float
    index: int


def comparison_plot(
    comparison: Comparison, metric: Metric, *, across: Across = "macs", width: int = 760, alone: bool = False
) -> str | None:
    """An SVG of this width; None where no row has both a cost and a figure.

    A teacher that runs share is there once. `alone` is a file of its own, with its style.
    """
    marks = tuple(_marks(comparison, metric, across))
    if not marks:
        return None
    costs = [mark.cost for mark in marks]
    values = [v for mark in marks for v in (mark.figure.value, *(mark.figure.interval or ())) if isfinite(v)]
    frame = Frame(
        left=_LEFT, top=_TOP, width=width - _LEFT - _RIGHT, height=_HEIGHT - _TOP - _BOTTOM,
        across=logarithmic(min(costs), max(costs)), up=axis_over(values),
    )  # fmt: skip
    places = _places(frame, marks)
    unit = f" in {metric.unit}" if metric.unit else ""
    scale = ", logarithmic" if frame.up.log else ""
    name = fit(f"{metric.name}{unit}", width - 160, *_TYPE)
    elements = [
        *frame.drawn(_cost_words(comparison, across), f"{name}, {better_words(metric)}{scale}"),
        *_joins(marks, places),
        *(element for mark in marks for element in _dot(frame, mark, metric, places[mark.row.name])),
        *_labels(frame, marks, places),
    ]
    title = f"{metric.name} against {'MACs (exact)' if across == 'macs' else 'time'}"
    return picture(width, _HEIGHT, elements, title=title, about=_described(marks, metric, across), alone=alone)


def _marks(comparison: Comparison, metric: Metric, across: Across) -> Iterator[_Mark]:
    students = 0
    for row in comparison.rows:
        index = -1 if row.part == TEACHER else students
        students += row.part != TEACHER
        figure = metric.of(row.name)
        cost = row.costs.exact if across == "macs" else row.milliseconds
        if figure is not None and isfinite(figure.value) and cost is not None and cost > 0:
            yield _Mark(row, figure, cost, index)


def _cost_words(comparison: Comparison, across: Across) -> str:
    if across == "time":
        return "milliseconds per image, logarithmic"
    sizes = dict.fromkeys(image_size(report.size) for report in comparison.reports)
    return f"MACs (exact) at {' and '.join(sizes)}, logarithmic"


def _places(frame: Frame, marks: tuple[_Mark, ...]) -> dict[str, Point]:
    """The pixel of each mark; those of nearly one cost stand side by side, so that their intervals are seen."""
    exact = {mark.row.name: frame.place(mark.cost, mark.figure.value) for mark in marks}
    lanes: list[list[str]] = []
    for name in sorted(exact, key=lambda name: exact[name][0]):
        if lanes and exact[name][0] - exact[lanes[-1][0]][0] < _DOT:
            lanes[-1].append(name)
        else:
            lanes.append([name])
    places: dict[str, Point] = {}
    for lane in lanes:
        width = (len(lane) - 1) * _DOT
        middle = sum(exact[name][0] for name in lane) / len(lane)
        left = min(max(middle - width / 2, frame.left + _DOT), frame.left + frame.width - _DOT - width)
        places |= {name: (left + i * _DOT, exact[name][1]) for i, name in enumerate(lane)}
    return places


def _joins(marks: tuple[_Mark, ...], places: dict[str, Point]) -> Iterator[str]:
    teachers = {run: mark.row.name for mark in marks if mark.index < 0 for run in mark.row.runs}
    for mark in marks:
        teacher = teachers.get(mark.row.name)
        if mark.index >= 0 and teacher is not None:
            (x, y), (to_x, to_y) = places[teacher], places[mark.row.name]
            yield path(f"curve thin {series(mark.index)}", [f"M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}"])


def _dot(frame: Frame, mark: _Mark, metric: Metric, place: Point) -> Iterator[str]:
    """A teacher is a square, a student a disc; the interval is a line through it."""
    x, y = place
    paint = "whole" if mark.index < 0 else colour(mark.index)
    if mark.figure.interval is not None and all(map(isfinite, mark.figure.interval)):
        low, high = (frame.place(mark.cost, end)[1] for end in mark.figure.interval)
        yield path(f"whisker {paint}", [f"M{x:.1f} {low:.1f}V{high:.1f}"])
    words = f"{mark.row.name}: {figure_words(*figures_of(metric)[mark.row.name])}"
    dot = rect(f"mark {paint}", x - _DOT / 2, y - _DOT / 2, _DOT, _DOT, round_=0 if mark.index < 0 else _DOT / 2)
    yield f"<g><title>{safe(words)}</title>{dot}</g>"


def _labels(frame: Frame, marks: tuple[_Mark, ...], places: dict[str, Point]) -> Iterator[str]:
    room = Box(frame.left + 2, frame.top + 2, frame.width - 4, frame.height - 4)
    words = [fit(mark.row.name, frame.width * _LONGEST, *_TYPE) for mark in marks]
    points = [places[mark.row.name] for mark in marks]
    boxes = place_labels(points, [text_width(w, *_TYPE) for w in words], _LINE, room, _DOT)
    for (x, y), word, box in zip(points, words, boxes, strict=True):
        near_x, near_y = box.nearest((x, y))
        if abs(near_y - y) > _LINE:
            yield path("leader", [f"M{x:.1f} {y:.1f}L{near_x:.1f} {near_y:.1f}"])
        yield text(box.left, box.top + _LINE - 4, word, "name halo")


def _described(marks: tuple[_Mark, ...], metric: Metric, across: Across) -> str:
    words = figures_of(metric)
    unit = "MACs" if across == "macs" else "ms"
    return "; ".join(f"{m.row.name}: {figure_words(*words[m.row.name])} at {m.cost:,.4g} {unit}" for m in marks)
