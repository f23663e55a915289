"""The wires of a layout followed with a finger: each edge of the graph leads from its box to its box."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from catdsl.view.cards import Card
from catdsl.view.facts import END, Edge
from catdsl.view.layout_box import Box
from catdsl.view.layout_channel import Wire
from catdsl.view.layout_nets import TOO_CLOSE

Piece = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card lies in the whole picture."""

    left: int
    top: int
    right: int
    bottom: int


def flattened(box: Box, x: int = 0, y: int = 0) -> Iterator[tuple[Place, Card] | Wire]:
    """All cards and wires, with places in the whole picture."""
    yield from (wire.moved(x, y) for wire in box.wires)
    for inner in box.boxes:
        left, top = x + inner.x, y + inner.y
        if isinstance(inner.part, Card):
            yield Place(left, top, left + inner.width, top + inner.height), inner.part
        else:
            yield from flattened(inner, left, top)


def broken(box: Box, edges: list[Edge]) -> list[Edge]:
    """Edges whose wires do not lead from the one card to the other."""
    places: dict[str, Place] = {}
    pieces: dict[Edge, list[Piece]] = {}
    for thing in flattened(box):
        if isinstance(thing, Wire):
            for edge in thing.edges:
                pieces.setdefault(edge, []).extend(_pieces(thing))
        else:
            place, card = thing
            places |= dict.fromkeys(card.nodes or (END,), place)
    return [edge for edge in edges if not _leads(edge, places, pieces.get(edge, []))]


def on_each_other(box: Box) -> list[tuple[Piece, Piece]]:
    """Pieces of wires that lie on each other, or nearly, without having a source or a target in common."""
    return overlaps(thing for thing in flattened(box) if isinstance(thing, Wire))


def overlaps(wires: Iterable[Wire]) -> list[tuple[Piece, Piece]]:
    found = [(piece, wire.edges) for wire in wires for piece in _pieces(wire)]
    result = []
    for i, (a, a_edges) in enumerate(found):
        for b, b_edges in found[:i]:
            if _shared_length(a, b) > 3 and not _related(a_edges, b_edges):
                result.append((a, b))
    return result


def _related(a: frozenset[Edge], b: frozenset[Edge]) -> bool:
    return bool({s for s, _ in a} & {s for s, _ in b}) or bool({t for _, t in a} & {t for _, t in b})


def _pieces(wire: Wire) -> list[Piece]:
    return [(min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)) for (ax, ay), (bx, by) in pairwise(wire.points)]


def _shared_length(a: Piece, b: Piece) -> int:
    """How far two pieces run along each other, too near to be told apart."""
    across = min(a[2], b[2]) - max(a[0], b[0])
    down = min(a[3], b[3]) - max(a[1], b[1])
    if a[0] == a[2] and b[0] == b[2]:
        return down if -across < TOO_CLOSE else 0
    return across if a[1] == a[3] and b[1] == b[3] and -down < TOO_CLOSE else 0


def _touch(a: Piece, b: Piece) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def _leads(edge: Edge, places: Mapping[str, Place], pieces: list[Piece]) -> bool:
    source, target = places[edge[0]], places[edge[1]]
    if source is target:
        return True  # rows of one card
    start = (source.left, source.bottom, source.right, source.bottom)
    goal = (target.left, target.top, target.right, target.top)
    reached, left = [start], list(pieces)
    while reached:
        here = reached.pop()
        if _touch(here, goal):
            return True
        reached += [p for p in left if _touch(here, p)]
        left = [p for p in left if not _touch(here, p)]
    return False
