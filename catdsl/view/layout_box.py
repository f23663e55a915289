"""What a layout is made of: boxes with their places, and before that, items with their pins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from catdsl.view.cards import Card
from catdsl.view.layout_channel import Wire
from catdsl.view.structure import Scope


@dataclass(frozen=True, slots=True)
class Column:
    """Rows of boxes that stand below each other: the top and the height of each, between two edges.

    What a box loses in height its row may lose, and all that stands below it then moves up.
    """

    left: int
    right: int
    top: int
    bottom: int
    rows: tuple[tuple[int, int], ...]

    def moved(self, x: int, y: int) -> "Column":
        rows = tuple((top + y, height) for top, height in self.rows)
        return Column(self.left + x, self.right + x, self.top + y, self.bottom + y, rows)


@dataclass(frozen=True, slots=True)
class Box:
    """Something laid out, at its place in its parent; wires are those that lie directly in it."""

    x: int
    y: int
    width: int
    height: int
    part: Card | Scope
    boxes: tuple["Box", ...] = ()
    wires: tuple[Wire, ...] = ()
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """A box before it has a place, with its pins.

    A tensor is called by the node that makes it. `needs` says for every tensor from outside which
    nodes within take it, `gives` which tensors go out. Pins are offsets from the left. A card's have
    no fixed place: they are spread when it is known how many there are.
    """

    box: Box
    needs: Mapping[str, tuple[str, ...]]
    gives: tuple[str, ...]
    pins_in: Mapping[str, int]
    pins_out: Mapping[str, int]

    @property
    def card(self) -> Card | None:
        return self.box.part if isinstance(self.box.part, Card) else None


@dataclass(frozen=True, slots=True)
class Outside:
    """What a panel is connected with: tensors that come in, and who takes those that go out."""

    ins: tuple[str, ...] = ()
    outs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Panel:
    """The inside of a scope, and where tensors come in at the top and go out at the bottom."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    ports_in: Mapping[str, int]
    ports_out: Mapping[str, int]
    columns: tuple[Column, ...]


def ranks(items: Sequence[Item]) -> list[int]:
    """The row of each item: one below the lowest of its sources."""
    maker = {net: i for i, item in enumerate(items) for net in item.gives}
    found: dict[int, int] = {}
    # Items come in the order of their first nodes; a source of one may come later.
    for start in range(len(items)):
        waiting = [start]
        while waiting:
            sources = {maker[net] for net in items[waiting[-1]].needs if net in maker}
            missing = sorted(s for s in sources if s not in found)
            if missing:
                waiting += missing
                continue
            found[waiting.pop()] = max((found[s] + 1 for s in sources), default=0)
    return [found[i] for i in range(len(items))]
