"""What the page's script knows of a picture: its nodes, its widths and its boxes, as JSON values in columns."""

from collections.abc import Iterable
from typing import Any

from catdsl.analysis.cost import METRICS, Cost
from catdsl.diagnostics.printable import printable
from catdsl.view.describe import alteration, call, fate
from catdsl.view.facts import Facts, State
from catdsl.view.structure import taps_by_node
from catdsl.view.svg import Placed

SAFE = 2**53  # below it, JavaScript's numbers hold every integer

_STATES = (State.PRESENT, State.BYPASSED, State.GONE, State.NEW)


def nodes_of(facts: Facts) -> dict[str, Any]:
    """Columns over the nodes: what never changes, and what the picture says at first.

    Arguments and places are indices into lists of their own, since many nodes share them.
    """
    graph = facts.drawn
    number = {name: i for i, name in enumerate(facts.deciding)}
    taps = taps_by_node(graph)
    calls, places = _Pool(), _Pool()
    return {
        "name": [n.name for n in graph.nodes],
        "call": [calls.index(call(n)) for n in graph.nodes],
        "calls": calls.texts,
        "place": [places.index("" if n.span is None else printable(str(n.span))) for n in graph.nodes],
        "places": places.texts,
        "widths": [[number[w] for w in dict.fromkeys(s.width for s in n.type.channels)] for n in graph.nodes],
        "full": [facts.bars[n.name].full if n.name in facts.bars else -1 for n in graph.nodes],
        "left": [facts.bars[n.name].filled if n.name in facts.bars else -1 for n in graph.nodes],
        "own": [int(n.name in facts.bars and facts.bars[n.name].own) for n in graph.nodes],
        "state": [_STATES.index(facts.states[n.name]) for n in graph.nodes],
        "shape": [list(facts.shapes[n.name]) for n in graph.nodes],
        "states": [fate(state, facts) for state in _STATES],
        "were": {str(i): alteration(n, facts) for i, n in enumerate(graph.nodes) if n.name in facts.were},
        "cost": [_written(facts.costs.get(n.name, Cost())) for n in graph.nodes],
        "before": [_written(facts.costs_before.get(n.name, Cost())) for n in graph.nodes if facts.costs_before],
        "tap": {str(i): taps[n.name] for i, n in enumerate(graph.nodes) if n.name in taps},
    }


def _written(cost: Cost) -> list[int | str]:
    """Figures as JSON that JavaScript reads exactly: as text from 2^53 on."""
    values = (getattr(cost, metric) for metric in METRICS)
    return [value if value < SAFE else str(value) for value in values]


def widths_of(facts: Facts) -> dict[str, Any]:
    """Columns over the widths: `free` are the widths that decide each, however far behind."""
    number = {name: i for i, name in enumerate(facts.deciding)}
    return {
        "name": list(number),
        "tie": [facts.ties.get(name, "") for name in number],
        "free": [[number[name] for name in names] for names in facts.deciding.values()],
    }


def boxes_of(placed: Iterable[Placed]) -> list[list[Any]]:
    """For each box: the one around it, its place and size, its height when folded, and its columns of rows."""
    return [
        [
            p.outer, p.x, p.y, p.box.width, p.box.height, p.folded,
            [
                [c.left, c.right, c.top, c.bottom, [list(row) for row in c.rows]]
                for c in (column.moved(p.x, p.y) for column in p.box.columns)
            ],
        ]
        for p in placed
    ]  # fmt: skip


class _Pool:
    """Texts, each held once."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}

    def index(self, text: str) -> int:
        return self._index.setdefault(text, len(self._index))

    @property
    def texts(self) -> list[str]:
        return list(self._index)
