"""Numbers are short, and as exact as they need to be."""

import pytest

from catdsl.view.describe import amount
from catdsl.view.report.content import Figure, Metric
from catdsl.view.report.wording import (
    decimals_for,
    figure_words,
    figures_of,
    share,
    significant,
    size_of,
    unbroken,
    when,
)


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0"), (999, "999"), (1000, "1.00 K"), (9_059_120_128, "9.06 G"), (4e12, "4.00 T")]
)
def test_amounts(number: int, words: str) -> None:
    assert amount(number) == words


def test_sizes_and_shares() -> None:
    assert [size_of(n) for n in (12, 9_401_000)] == ["12 B", "9.40 MB"]
    assert [share(a, b) for a, b in ((1, 4), (0, 4), (1, 1_000_000), (50, 4), (1, 0))] == [
        "25.0 %", "0.0 %", "<0.1 %", "1250 %", "-",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "decimals"),
    [
        ([0.1540, 0.1535], 4),
        ([0.1567, 0.0359], 4),
        ([14.39, 14.07], 2),
        ([61.53, 412.7], 1),
        ([1234.5], 0),
        ([0.0], 2),
        ([], 2),
        ([float("nan"), 2.0], 3),
        ([1000.0, 0.001], 2),
        ([1e-12], 8),
    ],
)
def test_decimals(values: list[float], decimals: int) -> None:
    assert decimals_for(values) == decimals


def test_figures_of_a_metric_line_up() -> None:
    figures = (
        Figure(answer="teacher", value=0.15404, interval=(0.14793, 0.16041)),
        Figure(answer="student", value=0.1535, interval=(0.15341, 0.15362)),
        Figure(answer="mean image", value=float("nan")),
    )
    metric = Metric(name="m", better="smaller", protocol="", images=1, figures=figures, unit="dB")
    words = figures_of(metric)
    assert figure_words(*words["teacher"]) == "0.1540 dB (0.148 to 0.160)"
    # With a digit less both ends would be 0.153 and 0.154 all the same, which says something; equal ones would not.
    assert words["student"] == ("0.1535 dB", "0.153 to 0.154")
    assert figure_words(*words["mean image"]) == "not a number dB"


def test_an_interval_keeps_its_ends_apart() -> None:
    figure = Figure(answer="a", value=0.1535, interval=(0.15341, 0.15349))
    metric = Metric(name="m", better="smaller", protocol="", images=1, figures=(figure,))
    assert figures_of(metric)["a"][1] == "0.1534 to 0.1535"


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0231, "0.0231"), (0.0, "0.00"), (12.345, "12.3"), (1e-7, "1.00e-07"), (-0.0673, "-0.0673"), (2e7, "2.00e+07")],
)
def test_significant_digits(value: float, words: str) -> None:
    assert significant(value) == words


def test_numbers_stay_with_their_units() -> None:
    space = "\N{NO-BREAK SPACE}"
    text = "25.0 % of 9.06 G, 2.56 MB in 7.93 ms at 256 x 128; 14 dB. 3 Girls, x 2"
    assert unbroken(text) == (
        f"25.0{space}% of 9.06{space}G, 2.56{space}MB in 7.93{space}ms at 256{space}x{space}128; 14{space}dB. "
        "3 Girls, x 2"
    )


def test_dates_to_the_minute() -> None:
    assert when("2026-11-24T14:03:22+00:00") == "2026-11-24 14:03"
    assert when("2026-11-24") == "2026-11-24"
