"""Nets in a channel between two rows of boxes: the pins that each joins, and which must turn off above which."""

from dataclasses import dataclass

from catdsl.view.facts import Edge

TOO_CLOSE = 7  # pixels between two lines that run along each other

Edges = frozenset[Edge]


@dataclass(frozen=True, slots=True)
class Pin:
    """Where a net leaves the channel: through its lower or upper border, and `reach` pixels on."""

    x: int
    below: bool
    edges: Edges
    reach: int = 0
    arrow: bool = False


@dataclass(frozen=True, slots=True)
class Net:
    """Pins joined by a line across; the `trunk` is the one at which all of the net comes together."""

    trunk: Pin
    pins: tuple[Pin, ...]

    @property
    def every_pin(self) -> tuple[Pin, ...]:
        return (self.trunk, *self.pins)

    @property
    def span(self) -> tuple[int, int]:
        xs = [p.x for p in self.every_pin]
        return min(xs), max(xs)

    @property
    def straight(self) -> bool:
        left, right = self.span
        return left == right


def stands_above(a: Net, b: Net) -> bool:
    """Whether a pin of `a` comes in above one where `b` goes out: `a` must turn off before `b` turns in."""
    above = [p.x for p in a.every_pin if not p.below]
    below = [p.x for p in b.every_pin if p.below]
    return any(abs(x - y) < TOO_CLOSE for x in above for y in below)
