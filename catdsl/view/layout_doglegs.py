"""Doglegs: nets of a channel that would have to turn off above each other in a circle, cut in two.

A net whose pin stands above a pin of another must turn off on the track above. Two nets, or more in a
circle, can ask this of each other, and then no order of whole nets serves. One of them is cut: its upper
half joins the pins at the upper border, its lower half those at the lower one, and a line between the
two tracks, clear of every pin, joins the halves. Nothing has to lie above an upper half, and a lower
half above nothing, so that each cut takes a net out of all circles, and what is left has an order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catdsl.view.layout_nets import Edges, Net, Pin, stands_above

_CLEAR = 10  # from the line between the halves to any pin: as far as lanes keep apart
_EDGE = 4  # from the left edge of the channel


@dataclass(frozen=True, slots=True)
class Cut:
    """Nets that can be put in an order, and the (upper, lower) halves among them, by index."""

    nets: tuple[Net, ...]
    halves: tuple[tuple[int, int], ...]
    above: tuple[frozenset[int], ...]  # for each net, those that have to lie above it


def cut_circles(nets: Sequence[Net]) -> Cut:
    """Cut as few nets as break all circles, each where its line gets least longer."""
    parts = list(nets)
    halves: list[tuple[int, int]] = []
    above = _above(parts, halves)
    while circle := _circle(above):
        pins = [p.x for net in parts for p in net.every_pin]
        _, i, x = min((_detour(parts[i], x), i, x) for i in circle for x in [_clear_place(parts[i], pins)])
        upper, lower = _cut(parts[i], x)
        parts[i] = upper
        parts.append(lower)
        halves.append((i, len(parts) - 1))
        above = _above(parts, halves)
    return Cut(tuple(parts), tuple(halves), tuple(frozenset(them) for them in above))


def _above(parts: Sequence[Net], halves: Iterable[tuple[int, int]]) -> list[set[int]]:
    """For each net, those that have to turn off above it; one that runs straight on never turns."""
    turning = [i for i, net in enumerate(parts) if not net.straight]
    above: list[set[int]] = [set() for _ in parts]
    for a in turning:
        for b in turning:
            if a != b and stands_above(parts[a], parts[b]):
                above[b].add(a)
    for upper, lower in halves:
        # At the line between them the lower half comes in above where the upper goes out: that is no overlap.
        above[upper].discard(lower)
        above[lower].add(upper)
    return above


def _circle(above: Sequence[set[int]]) -> list[int]:
    """Nets of which each has to lie above the one before, and the first above the last; [] if there are none."""
    left = {i: set(them) for i, them in enumerate(above)}
    while free := [i for i, them in left.items() if not them & left.keys()]:
        for i in free:
            del left[i]
    if not left:
        return []
    path = [min(left)]
    while True:
        following = min(left[path[-1]] & left.keys())
        if following in path:
            return path[path.index(following) :]
        path.append(following)


def _clear_place(net: Net, pins: Sequence[int]) -> int:
    """Where the line between the halves of a net stands: clear of all pins, with the least way round."""
    places = sorted({x + side * _CLEAR for x in pins for side in (-1, 1)})
    # To the right of all pins there always is one.
    free = [x for x in places if x >= _EDGE and all(abs(x - pin) >= _CLEAR for pin in pins)]
    return min(free, key=lambda x: (_detour(net, x), -x))


def _detour(net: Net, x: int) -> int:
    """Pixels that lines across get longer by a cut at `x`."""
    upper, lower = _cut(net, x)
    return sum(right - left for left, right in (upper.span, lower.span)) - (net.span[1] - net.span[0])


def _cut(net: Net, x: int) -> tuple[Net, Net]:
    trunk, above = net.trunk, tuple(p for p in net.pins if not p.below)
    below = tuple(p for p in net.pins if p.below)
    if trunk.below:
        edges = _together(above)
        return Net(Pin(x, True, edges), above), Net(trunk, (*below, Pin(x, False, edges)))
    edges = _together(below)
    return Net(trunk, (*above, Pin(x, True, edges))), Net(Pin(x, False, edges), below)


def _together(pins: Iterable[Pin]) -> Edges:
    return frozenset(edge for pin in pins for edge in pin.edges)
