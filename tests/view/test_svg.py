"""Pictures hold together: no box on another, no wire through a box, no word beyond its box."""

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from catdsl.analysis.cost import cost_model
from catdsl.ir.graph import Graph
from tests.view.drawn import svg_of
from tests.view.graphs import GRAPHS, inception, long_names, student_of, unet
from tests.view.picture import problems, read

_SVG = "{http://www.w3.org/2000/svg}"
_HOSTILE = "<script>alert('title')</script> & \"quotes\" ]]> \x00\x1b[31m \ud800"


def macs(graph: Graph) -> dict[str, int]:
    return {name: cost.exact for name, cost in cost_model(graph).per_node().items()}


@pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)
def test_a_picture_holds_together(make: Callable[[], Graph]) -> None:
    graph = make()
    assert problems(svg_of(graph)) == []
    assert problems(svg_of(graph, macs=macs(graph), title="A title", subtitle="and more")) == []


@pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)
def test_a_student_s_picture_holds_together(make: Callable[[], Graph]) -> None:
    teacher = make()
    student = student_of(teacher)
    svg = svg_of(student, teacher=teacher, macs=macs(student), title="student.cat")
    assert problems(svg) == []
    assert read(svg).frame.right > 0


@pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)
def test_every_node_is_drawn_once(make: Callable[[], Graph]) -> None:
    graph = make()
    root = ElementTree.fromstring(svg_of(graph))
    drawn = [e.get("data-node") for e in root.iter() if e.get("data-node")]
    assert sorted(map(str, drawn)) == sorted(n.name for n in graph.nodes)


@pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)
def test_a_picture_is_the_same_each_time(make: Callable[[], Graph]) -> None:
    assert svg_of(make(), macs=macs(make())) == svg_of(make(), macs=macs(make()))


# ---- the measuring itself ----


def _moved(svg: str, node: str, dx: float) -> str:
    """The picture with the card that holds a node moved aside, without its wires."""
    root = ElementTree.fromstring(svg)
    card = next(
        g for g in root.iter(f"{_SVG}g")
        if g.get("class") == "card" and any(e.get("data-node") == node for e in g)
    )  # fmt: skip
    for element in card.iter():
        if element.get("x"):
            element.set("x", str(float(element.get("x", "")) + dx))
    return ElementTree.tostring(root, encoding="unicode")


def test_an_overlap_is_caught() -> None:
    svg = svg_of(inception())
    found = problems(_moved(svg, "body.0.dense.0.conv0", 60))
    assert any("card body.0.dense.1 overlaps card body.0.dense.0" in p for p in found)
    found = problems(_moved(svg, "body.0.dense.0.conv0", -60))
    assert any("card body.0.dense.0 leaves scope body.0.dense" in p for p in found)


def test_a_wire_through_a_box_is_caught() -> None:
    svg = svg_of(unet())
    lanes = re.search(r'(<path class="wire" d=")(M)', svg)
    assert lanes
    box = next(b for b in read(svg).inner if b.name == "card middle")
    middle = (box.frame.left + box.frame.right) / 2
    planted = f"M{middle} {box.frame.top - 50}V{box.frame.bottom + 50}"
    found = problems(svg.replace(lanes[0], f"{lanes[1]}{planted}{lanes[2]}", 1))
    assert [p for p in found if "runs through card middle" in p]


def test_a_label_that_does_not_fit_is_caught() -> None:
    svg = svg_of(inception())
    found = problems(svg.replace(">conv0</text>", ">conv0_with_a_longer_name</text>", 1))
    assert any("'conv0_with_a_longer_name' " in p for p in found)
    found = problems(svg.replace(">dense</text>", f">{'dense' * 30}</text>", 1))
    assert any("does not fit scope body.0.dense" in p for p in found)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (r'(<text class="share" x=")\d+(" y="\d+" text-anchor="end">A<)', r"\g<1>{count}\2", "'A' overlaps '32 → 10'"),
        (r'(<text class="count" x=")\d+(" y="\d+" text-anchor="end">32)', r"\g<1>{bar}\2", "lies on a bar"),
        (r'(<rect class="track" x="\d+" y="\d+" width=")\d+', r"\g<1>400", "a bar at"),
    ],
)
def test_a_count_on_something_else_is_caught(old: str, new: str, told: str) -> None:
    teacher = inception()
    svg = svg_of(student_of(teacher), teacher=teacher)
    row = _row(svg, "stem.conv0")
    count = next(int(e.get("x", "")) for e in row if e.get("class") == "count")
    bar = 50 + int(float(_within(row, "track").get("x", "")))
    place = svg.index('data-node="stem.conv0"')
    planted, changes = re.subn(old, new.format(count=count, bar=bar), svg[place:], count=1)
    assert changes == 1
    assert problems(svg) == []
    assert any(told in problem for problem in problems(svg[:place] + planted))


