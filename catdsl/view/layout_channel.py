"""Wires between two rows of boxes: each net gets a horizontal track of its own, and round corners.

This is channel routing as on a chip. A net has a trunk, the one pin at which all of it comes
together, and other pins. Where a pin of one net stands above a pin of another, the first must turn
off on a track above the second's, or they would lie on each other. Nets of which that is asked in a
circle are cut in two halves with a track each (`layout_doglegs`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from catdsl.view.layout_doglegs import Cut, cut_circles
from catdsl.view.layout_nets import TOO_CLOSE, Edges, Net, Pin

RADIUS = 6
_TRACK_GAP = 9
_ABOVE, _BELOW = 10, 16  # room from the border to the first track, and from the last, for an arrow head
_WEIGHED = 60  # nets in one channel for which crossings are weighed; beyond that it would take long

Points = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Wire:
    """A line through points, and the edges of the graph that run along it. An arrow is at its end."""

    points: Points
    edges: Edges
    arrow: bool = False

    def moved(self, x: int, y: int) -> "Wire":
        return Wire(tuple((a + x, b + y) for a, b in self.points), self.edges, self.arrow)


@dataclass(frozen=True, slots=True)
class Channel:
    """Nets with their tracks (None: straight), counted from above, and which of them are halves of one."""

    nets: tuple[Net, ...]
    tracks: tuple[int | None, ...]
    halves: tuple[tuple[int, int], ...] = ()

    @property
    def right(self) -> int:
        """How far right halves of nets reach: perhaps beyond all boxes."""
        return max((self.nets[i].span[1] for pair in self.halves for i in pair), default=0)

    def height(self, straight: int) -> int:
        """Pixels needed; `straight` where nothing turns."""
        used = [t for t in self.tracks if t is not None]
        return max(straight, _ABOVE + _TRACK_GAP * max(used) + _BELOW) if used else straight

    def wires(self, top: int, bottom: int) -> list[Wire]:
        """The wires of a channel between two heights."""
        used = [t for t in self.tracks if t is not None]
        spare = bottom - top - (_ABOVE + _TRACK_GAP * max(used) + _BELOW) if used else 0
        first = top + _ABOVE + spare // 2
        borders = [(top, bottom) for _ in self.nets]
        for upper, lower in self.halves:
            # Halves meet where the lower one's curves begin.
            y = first + _TRACK_GAP * (self.tracks[lower] or 0) - RADIUS
            borders[upper], borders[lower] = (top, y), (y, bottom)
        wires: list[Wire] = []
        for net, track, between in zip(self.nets, self.tracks, borders, strict=True):
            wires += _drawn(net, first + _TRACK_GAP * track if track is not None else None, *between)
        return wires


def channel(nets: Sequence[Net]) -> Channel:
    """Give every net that turns a track, as high as the others allow."""
    cut = cut_circles(nets)
    turning = [i for i, net in enumerate(cut.nets) if not net.straight]
    before = _constraints(cut, turning)
    tracks: dict[int, int] = {}
    for i in _in_order(cut.nets, turning, before):
        low = max((tracks[j] + 1 for j in before[i] if j in tracks), default=0)
        taken = {t for j, t in tracks.items() if _overlap(cut.nets[i], cut.nets[j])}
        tracks[i] = next(t for t in range(low, low + len(taken) + 1) if t not in taken)
    return Channel(cut.nets, tuple(tracks.get(i) for i in range(len(cut.nets))), cut.halves)


def _constraints(cut: Cut, turning: list[int]) -> dict[int, set[int]]:
    """For each net, those whose track must, or had better, lie above its own."""
    before = {i: set(cut.above[i]) for i in turning}
    wishes: list[tuple[int, int, int]] = []
    for a in turning:
        for b in turning:
            if a < b and len(turning) <= _WEIGHED and _overlap(cut.nets[a], cut.nets[b]):
                wishes.append((_crossings(cut.nets[a], cut.nets[b]) - _crossings(cut.nets[b], cut.nets[a]), a, b))
    for gain, a, b in wishes:
        first, second = (a, b) if gain <= 0 else (b, a)
        if gain and not _leads(before, second, first):
            before[second].add(first)
    return before


def _leads(before: dict[int, set[int]], first: int, second: int) -> bool:
    """Whether `first` already has to lie above `second`."""
    stack, seen = [second], {second}
    while stack:
        for net in before[stack.pop()] - seen:
            if net == first:
                return True
            seen.add(net)
            stack.append(net)
    return False


def _in_order(nets: Sequence[Net], turning: list[int], before: dict[int, set[int]]) -> list[int]:
    """Each net after those above it; else from the left."""
    left = sorted(turning, key=lambda i: (nets[i].span, i))
    order: list[int] = []
    done: set[int] = set()
    while left:
        ready = next(i for i in left if before[i] <= done)
        order.append(ready)
        done.add(ready)
        left.remove(ready)
    return order


def _crossings(upper: Net, lower: Net) -> int:
    """Lines that cross when `upper` has the track above."""
    left, right = upper.span
    crossing = sum(left < p.x < right for p in (lower.trunk, *lower.pins) if not p.below)
    left, right = lower.span
    return crossing + sum(left < p.x < right for p in (upper.trunk, *upper.pins) if p.below)


def _overlap(a: Net, b: Net) -> bool:
    (a_left, a_right), (b_left, b_right) = a.span, b.span
    return a_left - TOO_CLOSE < b_right and b_left - TOO_CLOSE < a_right


# ---- drawing ----


def _drawn(net: Net, y: int | None, top: int, bottom: int) -> list[Wire]:
    trunk = net.trunk
    end = _end(trunk, top, bottom)
    if y is None:
        return [_wire([end, _end(p, top, bottom)], trunk, p) for p in net.pins]
    # Every branch runs into the trunk in a curve, which ends here.
    joint = (trunk.x, y + RADIUS if trunk.below else y - RADIUS)
    everything = trunk.edges | frozenset().union(*(p.edges for p in net.pins))
    # The trunk of a lower half has no length: it begins where it ends.
    wires = [Wire((joint, end), everything, trunk.arrow)] if joint != end else []
    wires += [_wire([joint, _end(p, top, bottom)], None, p) for p in net.pins if p.x == trunk.x]
    for side in (-1, 1):
        pins = sorted((p for p in net.pins if (p.x - trunk.x) * side > 0), key=lambda p: -abs(p.x - trunk.x))
        wires += _branches(pins, trunk.x, joint, y, -side, top, bottom)
    return wires


def _branches(
    pins: list[Pin], trunk_x: int, joint: tuple[int, int], y: int, inward: int, top: int, bottom: int
) -> list[Wire]:
    """The pins on one side of the trunk, from the outermost: a stub each, and the line that gathers them."""
    wires: list[Wire] = []
    gathered: Edges = frozenset()
    turns = [p.x + inward * min(RADIUS, abs(p.x - trunk_x) // 2) for p in pins]
    for i, pin in enumerate(pins):
        gathered |= pin.edges
        stub = [_end(pin, top, bottom), (pin.x, y), (turns[i], y)]
        onward = [(turns[i + 1], y)] if i + 1 < len(pins) else [(trunk_x, y), joint]
        if gathered == pin.edges:
            wires.append(_wire([*stub[:2], *onward][::-1], None, pin))
            continue
        wires.append(_wire(stub[::-1], None, pin))
        wires.append(Wire(((turns[i], y), *onward), gathered))
    return wires


def _end(pin: Pin, top: int, bottom: int) -> tuple[int, int]:
    return (pin.x, bottom + pin.reach) if pin.below else (pin.x, top - pin.reach)


def _wire(points: list[tuple[int, int]], start: Pin | None, end: Pin) -> Wire:
    edges = end.edges if start is None else start.edges | end.edges
    if start is not None and start.arrow:
        return Wire(tuple(points[::-1]), edges, True)
    return Wire(tuple(points), edges, end.arrow)
