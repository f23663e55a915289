"""Axes of plots: how far they go, where their ticks stand, and what is written there."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

_TICKS = 5
_LOG_FROM = 1.5  # decades
_MARGIN = 0.05
# What multiples of powers of ten are marked on a logarithmic axis: the first set with enough ticks.
_MULTIPLES = ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8))
_LEAST, _MOST = 3, 7
_ENDLESS = 1e15
_UNITS = (("T", 1e12), ("G", 1e9), ("M", 1e6), ("K", 1e3))


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from `low` to `high`, spread evenly or by their logarithms."""

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False

    def place(self, value: float) -> float:
        """Where a value stands, from 0 to 1; what lies beyond an end stands at it."""
        held = min(max(value, self.low), self.high)
        if self.log:
            return log10(held / self.low) / log10(self.high / self.low)
        return (held - self.low) / (self.high - self.low)


def axis_over(values: Sequence[float]) -> Axis:
    """An axis for values of any size: logarithmic where all are positive and span over 1.5 decades."""
    low, high = min(values), max(values)
    return logarithmic(low, high) if low > 0 and log10(high / low) > _LOG_FROM else linear(low, high)


def linear(low: float, high: float) -> Axis:
    """From a tick at or below `low` to one at or above `high`."""
    if low == high:
        margin = abs(low) / 10 or 1.0
        low, high = low - margin, high + margin
    step = _step((high - low) / _TICKS)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    ticks = tuple(_whole(i * step) for i in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks)


def up_to(high: float) -> Axis:
    """From 0 to `high`, positive, and no further."""
    return Axis(0, high, tuple(tick for tick in linear(0, high).ticks if tick <= high))


def logarithmic(low: float, high: float) -> Axis:
    """A little more than from `low` to `high`, both positive."""
    span = log10(high / low) or 0.1
    low, high = low / 10 ** (span * _MARGIN), high * 10 ** (span * _MARGIN)
    return Axis(low, high, _log_ticks(low, high), log=True)


def _log_ticks(low: float, high: float) -> tuple[float, ...]:
    exponents = range(floor(log10(low)), ceil(log10(high)) + 1)
    for multiples in _MULTIPLES:
        ticks = [_whole(m * 10.0**e) for e in exponents for m in multiples if low <= m * 10.0**e <= high]
        if len(ticks) >= _LEAST:
            return tuple(ticks[:: ceil(len(ticks) / _MOST)])
    return tuple(tick for tick in linear(low, high).ticks if low <= tick <= high)


def compact(value: float) -> str:
    """A tick's value in few characters: `0.001`, `250`, `1.5 M`."""
    for unit, scale in _UNITS:
        if scale <= abs(value) < _ENDLESS:
            return f"{value / scale:g} {unit}"
    mantissa, separator, exponent = f"{value:.6g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if separator else mantissa


def _step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, ... (or 0.1, 0.2, ...) that is no less."""
    power = 10.0 ** floor(log10(least))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))


def _whole(value: float) -> float:
    """Without the last digits that arithmetic in binary leaves behind."""
    return float(f"{value:.12g}")
