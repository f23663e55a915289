"""Channels of nets at random, as dense as boxes allow: no line lies on another, and every net is whole."""

from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catdsl.view import layout_channel
from catdsl.view.facts import Edge
from catdsl.view.layout_channel import Wire, channel
from catdsl.view.layout_doglegs import Cut, cut_circles
from catdsl.view.layout_nets import Net, Pin, stands_above
from tests.examples import examples
from tests.view.wiring import overlaps

_TOP, _APART = 50, 14

Point = tuple[int, int]


@st.composite
def pins(draw: st.DrawFn, count: int) -> list[int]:
    """Places on one border: as near to each other as those of a card, and anywhere to those on the other."""
    gaps = draw(st.lists(st.sampled_from((_APART, _APART + 3, 40)), min_size=count, max_size=count))
    places = [draw(st.integers(20, 40))]
    for gap in gaps[1:]:
        places.append(places[-1] + gap)
    return draw(st.permutations(places))


@st.composite
def channels(draw: st.DrawFn) -> list[Net]:
    """Nets from one pin to several below, or from several above to one."""
    fans = draw(st.lists(st.tuples(st.booleans(), st.integers(1, 4)), min_size=1, max_size=8))
    above = draw(pins(sum(1 if down else fan for down, fan in fans)))
    below = draw(pins(sum(fan if down else 1 for down, fan in fans)))
    nets = []
    for i, (down, fan) in enumerate(fans):
        many = below if down else above
        edges: list[Edge] = [(f"{i}", f"{i}.{k}") if down else (f"{i}.{k}", f"{i}") for k in range(fan)]
        ends = tuple(Pin(many.pop(), down, frozenset({edge}), arrow=down) for edge in edges)
        trunk = Pin((above if down else below).pop(), not down, frozenset(edges), arrow=not down)
        nets.append(Net(trunk, ends))
    return nets


def drawn(nets: list[Net]) -> list[Wire]:
    made = channel(nets)
    return made.wires(_TOP, _TOP + made.height(24))


def cut_off(net: Net, wires: list[Wire], bottom: int) -> list[Edge]:
    """Edges of a net whose wires do not lead from pin to pin."""
    start = _end(net.trunk, bottom)
    return [
        edge
        for pin in net.pins
        for edge in pin.edges
        if not _joined(start, _end(pin, bottom), [w for w in wires if edge in w.edges])
    ]


def _end(pin: Pin, bottom: int) -> Point:
    return pin.x, bottom if pin.below else _TOP


def _joined(start: Point, end: Point, wires: list[Wire]) -> bool:
    reached, left = {start}, wires
    while near := [w for w in left if any(_lies_on(point, w) for point in reached)]:
        left = [w for w in left if w not in near]
        reached |= {point for wire in near for point in wire.points}
    return end in reached


def _lies_on(point: Point, wire: Wire) -> bool:
    x, y = point
    pieces = [(*sorted((a, c)), *sorted((b, d))) for (a, b), (c, d) in pairwise(wire.points)]
    return any(left <= x <= right and top <= y <= bottom for left, right, top, bottom in pieces)


@settings(max_examples=examples(150))
@given(channels())
def test_no_line_lies_on_another(nets: list[Net]) -> None:
    made = channel(nets)
    bottom = _TOP + made.height(24)
    wires = made.wires(_TOP, bottom)
    assert overlaps(wires) == []
    for net in nets:
        assert cut_off(net, wires, bottom) == []


@settings(max_examples=examples(150))
@given(channels())
def test_only_nets_in_circles_are_cut(nets: list[Net]) -> None:
    cut = cut_circles(nets)
    whole = [i for i in range(len(nets)) if i not in {upper for upper, _ in cut.halves}]
    assert [cut.nets[i] for i in whole] == [nets[i] for i in whole]
    for upper, lower in cut.halves:
        other = [net for i, net in enumerate(nets) if i != upper]
        assert any(stands_above(nets[upper], net) for net in other)
        assert any(stands_above(net, nets[upper]) for net in other)
        assert all(not pin.below for pin in cut.nets[upper].every_pin if pin in nets[upper].every_pin)
        assert all(pin.below for pin in cut.nets[lower].every_pin if pin in nets[upper].every_pin)


def crossed() -> list[Net]:
    """Two nets, each with its upper pin nearly above the lower one of the other."""
    one, other = frozenset({("a", "c")}), frozenset({("b", "d")})
    return [Net(Pin(20, False, one), (Pin(104, True, one),)), Net(Pin(100, False, other), (Pin(24, True, other),))]


def test_nets_that_are_not_cut_lie_on_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    assert overlaps(drawn(crossed())) == []
    assert len(cut_circles(crossed()).halves) == 1

    def whole(nets: list[Net]) -> Cut:
        return Cut(tuple(nets), (), tuple(frozenset() for _ in nets))

    monkeypatch.setattr(layout_channel, "cut_circles", whole)
    assert overlaps(drawn(crossed()))


def test_lines_beyond_all_boxes_are_part_of_the_width() -> None:
    """Where pins stand too close for a line between them, it runs beside them all."""
    edges = [frozenset({(f"a{i}", f"b{i}")}) for i in range(6)]
    # Each net goes to the pin below its neighbour on the left, the first to the rightmost.
    nets = [
        Net(Pin(20 + _APART * i, False, edge), (Pin(20 + _APART * ((i - 1) % 6), True, edge),))
        for i, edge in enumerate(edges)
    ]
    made = channel(nets)
    wires = made.wires(0, made.height(24))
    assert overlaps(wires) == []
    assert made.right == max(x for wire in wires for x, _ in wire.points) > 20 + _APART * 5


def test_many_circles_are_cut_in_time() -> None:
    edges = [frozenset({(f"a{i}", f"b{i}")}) for i in range(200)]
    nets = [
        Net(Pin(20 + _APART * i, False, edge), (Pin(20 + _APART * ((i + 100) % 200), True, edge),))
        for i, edge in enumerate(edges)
    ]
    began = process_time()
    assert len(cut_circles(nets).halves) == 100
    assert process_time() - began < 5
