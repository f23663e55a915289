"""Labels lie on no other label and no point, as long as there is room."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catdsl.view.label_places import Box, place_labels

_ROOM = Box(0, 0, 700, 340)


def overlaps(boxes: list[Box], points: list[tuple[float, float]]) -> int:
    marks = [Box(x - 4, y - 4, 8, 8) for x, y in points]
    among = sum(a.shared(b) > 0 for i, a in enumerate(boxes) for b in boxes[:i])
    return among + sum(box.shared(mark) > 0 for box in boxes for mark in marks)


@pytest.mark.parametrize("seed", range(20))
def test_a_crowd_is_set_apart(seed: int) -> None:
    numbers = random.Random(seed)
    points = [(numbers.gauss(350, 25), numbers.gauss(170, 12)) for _ in range(12)]
    widths = [numbers.uniform(30, 150) for _ in points]
    boxes = place_labels(points, widths, 15, _ROOM, 8)
    assert overlaps(boxes, points) == 0
    assert all(box.within(_ROOM) for box in boxes)
    assert boxes == place_labels(points, widths, 15, _ROOM, 8)


def test_one_label_stands_at_its_point() -> None:
    ((box,),) = (place_labels([(100, 100)], [40], 15, _ROOM, 8),)
    assert (box.left, box.top) == (108, 92.5)
    ((box,),) = (place_labels([(690, 100)], [40], 15, _ROOM, 8),)
    assert box.right == 682  # to the right there is no room


@given(st.lists(st.tuples(st.floats(0, 700), st.floats(0, 340)), max_size=40))
def test_every_point_has_a_label_in_the_room(points: list[tuple[float, float]]) -> None:
    boxes = place_labels(points, [60.0] * len(points), 15, _ROOM, 8)
    assert len(boxes) == len(points)
    assert all(box.within(_ROOM) for box in boxes)
