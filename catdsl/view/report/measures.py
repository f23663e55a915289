"""Metrics of a page: a card each, with every answer's value, its interval, and where that lies among the others."""

from math import isfinite

from catdsl.view.report.content import REAL, STUDENT, TEACHER, Figure, Metric
from catdsl.view.report.markup import Html, element, joined
from catdsl.view.report.tables import remarks
from catdsl.view.report.wording import better_words, counted, figures_of

_ARROWS = {"smaller": "\N{DOWNWARDS ARROW}", "larger": "\N{UPWARDS ARROW}"}
_MARGIN = 0.08


def metric_card(metric: Metric) -> Html:
    """One metric; what it was not measured for is said."""
    about = f"{_ARROWS[metric.better]} {better_words(metric)}"
    about += f", {counted(metric.images, 'image')}" if metric.figures else ""
    ends = _ends(metric)
    rows = (_row(metric, figure, ends) for figure in metric.figures)
    return element(
        "article",
        element("h3", metric.name, element("span", about)),
        element("dl", joined(rows)) if metric.figures else None,
        joined(element("p", remark) for remark in remarks(metric)),
        class_="metric",
    )


def _row(metric: Metric, figure: Figure, ends: tuple[float, float] | None) -> Html:
    value, interval = figures_of(metric)[figure.answer]
    between = element("span", f" ({interval})", class_="interval") if interval else None
    return element(
        "div",
        element("dt", figure.answer),
        element("dd", value, between),
        None if ends is None else _strip(figure, ends),
        class_=None if figure.answer in (TEACHER, STUDENT, REAL) else "trivial",
    )


def _ends(metric: Metric) -> tuple[float, float] | None:
    """What the strips of all answers go from and to; nothing where there is nothing to compare."""
    values = [end for figure in metric.figures for end in (figure.value, *(figure.interval or ())) if isfinite(end)]
    if len(metric.figures) < 2 or not values or min(values) == max(values):
        return None
    margin = (max(values) - min(values)) * _MARGIN
    return min(values) - margin, max(values) + margin


def _strip(figure: Figure, ends: tuple[float, float]) -> Html:
    """A dot with its interval on the scale that all answers of the metric share."""
    if not isfinite(figure.value):
        return element("dd", class_="strip", aria_hidden="true")

    def place(value: float) -> float:
        return round(100 * (min(max(value, ends[0]), ends[1]) - ends[0]) / (ends[1] - ends[0]), 2)

    low, high = map(place, figure.interval or (figure.value, figure.value))
    return element(
        "dd",
        element("i", style=f"left:{low:g}%;width:{high - low:.4g}%"),
        element("b", style=f"left:{place(figure.value):g}%"),
        class_="strip", aria_hidden="true",
    )  # fmt: skip
