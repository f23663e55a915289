"""The shipped programs drawn, at the teacher's size and as students."""

from pathlib import Path

import pytest

from catdsl.project import load
from catdsl.resources import folder
from catdsl.view.dot import render_dot
from catdsl.view.explorer import render_explorer
from catdsl.view.facts import costed_facts, facts
from catdsl.view.layout import lay_out
from catdsl.view.mermaid import render_mermaid
from catdsl.view.svg import render_picture
from tests.view.drawn import svg_of, tree_of
from tests.view.forms import dot, explorer, mermaid
from tests.view.graphs import student_of
from tests.view.picture import problems
from tests.view.test_layout import edges
from tests.view.test_svg import macs
from tests.view.wiring import broken, on_each_other

_SPECS = sorted(folder("specs").glob("*.cat"))


@pytest.mark.parametrize("path", _SPECS, ids=lambda p: p.stem)
def test_a_shipped_program_can_be_drawn(path: Path) -> None:
    teacher = load(path).graph
    student = student_of(teacher)
    assert problems(svg_of(teacher, macs=macs(teacher), title=path.name)) == []
    assert problems(svg_of(student, teacher=teacher, macs=macs(student), title=path.name)) == []
    box = lay_out(facts(teacher))
    assert broken(box, edges(teacher)) == []
    assert on_each_other(box) == []
    assert 0.25 < box.width / box.height < 4
    assert "vanished" not in tree_of(teacher)


@pytest.mark.parametrize("path", _SPECS, ids=lambda p: p.stem)
def test_a_shipped_program_has_every_form(path: Path) -> None:
    teacher = load(path).graph
    for known in (costed_facts(teacher), costed_facts(student_of(teacher), teacher=teacher)):
        chart, graph = mermaid(render_mermaid(known, title=path.name)), dot(render_dot(known, title=path.name))
        nodes, wrong = explorer(render_explorer(known, title=path.name))
        assert chart.problems == graph.problems == wrong == []
        assert len(nodes) == len(teacher.nodes) + 1
        # None of them is so large that anything had to be folded.
        assert len(chart.labels) == len(graph.labels)
        assert [a[:2] for a in chart.edges] == [a[:2] for a in graph.edges]


def test_two_shipped_programs_are_drawn_as_one() -> None:
    one, two = (load(folder("specs") / f"{name}.cat").graph for name in ("resnet_inception", "resnet_original"))
    known = costed_facts(two, teacher=one)
    assert problems(render_picture(known, title="two programs")) == []
    assert mermaid(render_mermaid(known)).problems == dot(render_dot(known)).problems == []
    assert explorer(render_explorer(known))[1] == []
