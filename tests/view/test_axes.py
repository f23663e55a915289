"""Axes hold their values, with a handful of ticks that are easy to read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdsl.view.axes import Axis, axis_over, compact, linear, logarithmic, up_to

_SIZES = st.floats(1e-9, 1e12)


def sound(axis: Axis) -> bool:
    """Its ticks lie on it in order, are few, and differ in what is written there."""
    words = [compact(tick) for tick in axis.ticks]
    inside = all(-1e-9 <= axis.place(tick) <= 1 + 1e-9 for tick in axis.ticks)
    return (
        inside
        and list(axis.ticks) == sorted(set(axis.ticks))
        and 2 <= len(words) <= 9
        and len(set(words)) == len(words)
    )


@given(_SIZES, st.floats(1.001, 1e6), st.booleans())
def test_a_linear_axis_holds_what_it_is_for(low: float, factor: float, negative: bool) -> None:
    ends = (-low * factor, low) if negative else (low, low * factor)
    axis = linear(*ends)
    rounding = 1e-6 * (ends[1] - ends[0])
    assert axis.low - rounding <= ends[0] <= ends[1] <= axis.high + rounding
    assert sound(axis)


@given(_SIZES, st.floats(1.01, 1e9))
def test_a_logarithmic_axis_holds_what_it_is_for(low: float, factor: float) -> None:
    axis = logarithmic(low, low * factor)
    assert axis.low < low < low * factor < axis.high
    assert sound(axis)


@pytest.mark.parametrize(
    ("axis", "ticks"),
    [
        (linear(0, 9), ["0", "2", "4", "6", "8", "10"]),
        (linear(-0.3, 1.1), ["-0.5", "0", "0.5", "1", "1.5"]),
        (linear(3, 3), ["2.6", "2.8", "3", "3.2", "3.4"]),
        (linear(0, 0), ["-1", "-0.5", "0", "0.5", "1"]),
        (up_to(1857), ["0", "500", "1 K", "1.5 K"]),
        (logarithmic(0.001, 2), ["0.001", "0.01", "0.1", "1"]),
        (logarithmic(2.2e9, 56.8e9), ["3 G", "10 G", "30 G"]),
        (logarithmic(1e-30, 1), ["1e-31", "1e-26", "1e-21", "1e-16", "1e-11", "1e-6", "0.1"]),
    ],
)
def test_ticks(axis: Axis, ticks: list[str]) -> None:
    assert [compact(tick) for tick in axis.ticks] == ticks


def test_places() -> None:
    assert [linear(0, 10).place(v) for v in (-5, 0, 2.5, 10, 11)] == [0, 0, 0.25, 1, 1]
    axis = Axis(1, 100, (), log=True)
    assert [axis.place(v) for v in (0.1, 1, 10, 100, 1000)] == [0, 0, 0.5, 1, 1]


@pytest.mark.parametrize(
    ("values", "log"), [([1, 31], False), ([1, 32], True), ([0, 1000], False), ([-1, 1000], False), ([5, 5], False)]
)
def test_over_a_decade_and_a_half_the_axis_is_logarithmic(values: list[float], log: bool) -> None:
    assert axis_over(values).log == log