# ---- what is drawn ----


def test_widths_are_bars_of_the_teacher_filled_by_the_student() -> None:
    teacher = inception()
    student = student_of(teacher)
    svg = svg_of(student, teacher=teacher)
    left = student.counts["stem.conv0"]
    assert f">32 → {left}</text>" in svg
    row = _row(svg, "stem.conv0")
    track, filled = (float(_within(row, style).get("width", "")) for style in ("track", "left"))
    assert filled == pytest.approx(track * left / 32, abs=0.1)
    assert "→" not in svg_of(teacher)


def test_convolutions_of_one_width_have_one_colour_and_letter() -> None:
    graph = inception(blocks=1)
    svg = svg_of(graph)
    makers = [n.name for n in graph.nodes if n.op.name == "conv" and graph.channels(n.name) == 32]
    styles = {
        name: next(e.get("class", "") for e in _row(svg, name) if "left" in e.get("class", "")) for name in makers
    }
    assert styles.pop("stem.conv0") == "left g0"
    assert set(styles.values()) == {"left g0 follows"}
    assert all(">A</text>" in ElementTree.tostring(_row(svg, name), encoding="unicode").replace("ns0:", "")
               for name in makers)  # fmt: skip
    alone = _row(svg, "body.0.dense.0.conv0")
    assert _within(alone, "left").get("class") == "left"
    assert f"A: {len(makers)} convs narrowed together, stem.conv0" in svg


def test_a_norm_says_which_it_is() -> None:
    words = [e.text for e in _row(svg_of(inception()), "stem.norm0") if e.tag.endswith("text")]
    assert "instance" in words


def test_a_vanished_branch_is_a_ghost() -> None:
    teacher = inception()
    svg = svg_of(student_of(teacher, gone=["body.0.dense.1.conv0"]), teacher=teacher)
    assert '<g class="card gone" data-path="body.0.dense.1">' in svg
    assert ">10 → 0</text>" in svg
    assert svg.count("card gone") == 1 + 1  # and one in the legend
    assert 'class="wire gone"' in svg


def test_a_vanished_block_lets_the_tensor_through() -> None:
    teacher = inception(blocks=1)
    gone = [w.name for w in teacher.widths if w.name.startswith("body.")]
    student = student_of(teacher, gone=gone)
    svg = svg_of(student, teacher=teacher)
    assert "body.0.add1" not in student.node
    assert "not needed in the student" in "".join(_row(svg, "body.0.add1").itertext())
    assert "vanished in the student" in "".join(_row(svg, "body.0.norm0").itertext())
    assert problems(svg) == []


def test_heat_goes_with_the_share_of_macs() -> None:
    graph = inception()
    cost = macs(graph)
    svg = svg_of(graph, macs=cost)
    hottest = max(cost, key=cost.__getitem__)
    assert any(e.get("class") == "h5" for e in _row(svg, hottest))
    assert not any((e.get("class") or "").startswith("h5") for e in _row(svg, "body.0.dense.0.conv0"))
    assert "share of MACs" in svg
    assert "share of MACs" not in svg_of(graph)


def test_a_tooltip_names_the_place() -> None:
    words = "".join(_row(svg_of(inception()), "stem.conv0").itertext())
    assert "net.cat:7:5" in words
    assert "stem.conv0" in words


def test_taps_are_marked() -> None:
    svg = svg_of(inception())
    assert ">◆ stem</text>" in svg
    assert ">◆ body[1]</text>" in svg


def test_names_are_shown_as_text() -> None:
    svg = svg_of(long_names(), title=_HOSTILE, subtitle=_HOSTILE * 9)
    assert "<script" not in svg
    root = ElementTree.fromstring(svg)
    assert not [e for e in root.iter() if e.tag.endswith("script")]
    assert "alert('title')" in "".join(root.itertext())
    assert svg.encode("utf-8")
    assert problems(svg) == []


def test_nothing_comes_from_outside() -> None:
    svg = svg_of(inception(), title="x")
    assert re.findall(r"https?://[^\"<\s]+", svg) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"href|url\(|@import|<image|<script|\son\w+=", svg)


def _row(svg: str, node: str) -> ElementTree.Element:
    return next(e for e in ElementTree.fromstring(svg).iter() if e.get("data-node") == node)


def _within(element: ElementTree.Element, style: str) -> ElementTree.Element:
    return next(e for e in element if (e.get("class") or "").split(" ")[0] == style)
