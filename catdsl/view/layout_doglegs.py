"""Doglegs: nets of a channel that would have to turn off above each other in a circle, cut in two.

A net whose pin stands above a pin of another must turn off on the track above. Two nets, or more in a
circle, can ask this of each other, and then no order of whole nets serves. One of them is cut: its upper
half joins the pins at the upper border, its lower half those at the lower one, and a line between the
two tracks, clear of every pin, joins the halves. Nothing has to lie above an upper half, and a lower
half above nothing, so that each cut takes a net out of all circles, and what is left has an order.
"""

from bisect import bisect_left, bisect_right, insort
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
    """Cut nets until no circle is left: in each the one, and there, whose lines across get least longer."""
    parts, halves, above = list(nets), list[tuple[int, int]](), _above(nets)
    taken = sorted(pin.x for net in nets for pin in net.every_pin)
    while circle := _circle(above):
        places = {i: _clear_place(parts[i], taken) for i in circle}
        i = min(circle, key=lambda i: (_detour(parts[i], places[i]), i))
        upper, lower = _cut(parts[i], places[i])
        insort(taken, places[i])
        halves.append((i, len(parts)))
        # What had to lie above the net did so for its lower pins; what had to lie below, for its upper ones.
        above.append({*above[i], i})
        above[i] = set()
        parts[i] = upper
        parts.append(lower)
    return Cut(tuple(parts), tuple(halves), tuple(frozenset(them) for them in above))


def _above(nets: Sequence[Net]) -> list[set[int]]:
    """For each net, those that have to turn off above it; one that runs straight on never turns."""
    turning = [i for i, net in enumerate(nets) if not net.straight]
    above: list[set[int]] = [set() for _ in nets]
    for b in turning:
        above[b] = {a for a in turning if a != b and stands_above(nets[a], nets[b])}
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


def _clear_place(net: Net, taken: Sequence[int]) -> int:
    """Where the line between the halves of a net stands: clear of all pins, with the least way round."""
    places = [place for x in taken for place in (x - _CLEAR, x + _CLEAR)]
    # To the right of all pins there always is one.
    free = [x for x in places if x >= _EDGE and bisect_right(taken, x - _CLEAR) == bisect_left(taken, x + _CLEAR)]
    return min(free, key=lambda x: (_detour(net, x), -x))


def _detour(net: Net, x: int) -> int:
    """How many pixels the lines across get longer if the halves of a net meet at `x`."""
    sides = [[x, *(p.x for p in net.every_pin if p.below == below)] for below in (True, False)]
    left, right = net.span
    return sum(max(xs) - min(xs) for xs in sides) - (right - left)


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
