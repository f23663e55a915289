"""Layouts of networks by hand and at random: every edge has its wire, and nothing lies on anything."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catdsl.ir.graph import Graph
from catdsl.view.facts import END, Edge, facts
from catdsl.view.layout import lay_out
from catdsl.view.layout_box import Box
from catdsl.view.layout_lanes import Passage, lanes
from catdsl.view.layout_places import settle
from tests.examples import examples
from tests.view.drawn import svg_of
from tests.view.graphs import GRAPHS, Maker, circular, inception, long_chain, unet
from tests.view.picture import problems
from tests.view.wiring import broken, on_each_other


def edges(graph: Graph) -> list[Edge]:
    inner = [(source, node.name) for node in graph.nodes for source in node.inputs]
    return [*inner, (graph.output, END)]


@pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)
def test_every_edge_has_its_wire(make: Callable[[], Graph]) -> None:
    graph = make()
    box = lay_out(facts(graph))
    assert broken(box, edges(graph)) == []
    assert on_each_other(box) == []


def test_a_missing_wire_is_caught() -> None:
    graph = unet()
    box = lay_out(facts(graph))
    for i, wire in enumerate(box.wires):
        cut = replace(box, wires=(*box.wires[:i], *box.wires[i + 1 :]))
        assert set(broken(cut, edges(graph))) == wire.edges


def test_a_wire_on_another_is_caught() -> None:
    graph = unet()
    box = lay_out(facts(graph))
    first, second = box.wires[0], next(w for w in box.wires if not w.edges & box.wires[0].edges)
    planted = replace(second, points=first.points)
    assert on_each_other(replace(box, wires=(*box.wires, planted)))


@st.composite
def networks(draw: st.DrawFn) -> Graph:
    """Operators with sources and scopes at random: no author would write most of these."""
    m = Maker()
    made = [m.photo, m.conv("start.conv0", m.photo, 4, 1)]
    scopes = st.sampled_from(["a", "b", "a.0", "a.1", "a.1.x", "b.0", "c.d.e", "c"])
    for i in range(draw(st.integers(1, 24))):
        kind = draw(st.sampled_from(["conv", "relu", "add", "concat", "add", "mul"]))
        scope = draw(scopes)
        sources = draw(st.lists(st.sampled_from(made[1:]), min_size=2, max_size=4))
        name = f"{scope}.{kind}{i}"
        if kind in ("add", "mul"):
            made.append(m.op(name, *sources[: 2 if kind == "mul" else 4]))
        elif kind == "concat":
            made.append(m.conv(f"{scope}.conv{i}", m.op(name, *sources), 4, 1))
        else:
            made.append(m.conv(name, sources[0], 4, 1) if kind == "conv" else m.op(name, sources[0]))
    return m.finish(m.conv("end.conv0", m.op("end.add0", made[-1], draw(st.sampled_from(made[1:]))), 3, 1))


@settings(max_examples=examples(60))
@given(networks())
@example(circular())
def test_any_network_can_be_drawn(graph: Graph) -> None:
    box = lay_out(facts(graph))
    assert broken(box, edges(graph)) == []
    assert on_each_other(box) == []
    assert problems(svg_of(graph)) == []


# ---- shape ----


def _scope(box: Box, path: str) -> Box:
    inner = [b for b in box.boxes if getattr(b.part, "path", None) == path]
    return inner[0] if inner else next(found for b in box.boxes if (found := _scope_or_none(b, path)))


def _scope_or_none(box: Box, path: str) -> Box | None:
    if getattr(box.part, "path", None) == path:
        return box
    return next((found for b in box.boxes if (found := _scope_or_none(b, path))), None)


def test_branches_stand_side_by_side() -> None:
    box = lay_out(facts(inception()))
    dense, depth = _scope(box, "body.0.dense"), _scope(box, "body.0.depth")
    assert dense.y == depth.y
    assert dense.x + dense.width < depth.x
    branches = [_scope(box, f"body.0.dense.{k}") for k in range(3)]
    assert [b.x for b in branches] == sorted(b.x for b in branches)
    assert len({b.y for b in branches}) == len({b.width for b in branches}) == 1


def test_blocks_of_a_chain_are_in_line() -> None:
    box = lay_out(facts(inception(blocks=3)))
    assert len({_scope(box, f"body.{b}").x for b in range(3)}) == 1


def test_a_long_chain_is_set_in_columns() -> None:
    box = lay_out(facts(long_chain(60)))
    assert 0.5 < box.width / box.height < 3
    columns = {_scope(box, f"body.{b}").x for b in range(60)}
    assert len(columns) > 2
    tops = [_scope(box, f"body.{b}").y for b in range(60)]
    assert sum(a > b for a, b in pairwise(tops)) == len(columns) - 1


def test_a_large_network_is_laid_out_in_time() -> None:
    graph = inception(blocks=60)
    assert len(graph.nodes) > 2000
    box = lay_out(facts(graph))
    assert 0.3 < box.width / box.height < 3


def test_boxes_that_press_on_each_other_share_the_push() -> None:
    assert settle([0, 0, 0], [10, 10, 10], 2) == [-12, 0, 12]
    assert settle([0, 100], [10, 10], 2) == [0, 100]
    assert settle([50, 0], [10, 10], 0) == [20, 30]


def test_lanes_keep_clear_of_boxes_and_of_each_other() -> None:
    rows = [[(0, 100)], [(0, 100)], [(0, 100)]]
    found = lanes([Passage("long", 0, 2, (50, 50)), Passage("short", 1, 1, (60, 60))], rows)
    assert found["short"] == 112
    assert found["long"] < -10 or found["long"] >= 122
    free = lanes([Passage("through", 0, 0, (50,))], [[(0, 30), (70, 100)]])
    assert free["through"] == 50
