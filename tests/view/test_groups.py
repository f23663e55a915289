"""Convs that are narrowed together have one colour, one letter and one pattern, however their widths are tied."""

from dataclasses import replace
from fractions import Fraction

import pytest

from catdsl.ir.graph import Graph
from catdsl.ir.linear import Linear
from catdsl.ir.types import Width
from catdsl.project import load
from catdsl.view.describe import tooltip
from catdsl.view.facts import State, facts
from catdsl.view.groups import cuts, group_style, letter, shared_widths
from catdsl.view.legend import legend_entries
from catdsl.view.svg import render_picture
from catdsl.view.ties import deciding
from tests.view.graphs import Maker, inception
from tests.view.picture import problems


def test_a_width_that_stands_twice_in_a_tensor_is_the_same_width() -> None:
    m = Maker()
    x = m.conv("a.conv0", m.photo, 8)
    both = m.op("b.concat0", x, x)
    y = m.op("c.add0", both, m.conv("c.conv0", x, 16))
    known = facts(m.finish(m.conv("end.conv0", y, 3)))
    assert known.bars["c.conv0"].width == "a.conv0+a.conv0"
    assert known.bars["c.conv0"].tied == known.bars["a.conv0"].tied == "a.conv0"
    assert shared_widths(known) == {"a.conv0": 0}


def test_letters_go_on_after_z() -> None:
    assert [letter(number) for number in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


TIED = """
generator g {
    input x: image(3, 32, 32)
    a = x -> conv(16, 3) -> norm
    b = a -> conv(tied a.channels / 2, 3) -> norm
    c = b -> conv(tied b.channels * 3, 3) -> norm
    d = concat(a, c) -> conv(12, 3) -> norm -> conv(3, 3)
    output d
}
"""


def test_what_is_tied_belongs_to_what_it_follows() -> None:
    known = facts(load(TIED).graph)
    assert known.deciding["c.conv0"] == known.deciding["b.conv0"] == known.deciding["a.conv0"] == ("a.conv0",)
    assert shared_widths(known) == {"a.conv0": 0}
    assert known.makers["a.conv0"] == 3
    svg = render_picture(known)
    assert "A: 3 convs narrowed together, a.conv0" in svg
    assert ">A</text>" in svg
    words = tooltip(known.drawn.node["b.conv0"], known)
    assert "width b.conv0: 8, narrowed together with 2 others" in words


def test_a_width_of_two_sources_follows_both() -> None:
    form = Linear.of((("a", Fraction(1, 2)), ("b", Fraction(1, 2))))
    widths = [Width("c", 8, 8, 8, tie=form), Width("a", 8, 0, 8), Width("b", 8, 0, 8)]
    assert deciding(widths) == {"c": ("a", "b"), "a": ("a",), "b": ("b",)}
    assert list(deciding(widths)) == ["c", "a", "b"]


def test_scores_are_drawn_where_a_width_is_searched_and_not_where_one_follows_it() -> None:
    graph = load(TIED).graph
    svg = render_picture(replace(facts(graph), live=True, scored=frozenset({"a.conv0", "d.conv0"})))
    assert svg.count('<rect class="strip"') == 2


def test_of_two_networks_the_convs_of_one_are_counted() -> None:
    before, after = inception(kernels=(1, 3)), inception(kernels=(1, 5, 7))
    known = facts(after, teacher=before)
    assert known.makers["stem.conv0"] == facts(after).makers["stem.conv0"]
    # Branches that only the first network has are counted there.
    gone = facts(before, teacher=after)
    lost = next(n for n, state in gone.states.items() if state is State.GONE and n in gone.bars and gone.bars[n].own)
    assert gone.makers[gone.bars[lost].tied] == 1


def many(count: int) -> Graph:
    """A chain of residual pairs: a width of two convs for each."""
    m, x = Maker(), ""
    x = m.photo
    for i in range(count):
        y = m.conv(f"a{i}.conv0", x, 8)
        x = m.op(f"a{i}.add0", y, m.conv(f"a{i}.conv1", y, 8))
    return m.finish(m.conv("end.conv0", x, 3))


@pytest.mark.parametrize("count", [5, 10, 11, 14])
def test_the_legend_tells_of_every_group(count: int) -> None:
    known = facts(many(count))
    assert len(shared_widths(known)) == count
    entries = [entry for entry in legend_entries(known, 0) if "convs" in entry.words]
    letters = [entry.words.partition(":")[0] for entry in entries]
    told = {10: [], 11: ["K"], 14: ["K to N"]}.get(count, [])
    assert letters == [*(letter(i) for i in range(min(count, 10))), *told]
    assert problems(render_picture(known)) == []


def test_groups_of_one_colour_are_cut_differently() -> None:
    looks = {(group_style(i), cuts(i, 0, 0, 60, 6)) for i in range(15)}
    assert len(looks) == 15
    assert cuts(-1, 0, 0, 60, 6) == cuts(4, 0, 0, 60, 6) == ""


def test_a_title_names_both_networks() -> None:
    one, two = load(TIED).graph, load(TIED.replace("generator g", "generator other")).graph
    for known in (facts(one, teacher=two), facts(two, teacher=inception())):
        assert " → " in known.title
    assert facts(one, teacher=two).title == "other → g"
    assert facts(one, teacher=one).title == "g"
