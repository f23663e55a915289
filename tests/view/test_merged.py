"""Two networks as one: matched by names, without circles, every edge of both in it."""

from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from catdsl.ir.counts import with_counts
from catdsl.ir.graph import Graph
from catdsl.ops import BY_NAME
from catdsl.view.dot import render_dot
from catdsl.view.explorer import render_explorer
from catdsl.view.facts import Facts, State, costed_facts, facts
from catdsl.view.layout import lay_out
from catdsl.view.merged import Merged, merge
from catdsl.view.mermaid import render_mermaid
from catdsl.view.part import is_part
from catdsl.view.svg import render_picture
from catdsl.view.terminal import render_facts
from tests.examples import examples
from tests.view.drawn import svg_of, tree_of
from tests.view.forms import dot, explorer, mermaid
from tests.view.graphs import GRAPHS, Maker, inception, student_of, unet
from tests.view.picture import problems
from tests.view.test_layout import edges, networks
from tests.view.test_terminal import line
from tests.view.wiring import broken, on_each_other


def other_students(teacher: Graph) -> tuple[Graph, Graph]:
    """Two students of which neither is a part of the other."""
    searched = [w for w in teacher.widths if w.searched]
    few = {w.name: w.low + (w.high - w.low) // 2 // w.step * w.step for w in searched}
    one, two = dict(few), dict(few)
    for place, width in enumerate(searched):
        (one if place % 2 else two)[width.name] = width.high
    one["body.0.dense.1.conv0"] = two["body.1.depth.0.conv0"] = 0
    return tuple(with_counts(teacher, counts, arrange=BY_NAME["arrange"]) for counts in (one, two))  # type: ignore[return-value]


def chain(*names: str, kernel: int = 3, width: int = 8, norm: str = "batch_norm") -> Graph:
    """Convs one after another, a norm after each."""
    m = Maker()
    x = m.photo
    for name in names:
        x = m.op(f"{name}.norm0", m.conv(f"{name}.conv0", x, width, kernel), op=norm)
    return m.finish(m.conv("end.conv0", x, 3))


def skipping(past: bool) -> Graph:
    """Two convs and their sum, and a relu on the one or the other."""
    m = Maker()
    x = m.conv("a.conv0", m.photo, 8)
    y = m.conv("b.conv0", x, 8)
    return m.finish(m.conv("end.conv0", m.op("d.add0", m.op("c.relu0", x if past else y), y), 3))


def _edges(graph: Graph) -> set[tuple[str, str]]:
    return {(source, node.name) for node in graph.nodes for source in node.inputs}


def _check(merged: Merged, before: Graph, after: Graph) -> None:
    """All nodes and edges of both, each after its inputs."""
    own = merged.own
    assert {n.name for n in merged.nodes} == before.node.keys() | {own[n.name] for n in after.nodes}
    assert len({n.name for n in merged.nodes}) == len(merged.nodes)
    found = {(source, node.name) for node in merged.nodes for source in node.inputs}
    assert found == _edges(before) | {(own[a], own[b]) for a, b in _edges(after)}
    seen: set[str] = set()
    for node in merged.nodes:
        assert seen.issuperset(node.inputs)
        seen.add(node.name)


@settings(max_examples=examples(80))
@given(networks(), networks())
def test_any_two_networks_are_one(before: Graph, after: Graph) -> None:
    merged = merge(before, after)
    _check(merged, before, after)
    known = facts(after, teacher=before)
    box = lay_out(known)
    drawn = [(source, node.name) for node in known.drawn.nodes for source in node.inputs]
    assert broken(box, drawn) == []
    assert on_each_other(box) == []
    assert problems(render_picture(known, title="two")) == []
    assert mermaid(render_mermaid(known)).problems == []


@pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)
def test_students_are_parts(make: Callable[[], Graph]) -> None:
    teacher = make()
    vanishing = [w.name for w in teacher.widths if w.searched and w.low == 0]
    assert is_part(student_of(teacher), teacher)
    assert is_part(student_of(teacher, gone=vanishing), teacher)
    assert is_part(teacher, teacher)


@settings(max_examples=examples(40))
@given(networks())
def test_students_of_any_network_are_parts(teacher: Graph) -> None:
    assert is_part(student_of(teacher), teacher)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (lambda: chain("a", "b"), lambda: chain("a")),
        (lambda: chain("a"), lambda: chain("a", "b")),
        (lambda: chain("a"), lambda: chain("a", kernel=5)),
        (lambda: chain("a"), lambda: chain("a", width=9)),
        (lambda: chain("a"), lambda: chain("a", norm="instance_norm")),
        (lambda: chain("a", "b", "c"), lambda: chain("b", "a", "c")),
        (lambda: skipping(False), lambda: skipping(True)),
        (lambda: skipping(True), lambda: skipping(False)),
    ],
)
def test_other_networks_are_no_parts(before: Callable[[], Graph], after: Callable[[], Graph]) -> None:
    assert not is_part(after(), before())


def test_networks_that_have_their_nodes_in_another_order_make_no_circle() -> None:
    before, after = chain("a", "b", "c", "d"), chain("a", "c", "d", "b")
    merged = merge(before, after)
    _check(merged, before, after)
    # `b` moved; the three others stay in order and are matched.
    moved = {name for name, own in merged.own.items() if name != own}
    assert moved == {"b.conv0", "b.norm0"}
    assert merged.own["b.conv0"] == "b.conv0'"
    known = facts(after, teacher=before)
    assert known.states["b.conv0"] is State.GONE
    assert known.states["b.conv0'"] is State.NEW
    assert known.states["c.conv0"] is State.PRESENT
    assert ("a.norm0", "b.conv0") in known.removed
    assert ("a.norm0", "c.conv0") in known.added


