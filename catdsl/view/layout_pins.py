"""The nets of one scope: which rows they join, and at which pins they meet the boxes there."""

from collections.abc import Sequence

from catdsl.view.facts import Edge
from catdsl.view.layout_box import Item, Outside, ranks
from catdsl.view.layout_nets import Edges

_SLOT = 14


class Pins:
    """Items in rows. A net is called by the node that makes its tensor.

    Terms of a sum may flow together before they reach it and share a pin, unless one also goes
    elsewhere: then it could not be told what goes where. Signs grow as wide as their pins need.
    """

    def __init__(self, items: Sequence[Item], outside: Outside):
        self.items, self.outside = items, outside
        self.rank = ranks(items)
        self.depth = max(self.rank) + 1
        self.maker = {net: i for i, item in enumerate(items) for net in item.gives}
        self.takers: dict[str, list[int]] = {}
        for i, item in enumerate(items):
            for net in item.needs:
                self.takers.setdefault(net, []).append(i)
        nets = dict.fromkeys([*outside.ins, *self.maker])
        self.nets = tuple(n for n in nets if n in self.takers or n in outside.outs)
        self.slots = {i: self._slots(i) for i, item in enumerate(items) if item.card}
        self.widths = [self._width(i) for i in range(len(items))]

    # ---- nets ----

    def first_row(self, net: str) -> int:
        """The row that makes a net; -1 where it comes from outside."""
        return self.rank[self.maker[net]] if net in self.maker else -1

    def last_row(self, net: str) -> int:
        """The lowest row that takes it; one more than there are where it goes out."""
        if net in self.outside.outs:
            return self.depth
        return max(self.rank[i] for i in self.takers[net])

    def takers_in(self, net: str, row: int) -> list[int]:
        return [i for i in self.takers.get(net, ()) if self.rank[i] == row]

    def edges_into(self, net: str, item: int) -> Edges:
        return frozenset((net, user) for user in self.items[item].needs[net])

    def edges_from(self, net: str, row: int) -> Edges:
        """The edges of a net that end in `row` or below."""
        found: set[Edge] = set()
        for i in self.takers.get(net, ()):
            if self.rank[i] >= row:
                found |= self.edges_into(net, i)
        found.update((net, user) for user in self.outside.outs.get(net, ()))
        return frozenset(found)

    def merges(self, net: str, item: int) -> bool:
        """Whether a net may flow together with others on its way to a sum."""
        card, row = self.items[item].card, self.rank[item]
        alone = self.takers_in(net, row) == [item] and self.last_row(net) == row
        return card is not None and card.join and alone

    # ---- pins ----

    def pin_in(self, item: int, net: str) -> int:
        """Where a net comes into an item, from the left of it."""
        card = self.items[item].card
        if card is None:
            return self.items[item].pins_in[net]
        slots = self.slots[item]
        near = {slots[n] for n in slots if self.first_row(n) == self.rank[item] - 1}
        # What comes from right above comes in at the middle, so that a chain is straight.
        middle = min(near) if len(near) == 1 and not card.join else max(slots.values()) / 2
        return self.axis(item) + round((slots[net] - middle) * _SLOT)

    def pin_out(self, item: int, net: str) -> int:
        return self.axis(item) if self.items[item].card else self.items[item].pins_out[net]

    def axis(self, item: int) -> int:
        """The middle of a card's body: captions stand to the right of it."""
        card = self.items[item].card
        assert card is not None
        return card.axis + (self.widths[item] - card.width) // 2

    def through(self, item: int) -> set[int]:
        """Where a wire comes into a scope straight above where one goes out."""
        return set(self.items[item].pins_in.values()) & set(self.items[item].pins_out.values())

    def sort_slots(self, item: int, places: dict[str, float]) -> None:
        """The terms of a sum may come in any order: in that of the places that they come from."""
        slots = self.slots[item]
        sources: dict[int, list[float]] = {}
        for net, slot in slots.items():
            sources.setdefault(slot, []).append(places[net])
        by_place = sorted(sources, key=lambda s: (sum(sources[s]) / len(sources[s]), s))
        self.slots[item] = {net: by_place.index(slot) for net, slot in slots.items()}

    def _slots(self, item: int) -> dict[str, int]:
        """The place of each input among the pins of a card."""
        slots: dict[str, int] = {}
        shared: int | None = None
        count = 0
        for net in self.items[item].needs:
            if self.merges(net, item) and shared is not None:
                slots[net] = shared
                continue
            if self.merges(net, item):
                shared = count
            slots[net], count = count, count + 1
        return slots

    def _width(self, item: int) -> int:
        card = self.items[item].card
        if card is None or not card.join:
            return self.items[item].box.width
        return card.width + _SLOT * max(self.slots[item].values(), default=0)
