"""Columns: a stack that would grow far taller than wide, cut and set side by side like text.

Always from top to bottom, then on at the top of the next column: what goes on runs below the
column that ends, up the gutter, and in from above.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import log

from catdsl.view.layout_box import Item, Outside, Panel, ranks
from catdsl.view.layout_channel import Channel, Wire, channel
from catdsl.view.layout_nets import Edges, Net, Pin
from catdsl.view.layout_stack import BORDER, CLEAR_SIDE, PORT_GAP, stack

_ASPECT = 1.3  # width to height that a picture had best
_TALL_ENOUGH = 900  # and this many times as tall as wide
_TOO_TALL = 1.6
_MOST_COLUMNS = 8
_UNEVEN = 1.35  # how much taller than the mean a column may be
_MOST_WIRES = 2  # that may be led to the next column at one cut: more would be a knot
_GUTTER, _LANE = 36, 10


def arrange(items: Sequence[Item], outside: Outside, *, clear: int = 0) -> Panel:
    """Items in one stack, or in columns where that makes a better shape."""
    single = stack(items, outside, clear=clear)
    if single.height < max(_TALL_ENOUGH, _TOO_TALL * single.width):
        return single
    rank = ranks(items)
    rows = [[i for i, r in enumerate(rank) if r == row] for row in range(max(rank) + 1)]
    tops = sorted({b.y for b in single.boxes})
    heights = [low - high for high, low in zip(tops, [*tops[1:], single.height], strict=True)]
    cuts = _cuts(items, rows, outside)
    best = single
    for count in range(2, min(_MOST_COLUMNS, len(rows)) + 1):
        parts = _divided(rows, heights, cuts, count)
        if len(parts) == count and _even(parts, rank, heights):
            made = _Columns(items, parts, outside, clear).panel()
            best = min(best, made, key=_ugliness)
    return best


def _even(parts: list[list[int]], rank: list[int], heights: list[int]) -> bool:
    """Whether columns are of similar height; else most of the space would stay empty."""
    tallest = max(sum(heights[row] for row in {rank[i] for i in part}) for part in parts)
    return tallest <= _UNEVEN * sum(heights) / len(parts)


def _ugliness(panel: Panel) -> float:
    return abs(log(panel.width / panel.height / _ASPECT))


def _cuts(items: Sequence[Item], rows: list[list[int]], outside: Outside) -> list[bool]:
    """Whether the stack may be cut below each row."""
    row_of = {i: r for r, row in enumerate(rows) for i in row}
    maker = {net: i for i, item in enumerate(items) for net in item.gives}
    last: dict[str, int] = dict.fromkeys(outside.outs, len(rows))
    for i, item in enumerate(items):
        for net in item.needs:
            last[net] = max(last.get(net, 0), row_of[i])
    crossing = [0] * (len(rows) + 1)
    for net, low in last.items():
        for row in range(row_of[maker[net]] if net in maker else 0, min(low, len(rows))):
            crossing[row] += 1
    return [crossing[row] <= _MOST_WIRES for row in range(len(rows) - 1)]


def _divided(rows: list[list[int]], heights: list[int], cuts: list[bool], count: int) -> list[list[int]]:
    """The items of at most `count` columns, the tallest of them as low as can be."""
    low, high = max(heights), sum(heights)
    while low < high:
        middle = (low + high) // 2
        if len(_filled(rows, heights, cuts, middle)) <= count:
            high = middle
        else:
            low = middle + 1
    # A little room more may let an earlier column be the fuller one, as in print.
    roomy = _filled(rows, heights, cuts, low + low // 20)
    return roomy if len(roomy) == count else _filled(rows, heights, cuts, low)


def _filled(rows: list[list[int]], heights: list[int], cuts: list[bool], limit: int) -> list[list[int]]:
    """Columns filled from the first on, each up to the last cut before the limit."""
    columns: list[list[int]] = []
    start = 0
    while start < len(rows):
        end, height = len(rows), 0
        last_cut = None
        for row in range(start, len(rows)):
            height += heights[row]
            if height > limit and last_cut is not None:
                end = last_cut
                break
            if row < len(cuts) and cuts[row]:
                last_cut = row + 1
        columns.append([i for row in rows[start:end] for i in row])
        start = end
    return columns


class _Columns:
    """Columns side by side with the wires between them."""

    def __init__(self, items: Sequence[Item], parts: list[list[int]], outside: Outside, clear: int):
        self.outside, self.clear = outside, clear
        self.parts = [[items[i] for i in sorted(part)] for part in parts]
        self.made_in = {net: c for c, part in enumerate(self.parts) for item in part for net in item.gives}
        self.taken_in: dict[str, dict[int, tuple[str, ...]]] = {}
        for c, part in enumerate(self.parts):
            for item in part:
                for net, users in item.needs.items():
                    columns = self.taken_in.setdefault(net, {})
                    columns[c] = columns.get(c, ()) + users
        self.panels = [stack(part, self._outside(c, part)) for c, part in enumerate(self.parts)]
        self._place()

    def _outside(self, column: int, part: list[Item]) -> Outside:
        """What a column is connected with: the scope's surroundings and the other columns."""
        ins = dict.fromkeys(net for item in part for net in item.needs if self.made_in.get(net, -1) != column)
        outs = {}
        for net in (net for item in part for net in item.gives):
            later = [u for c, users in self.taken_in.get(net, {}).items() if c > column for u in users]
            users = (*later, *self.outside.outs.get(net, ()))
            if users:
                outs[net] = users
        return Outside(tuple(ins), outs)

    def _going_on(self, column: int) -> list[str]:
        """Nets made in a column that a later one takes."""
        return [
            net for net, made in self.made_in.items()
            if made == column and any(c > column for c in self.taken_in.get(net, {}))
        ]  # fmt: skip

    def _place(self) -> None:
        self.lefts: list[int] = []
        self.lanes: dict[str, int] = {}
        x = 0
        for c, panel in enumerate(self.panels):
            self.lefts.append(x)
            x += panel.width
            onward = self._going_on(c)
            for k, net in enumerate(onward):
                self.lanes[net] = x + _GUTTER // 2 + k * _LANE
            if c + 1 < len(self.panels):
                x += _GUTTER + _LANE * max(0, len(onward) - 1)
        self.width = x

    def _entries(self, net: str) -> tuple[Pin, ...]:
        """The pins at which a net comes into columns other than its own."""
        return tuple(
            Pin(self.lefts[c] + self.panels[c].ports_in[net], True, frozenset((net, user) for user in users))
            for c, users in self.taken_in.get(net, {}).items()
            if self.made_in.get(net, -1) != c
        )

    def panel(self) -> Panel:
        upper, ports_in = self._upper()
        top = upper.height(BORDER) if self.outside.ins else upper.height(0)
        tallest = max(p.height for p in self.panels)
        lower, ports_out = self._lower(tallest)
        floor = top + tallest
        bottom = floor + lower.height(0)
        wires = [*upper.wires(0, top), *lower.wires(floor, bottom)]
        wires += [Wire(((x, floor), (x, top)), self._arriving(net)) for net, x in self.lanes.items()]
        boxes = []
        for left, made in zip(self.lefts, self.panels, strict=True):
            boxes += [replace(b, x=b.x + left, y=b.y + top) for b in made.boxes]
            wires += [w.moved(left, top) for w in made.wires]
        columns = tuple(
            column.moved(left, top)
            for left, made in zip(self.lefts, self.panels, strict=True)
            for column in made.columns
        )
        width = max(self.width, upper.right + CLEAR_SIDE, lower.right + CLEAR_SIDE)
        return Panel(width, bottom, tuple(boxes), tuple(wires), ports_in, ports_out, columns)

    def _arriving(self, net: str) -> Edges:
        return frozenset(e for p in self._entries(net) for e in p.edges)

    def _upper(self) -> tuple[Channel, dict[str, int]]:
        """The channel above all columns, and where tensors come into it."""
        nets = []
        ports: dict[str, int] = {}
        least = self.clear
        firsts = {n: min(p.x for p in self._entries(n)) for n in self.outside.ins if n in self.taken_in}
        for net in sorted(firsts, key=lambda n: (firsts[n], n)):
            ports[net] = max(least, firsts[net])
            least = ports[net] + PORT_GAP
            nets.append(Net(Pin(ports[net], False, self._arriving(net)), self._entries(net)))
        for net, x in self.lanes.items():
            nets.append(Net(Pin(x, True, self._arriving(net)), self._entries(net)))
        return channel(nets), ports

    def _lower(self, tallest: int) -> tuple[Channel, dict[str, int]]:
        """The channel below all columns, and where tensors go out of it."""
        nets = []
        ports: dict[str, int] = {}
        for c, panel in enumerate(self.panels):
            for net, place in panel.ports_out.items():
                x, reach = self.lefts[c] + place, tallest - panel.height
                out = frozenset((net, user) for user in self.outside.outs.get(net, ()))
                pins = []
                if net in self.lanes:
                    pins.append(Pin(self.lanes[net], False, self._arriving(net)))
                if out:
                    ports[net] = x
                    pins.append(Pin(x, True, out))
                edges = frozenset(e for p in pins for e in p.edges)
                nets.append(Net(Pin(x, False, edges, reach), tuple(pins)))
        return channel(nets), ports
