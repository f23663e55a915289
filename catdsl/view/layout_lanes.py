"""Lanes: where a wire passes rows of boxes that it has nothing to do with, beside them or between."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

CLEAR_OF_BOXES = 12
_CLEAR_OF_LANES = 10

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Passage:
    """A net that has to pass rows `first` to `last`; `ends` are the pins that it joins, left or right."""

    net: str
    first: int
    last: int
    ends: tuple[int, ...]


def lanes(passages: Sequence[Passage], rows: Sequence[Sequence[Interval]]) -> Mapping[str, int]:
    """A place for each passage, straight down, nearest to its ends. Rows give the boxes' left and right.

    Short passages choose first and so lie inside; longer ones are led around them.
    """
    found: dict[str, int] = {}
    taken: list[tuple[Passage, int]] = []
    for passage in sorted(passages, key=lambda p: (p.last - p.first, p.first)):
        blocked = [
            (left - CLEAR_OF_BOXES, right + CLEAR_OF_BOXES)
            for row in rows[passage.first : passage.last + 1]
            for left, right in row
        ]
        blocked += [
            (x - _CLEAR_OF_LANES, x + _CLEAR_OF_LANES)
            for other, x in taken
            if other.first <= passage.last + 1 and passage.first <= other.last + 1
        ]
        found[passage.net] = _nearest(passage.ends, _merged(blocked))
        taken.append((passage, found[passage.net]))
    return found


def _merged(blocked: list[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for left, right in sorted(blocked):
        if merged and left < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], right))
        else:
            merged.append((left, right))
    return merged


def _nearest(ends: tuple[int, ...], blocked: list[Interval]) -> int:
    """The free place that makes the shortest wire; to the right where two are as good."""
    candidates = [*ends, *(x for interval in blocked for x in interval)]
    free = [x for x in candidates if not any(left < x < right for left, right in blocked)]
    return min(free, key=lambda x: (sum(abs(x - end) for end in ends), -x))