def test_networks_without_a_name_in_common_stand_side_by_side() -> None:
    known = costed_facts(unet(), teacher=inception())
    both = [n for n, state in known.states.items() if state is State.PRESENT and n]
    assert both == ["photo"]
    assert problems(render_picture(known)) == []


# ---- what differs ----


def test_students_of_one_teacher_differ_in_widths_and_branches() -> None:
    teacher = inception()
    one, two = other_students(teacher)
    assert is_part(one, teacher)
    assert is_part(two, teacher)
    assert not is_part(one, two)
    known = costed_facts(two, teacher=one)
    assert known.states["body.0.dense.1.conv0"] is State.NEW
    assert known.states["body.1.depth.0.conv0"] is State.GONE
    tree = render_facts(known)
    before, after = one.counts["body.0.dense.0.conv0"], two.counts["body.0.dense.0.conv0"]
    assert f"{before} -> {after}" in tree
    words = [text.split() for text in tree.splitlines()]
    assert ["0", "5", "->", "0", "removed"] in words
    assert ["conv0", "3x3", "10", "x", "64", "x", "64", "10", "10", "%", "added"] in words
    # Its operators are the same, and cost more than before: its input is wider.
    assert not any(text[:1] == ["head"] and "equal" in text for text in words)
    assert {node.name for node in known.drawn.nodes} == one.node.keys() | two.node.keys()


@pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)
def test_a_student_against_another_network_and_back(make: Callable[[], Graph]) -> None:
    teacher = make()
    student = student_of(teacher)
    for known in (costed_facts(teacher, teacher=student), costed_facts(student, teacher=inception(1))):
        assert problems(render_picture(known, title="two", subtitles=("one", "two"))) == []
        assert mermaid(render_mermaid(known)).problems == []
        assert dot(render_dot(known)).problems == []
        assert explorer(render_explorer(known))[1] == []
        assert all(c == "\n" or c.isprintable() for c in render_facts(known))


def _only(known: Facts) -> set[str]:
    return {n.name for n in known.drawn.nodes if known.differs(n.name)}


def test_other_arguments_are_a_difference() -> None:
    before, after = chain("a"), chain("a", kernel=5)
    known = facts(after, teacher=before)
    assert not known.student
    assert _only(known) == {"a.conv0"}
    assert "3x3 -> 5x5" in line(render_facts(known), "conv0")
    assert "3\N{MULTIPLICATION SIGN}3 → 5\N{MULTIPLICATION SIGN}5" in render_picture(known)


def test_another_operator_is_a_difference() -> None:
    before, after = chain("a"), chain("a", norm="instance_norm")
    known = facts(after, teacher=before)
    assert "a.norm0" in _only(known)
    assert "batch_norm -> instance_norm" in line(render_facts(known), "norm0")


def test_another_padding_is_told_by_name() -> None:
    m, n = Maker(), Maker()
    before = m.finish(m.conv("end.conv0", m.photo, 3))
    after = n.finish(n.conv("end.conv0", n.photo, 3, pad="reflect"))
    assert "pad zero -> reflect" in tree_of(after, teacher=before)


def test_another_wiring_is_a_difference() -> None:
    known = facts(skipping(True), teacher=skipping(False))
    assert "c.relu0" in _only(known)
    assert known.removed == {("b.conv0", "c.relu0")}
    assert known.added == {("a.conv0", "c.relu0")}
    svg = render_picture(known)
    assert 'class="wire new"' in svg
    assert 'class="wire gone"' in svg


def test_a_wider_network_shows_what_it_has_more() -> None:
    known = facts(chain("a", width=20), teacher=chain("a", width=8))
    bar = known.bars["a.conv0"]
    assert (bar.full, bar.filled) == (8, 20)
    svg = render_picture(known)
    assert ">8 → 20</text>" in svg
    widths = {style: width for style, width in _rects(svg, "a.conv0")}
    assert widths["left"] == pytest.approx(widths["more"] * 8 / 12, abs=0.2)


def test_a_narrower_one_is_a_student_s_picture() -> None:
    known = facts(chain("a", width=8), teacher=chain("a", width=20))
    assert known.student
    assert known.bars["a.conv0"].full == 20


def test_equal_networks_do_not_differ() -> None:
    known = facts(inception(), teacher=inception())
    assert _only(known) == set()


def test_equal_blocks_take_one_line() -> None:
    before, after = chain("a", "b"), chain("a", "b", "c")
    tree = tree_of(after, teacher=before)
    assert line(tree, "a").split() == ["a", "equal"]
    assert line(tree, "conv0").endswith("added")


def _rects(svg: str, node: str) -> list[tuple[str, float]]:
    row = next(e for e in ElementTree.fromstring(svg).iter() if e.get("data-node") == node)
    found = ((e.get("class", ""), e.get("width")) for e in row if e.tag.endswith("rect"))
    return [(style, float(width or 0)) for style, width in found]


def test_every_edge_of_a_student_is_as_before() -> None:
    """What the pictures of students say has not changed: the teacher is drawn, and nothing else."""
    teacher = inception()
    student = student_of(teacher, gone=["body.0.dense.1.conv0"])
    known = facts(student, teacher=teacher)
    assert known.student
    assert known.drawn is teacher
    assert broken(lay_out(known), edges(teacher)) == []
    assert problems(svg_of(student, teacher=teacher)) == []
