"""The shipped programs drawn, at the teacher's size and as students."""

from pathlib import Path

import pytest

from catdsl.project import load
from catdsl.resources import folder
from catdsl.view.facts import facts
from catdsl.view.layout import lay_out
from catdsl.view.svg import render_svg
from catdsl.view.terminal import render_tree
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
    assert problems(render_svg(teacher, macs=macs(teacher), title=path.name)) == []
    assert problems(render_svg(student, teacher=teacher, macs=macs(student), title=path.name)) == []
    box = lay_out(facts(teacher))
    assert broken(box, edges(teacher)) == []
    assert on_each_other(box) == []
    assert 0.25 < box.width / box.height < 4
    assert "vanished" not in render_tree(teacher)
