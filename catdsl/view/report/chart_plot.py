"""A chart as SVG: noisy curves pale, their trends strong, and a legend with where each has come to."""

from collections.abc import Sequence
from itertools import chain
from math import isfinite

from catdsl.view.axes import Axis, axis_over, linear, up_to
from catdsl.view.plot import Frame, picture
from catdsl.view.plot_style import colour, series
from catdsl.view.report.content import Chart, Curve
from catdsl.view.report.wording import significant
from catdsl.view.svg_elements import path, text
from catdsl.view.typeface import STYLES, fit, text_width

_WIDTH, _PLOT = 400, 190
_LEFT, _RIGHT, _TOP, _BELOW = 48, 14, 30, 42
_TITLE = 24
_ROW, _SAMPLE, _GAP, _APART = 18, 18, 5, 14

Points = Sequence[tuple[float, float]]


def render_chart(chart: Chart, *, alone: bool = False) -> str:
    """The SVG of a chart; `alone` as a file of its own, with its title and its style.

    Values that are no numbers leave a gap. The upright axis is logarithmic where that shows more.
    """
    top = _TOP + (_TITLE if alone else 0)
    up = _upright(chart)
    last = max((step for curve in chart.curves for step, _ in curve.points), default=1)
    frame = Frame(
        left=_LEFT, top=top, width=_WIDTH - _LEFT - _RIGHT, height=_PLOT, across=up_to(max(last, 1)), up=up
    )  # fmt: skip
    elements = [text(0, 22, fit(chart.title, _WIDTH, *STYLES["legend"]), "name")] if alone else []
    elements += frame.drawn("step", f"{chart.up}, logarithmic" if up.log else chart.up)
    elements += _pale(frame, chart.curves)
    # Trends lie above all that is pale.
    for i, curve in enumerate(chart.curves):
        elements.append(path(f"curve {series(i)}", _pieces(frame, curve.trend or curve.points)))
    legend, height = _legend(chart.curves, top + _PLOT + _BELOW)
    return picture(
        _WIDTH, top + _PLOT + _BELOW + height, [*elements, *legend],
        title=chart.title, about=described(chart), alone=alone,
    )  # fmt: skip


def described(chart: Chart) -> str:
    """A chart in words."""
    return "; ".join(_described(curve) for curve in chart.curves)


def _described(curve: Curve) -> str:
    points = _finite(curve.points)
    if not points:
        return f"{curve.name}: no values"
    (first, began), (last, ended) = points[0], points[-1]
    return f"{curve.name}: {significant(began)} at step {first:g}, {significant(ended)} at step {last:g}"


def _upright(chart: Chart) -> Axis:
    values = [value for curve in chart.curves for _, value in _finite(curve.points)]
    if not values:
        return linear(0, 1)
    # A single step very near to 0 must not take most of a logarithmic axis.
    floors = [min(value for _, value in _finite(curve.trend)) for curve in chart.curves if _finite(curve.trend)]
    if len(floors) == len(chart.curves) and min(values) > 0:
        return axis_over([max(value, min(floors) / 10) for value in values])
    return axis_over(values)


def _finite(points: Points) -> list[tuple[float, float]]:
    return [(step, value) for step, value in points if isfinite(value)]


def _pale(frame: Frame, curves: Sequence[Curve]) -> list[str]:
    """Every step of the curves that have a trend."""
    return [
        path(f"curve raw {colour(i)}", _pieces(frame, curve.points)) for i, curve in enumerate(curves) if curve.trend
    ]


def _pieces(frame: Frame, points: Points) -> list[str]:
    """Path commands for a line that is broken where a value is no number."""
    commands, drawing = [], False
    for step, value in points:
        if not isfinite(value):
            drawing = False
            continue
        x, y = frame.place(step, value)
        commands.append(f"{'L' if drawing else 'M'}{x:.1f} {y:.1f}")
        drawing = True
    return commands


def _legend(curves: Sequence[Curve], top: float) -> tuple[list[str], float]:
    """Rows of line, name and the last value of each curve's trend, and the height that they take."""
    elements: list[str] = []
    x, y, right = 0.0, top, _WIDTH - _RIGHT
    for i, curve in enumerate(curves):
        last = next(chain(reversed(_finite(curve.trend)), reversed(_finite(curve.points))), None)
        value = "" if last is None else f"  {significant(last[1])}"
        room = right - _SAMPLE - _GAP - text_width(value, *STYLES["legend"])
        words = fit(curve.name, room, *STYLES["legend"])
        name, whole = text_width(words, *STYLES["legend"]), text_width(words + value, *STYLES["legend"])
        if x and x + _SAMPLE + _GAP + whole > right:
            x, y = 0.0, y + _ROW
        elements.append(path(f"curve {series(i)}", [f"M{x:.1f} {y + 9:.1f}h{_SAMPLE}"]))
        elements.append(text(x + _SAMPLE + _GAP, y + 13, words, "name"))
        elements.append(text(x + _SAMPLE + _GAP + name, y + 13, value, "legend"))
        x += _SAMPLE + _GAP + whole + _APART
    return elements, (y - top + _ROW + 6) if curves else 0
