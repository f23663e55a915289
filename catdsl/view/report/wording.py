"""Numbers as people read them, the same in every form of a report."""

import re
from collections.abc import Iterable
from math import floor, inf, isfinite, log10

from catdsl.view.describe import amount
from catdsl.view.report.content import Difference, Metric

_MOST_DECIMALS = 8
_NUMBER_AND_UNIT = re.compile(r"(?<=\d) (?=(?:%|ms|dB|[KMGT]?B|[KMGT])(?!\w))|(?<=\d) (?=x \d)|(?<=\d x) (?=\d)")


def size_of(number: int) -> str:
    """A number of bytes: `9.32 MB`."""
    words = amount(number)
    return f"{words}B" if " " in words else f"{words} B"


def share(part: float, whole: float) -> str:
    """How much of a whole a part is: `25.0 %`."""
    if not whole:
        return "-"
    value = 100 * part / whole
    return f"{value:.0f} %" if value >= 1000 else f"{value:.1f} %" if value >= 0.05 or not value else "<0.1 %"


def image_size(size: tuple[int, int]) -> str:
    """Height and width: `256 x 256`."""
    return f"{size[0]} x {size[1]}"


def when(date: str) -> str:
    """A date in ISO 8601 to the minute."""
    return date[:16].replace("T", " ")


def unbroken(text: str) -> str:
    """Text in which no line ends between a number and its unit."""
    return _NUMBER_AND_UNIT.sub("\N{NO-BREAK SPACE}", text)


def counted(number: int, what: str) -> str:
    """`1 image`, `50 images`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def significant(value: float, digits: int = 3) -> str:
    """A number to so many digits, without an exponent where it is of a usual size."""
    if not isfinite(value):
        return fixed(value, 0)
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{digits - 1}e}"
    return fixed(value, _decimals(value, digits))


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals; what is no finite number is said in words."""
    if not isfinite(value):
        return "not a number" if value != value else "infinite" if value > 0 else "minus infinite"
    return f"{value:,.{decimals}f}"


def decimals_for(values: Iterable[float]) -> int:
    """Decimals that show all of these: four digits of the largest, or three of the smallest."""
    sizes = [abs(value) for value in values if isfinite(value) and value]
    if not sizes:
        return 2
    most = _decimals(max(sizes), 4)
    return min(max(most, min(_decimals(min(sizes), 3), most + 2)), _MOST_DECIMALS)


def _decimals(value: float, digits: int) -> int:
    return max(digits - 1 - floor(log10(abs(value) or inf)), 0) if value else digits - 1


def figures_of(metric: Metric) -> dict[str, tuple[str, str]]:
    """For each answer of a metric its value, and its interval without brackets or "".

    `("0.1535", "0.148 to 0.160")`; all values of one metric have equally many decimals.
    """
    decimals = decimals_for(figure.value for figure in metric.figures)
    return {
        figure.answer: (_with_unit(fixed(figure.value, decimals), metric.unit), _interval(figure.interval, decimals))
        for figure in metric.figures
    }


def difference_words(difference: Difference, metric: Metric) -> str:
    """`-0.0005 (-0.0021 to 0.0011)`, with the decimals of the metric."""
    decimals = decimals_for(figure.value for figure in metric.figures)
    value, low, high = (fixed(number, decimals) for number in (difference.value, *difference.interval))
    return figure_words(_with_unit(value, metric.unit), f"{low} to {high}")


def figure_words(value: str, interval: str) -> str:
    """`0.1535 (0.148 to 0.160)`."""
    return f"{value} ({interval})" if interval else value


def _interval(interval: tuple[float, float] | None, decimals: int) -> str:
    """A digit less than the value has, unless its ends would then look the same."""
    if interval is None:
        return ""
    short = [fixed(end, max(decimals - 1, 0)) for end in interval]
    low, high = short if short[0] != short[1] else [fixed(end, decimals) for end in interval]
    return f"{low} to {high}"


def _with_unit(number: str, unit: str) -> str:
    return f"{number} {unit}" if unit else number


def better_words(metric: Metric) -> str:
    """`smaller is better`."""
    return f"{metric.better} is better"
