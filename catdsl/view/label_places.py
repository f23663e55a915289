"""Where the labels of points stand in a plot, so that none lies on another: the same for the same points."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from catdsl.view.svg_elements import Point

_GAP = 8.0
_CLEAR = 2.0
_FARTHEST = 40


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def shared(self, other: "Box") -> float:
        """The area that two boxes have in common, with a little room around them."""
        across = min(self.right, other.right) - max(self.left, other.left) + _CLEAR
        down = min(self.bottom, other.bottom) - max(self.top, other.top) + _CLEAR
        return max(across, 0) * max(down, 0)

    def within(self, other: "Box") -> bool:
        aside = self.left >= other.left and self.right <= other.right
        return aside and self.top >= other.top and self.bottom <= other.bottom

    def nearest(self, point: Point) -> Point:
        """The point of the box that is nearest to one outside."""
        x, y = point
        return min(max(x, self.left), self.right), min(max(y, self.top), self.bottom)


def place_labels(points: Sequence[Point], widths: Sequence[float], height: float, room: Box, mark: float) -> list[Box]:
    """A box for the label of each point, within `room`; points are covered by marks of a size of `mark`.

    Each takes the nearest free place beside, above or below its point, in turn. Where `room` has no
    place left that is free, the one that covers least.
    """
    marks = [Box(x - mark / 2, y - mark / 2, mark, mark) for x, y in points]
    placed: list[Box] = []
    for point, width in zip(points, widths, strict=True):
        taken = (*marks, *placed)
        best, least = Box(room.left, room.top, width, height), float("inf")
        for box in _candidates(point, width, height):
            if not box.within(room):
                continue
            covered = sum(box.shared(other) for other in taken)
            if covered < least:
                best, least = box, covered
            if not covered:
                break
        placed.append(best)
    return placed


def _candidates(point: Point, width: float, height: float) -> Iterator[Box]:
    """Places for a label, from the nearest outwards."""
    x, y = point
    for step in range(_FARTHEST):
        for dy in (-step * height / 2, step * height / 2) if step else (0.0,):
            yield Box(x + _GAP, y - height / 2 + dy, width, height)
            yield Box(x - _GAP - width, y - height / 2 + dy, width, height)
            if abs(dy) >= height:
                yield Box(x - width / 2, y - height / 2 + dy, width, height)
