"""Rows of boxes, top to bottom, with their wires: the layout of what lies directly in one scope.

A box stands one row below the lowest of its sources. Wires to the next row run through the channel
between; those that go further pass the rows between in lanes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from catdsl.view.layout_box import Box, Column, Item, Outside, Panel
from catdsl.view.layout_channel import Channel, Wire, channel
from catdsl.view.layout_lanes import Passage, lanes
from catdsl.view.layout_nets import Net, Pin
from catdsl.view.layout_pins import Pins
from catdsl.view.layout_places import Link, ordered, place_rows, settle

BORDER = 14  # from the scope's edge to the first row, and from the last
PORT_GAP = 12
CLEAR_SIDE = 4  # from the outermost line to the scope's edge
_GAP = 18
_STRAIGHT = 24
_FAR = 0.01  # the pull of a wire to a row further on: it decides where nothing else does


@dataclass(frozen=True, slots=True)
class _Places:
    """Where everything stands from left to right: items, lanes of nets, and ports."""

    lefts: list[int]
    lanes: Mapping[str, int]
    ports_in: Mapping[str, int]
    ports_out: Mapping[str, int]

    def moved(self, dx: int) -> "_Places":
        lanes_, ins, outs = (
            {net: x + dx for net, x in where.items()} for where in (self.lanes, self.ports_in, self.ports_out)
        )
        return _Places([x + dx for x in self.lefts], lanes_, ins, outs)


def stack(items: Sequence[Item], outside: Outside, *, clear: int = 0) -> Panel:
    """Lay out items with their wires. Nothing comes in at the top left of `clear`."""
    pins = Pins(items, outside)
    rows = _rows(pins)
    places = _placed(pins, rows, clear)
    return _Router(pins, rows, places).panel()


# ---- from left to right ----


def _rows(pins: Pins) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in range(pins.depth)]
    for i, rank in enumerate(pins.rank):
        rows[rank].append(i)
    return ordered(rows, _links(pins), pins.widths)


def _links(pins: Pins) -> list[Link]:
    return [_link(pins, net, i) for net in pins.nets if net in pins.maker for i in pins.takers.get(net, ())]


def _link(pins: Pins, net: str, lower: int) -> Link:
    upper = pins.maker[net]
    weight = 1.0 if pins.rank[lower] == pins.rank[upper] + 1 else _FAR
    card = pins.items[lower].card
    ends = pins.pin_out(upper, net), pins.axis(lower) if card and card.join else pins.pin_in(lower, net)
    scopes = card is None and pins.items[upper].card is None
    if scopes and not (ends[0] in pins.through(upper) and ends[1] in pins.through(lower)):
        # By pins, a chain of blocks whose wires come in left and go out right would drift aside.
        ends = pins.widths[upper] // 2, pins.widths[lower] // 2
    return Link(upper, ends[0], lower, ends[1], weight)


def _placed(pins: Pins, rows: list[list[int]], clear: int) -> _Places:
    lefts = place_rows(rows, pins.widths, _links(pins), _GAP)
    for i, item in enumerate(pins.items):
        if item.card is not None and item.card.join:
            otherwise = lefts[i] + pins.axis(i)
            pins.sort_slots(i, {net: _source(pins, lefts, net, otherwise) for net in item.needs})
    extents = [[(lefts[i], lefts[i] + pins.widths[i]) for i in row] for row in rows]
    found = lanes([p for net in pins.nets if (p := _passage(pins, lefts, net))], extents)
    edge = min([*lefts, *(x - CLEAR_SIDE for x in found.values())])
    outs = {net: found[net] if net in found else _source(pins, lefts, net, 0) for net in pins.outside.outs}
    places = _Places(lefts, found, {}, outs)
    return replace(places, ports_in=_ports(pins, places, edge + clear)).moved(-edge)


def _source(pins: Pins, lefts: list[int], net: str, otherwise: int) -> int:
    """Where a net comes from."""
    maker = pins.maker.get(net)
    return otherwise if maker is None else lefts[maker] + pins.pin_out(maker, net)


def _passage(pins: Pins, lefts: list[int], net: str) -> Passage | None:
    first, last = pins.first_row(net) + 1, pins.last_row(net) - 1
    if first > last:
        return None
    ends = [lefts[i] + pins.pin_in(i, net) for i in pins.takers.get(net, ())]
    if net in pins.maker:
        ends.append(_source(pins, lefts, net, 0))
    return Passage(net, first, last, tuple(ends))


def _ports(pins: Pins, places: _Places, least: int) -> dict[str, int]:
    """Tensors come in above the middle of where they go, or in line with what goes out."""
    ins = [net for net in pins.outside.ins if net in pins.takers]
    middles = {net: _middle([p.x for p in _below(pins, places, net, 0)], places.ports_out) for net in ins}
    names = sorted(middles, key=lambda n: (middles[n], n))
    ports: dict[str, int] = {}
    for net, x in zip(names, settle([middles[n] for n in names], [0] * len(names), PORT_GAP), strict=True):
        ports[net] = max(least, round(x))
        least = ports[net] + PORT_GAP
    return ports


def _middle(xs: list[int], outs: Mapping[str, int]) -> int:
    middle = (min(xs) + max(xs)) // 2
    in_line = [x for x in outs.values() if min(xs) <= x <= max(xs)]
    return min(in_line, key=lambda x: (abs(x - middle), x)) if in_line else middle


def _below(pins: Pins, places: _Places, net: str, row: int) -> list[Pin]:
    """The pins of a net below the channel above `row`."""
    found = [
        Pin(
            places.lefts[i] + pins.pin_in(i, net), True, pins.edges_into(net, i),
            arrow=pins.items[i].card is not None,
        )
        for i in pins.takers_in(net, row)
    ]  # fmt: skip
    if pins.last_row(net) > row:
        found.append(Pin(places.lanes[net], True, pins.edges_from(net, row + 1)))
    elif row == pins.depth:
        found.append(Pin(places.ports_out[net], True, pins.edges_from(net, row)))
    return found


# ---- from top to bottom ----


class _Router:
    """Heights of rows and channels, and the wires in them."""

    def __init__(self, pins: Pins, rows: list[list[int]], places: _Places):
        self.pins, self.rows, self.places = pins, rows, places
        self.heights = [max(pins.items[i].box.height for i in row) for row in rows]
        self.tops: list[int] = []
        self.wires: list[Wire] = []
        self.right = 0
        y = 0
        for row in range(pins.depth + 1):
            made = self._channel(row)
            height = made.height(BORDER if row in (0, pins.depth) else _STRAIGHT) if made.nets else 0
            self.wires += made.wires(y, y + height)
            self.right = max(self.right, made.right + CLEAR_SIDE)
            y += height
            if row < pins.depth:
                self.tops.append(y)
                self.wires += self._passing(row, y)
                y += self.heights[row]
        self.height = y

    def panel(self) -> Panel:
        boxes = tuple(self._boxed(i) for row in self.rows for i in row)
        places = self.places
        right = max(
            self.right, *(b.x + b.width for b in boxes),
            *(x + CLEAR_SIDE for x in places.lanes.values()),
            *(x + PORT_GAP for x in places.ports_in.values()),
        )  # fmt: skip
        column = Column(0, right, 0, self.height, tuple(zip(self.tops, self.heights, strict=True)))
        return Panel(right, self.height, boxes, tuple(self.wires), places.ports_in, places.ports_out, (column,))

    def _boxed(self, item: int) -> Box:
        box, row = self.pins.items[item].box, self.pins.rank[item]
        return replace(box, x=self.places.lefts[item], y=self.tops[row], width=self.pins.widths[item])

    def _passing(self, row: int, top: int) -> list[Wire]:
        """The lanes beside a row."""
        return [
            Wire(((x, top), (x, top + self.heights[row])), self.pins.edges_from(net, row + 1))
            for net, x in self.places.lanes.items()
            if self.pins.first_row(net) < row < self.pins.last_row(net)
        ]

    def _channel(self, row: int) -> Channel:
        """The nets between `row - 1` and `row`. Those that flow together are one, its trunk at the sum."""
        nets: list[Net] = []
        merging: dict[int, list[Pin]] = {}
        for net in self.pins.nets:
            if not self.pins.first_row(net) < row <= self.pins.last_row(net):
                continue
            below = _below(self.pins, self.places, net, row)
            edges = frozenset().union(*(p.edges for p in below))
            above = Pin(self._above(net, row), False, edges, reach=self._reach(net, row))
            targets = self.pins.takers_in(net, row)
            if len(targets) == 1 and self.pins.merges(net, targets[0]):
                merging.setdefault(below[0].x, []).append(above)
            else:
                nets.append(Net(above, tuple(below)))
        for x, terms in merging.items():
            edges = frozenset().union(*(p.edges for p in terms))
            nets.append(Net(Pin(x, True, edges, arrow=True), tuple(terms)))
        return channel(nets)

    def _above(self, net: str, row: int) -> int:
        """Where a net comes into the channel above `row`."""
        if self.pins.first_row(net) < row - 1:
            return self.places.lanes[net]
        if net in self.pins.maker:
            return _source(self.pins, self.places.lefts, net, 0)
        return self.places.ports_in[net]

    def _reach(self, net: str, row: int) -> int:
        """From the lower edge of a box to that of its row."""
        if row == 0 or self.pins.first_row(net) != row - 1:
            return 0
        return self.heights[row - 1] - self.pins.items[self.pins.maker[net]].box.height
