"""What notebooks show of values, without a notebook: each is asked by the method that notebooks call."""

import subprocess
import sys
from base64 import b64decode
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

import catdsl
from catdsl.analysis.cost import cost_model
from catdsl.ir.graph import Graph
from catdsl.search.budget import parse_budget
from catdsl.search.plan import Plan, find_plan
from catdsl.view.diff import Diff
from tests.view.graphs import inception, long_names, student_of
from tests.view.picture import problems
from tests.view.test_merged import chain, other_students

_TEXT = """
param n = 16
generator g {
    input x: image(3, 8, 8)
    y = x -> conv(n, 3) -> batch_norm -> relu
    output y -> conv(3, 3)
}
"""


def picture(html: str) -> tuple[str, str]:
    """The words for an image, and the SVG in it."""
    element = ElementTree.fromstring(html)
    assert element.tag == "img"
    kind, _, data = element.attrib["src"].partition("base64,")
    assert kind == "data:image/svg+xml;"
    return element.attrib["alt"], b64decode(data).decode()


def _plan(graph: Graph, budget: str) -> Plan:
    model = cost_model(graph)
    draw = np.random.default_rng(0)
    scores = {n.name: draw.random(graph.channels(n.name)) for n in graph.nodes if n.norm is not None}
    return find_plan(model, scores, parse_budget(budget, "exact", model.teacher))


def test_a_graph_is_its_picture() -> None:
    graph = inception()
    words, svg = picture(graph._repr_html_())
    assert words == "graph of inception"
    assert problems(svg) == []
    assert 'data-node="body.1.add1"' in svg
    assert "share of MACs" in svg


def test_names_in_a_graph_are_text() -> None:
    words, svg = picture(long_names()._repr_html_())
    assert words == "graph of <script>alert(1)</script>"
    assert "<script" not in svg


def test_a_plan_is_its_costs_and_widths() -> None:
    graph = inception()
    plan = _plan(graph, "40%")
    root = ElementTree.fromstring(plan._repr_html_())
    costs, widths = ([[cell.text or "" for cell in row] for row in table.iter("tr")] for table in root.iter("table"))
    assert costs[0] == ["", "teacher", "student", ""]
    assert [row[0] for row in costs[1:4]] == ["MACs (exact)", "MACs (paper)", "parameters"]
    assert float(costs[1][3].removesuffix(" %")) == pytest.approx(
        100 * plan.cost.exact / plan.teacher.exact - 100, abs=0.1
    )
    assert [(row[0], int(row[1]), int(row[2])) for row in widths[1:]] == [
        (name, graph.counts[name], count) for name, count in plan.kept.items()
    ]
    bars = [(int(e.attrib["max"]), int(e.attrib["value"])) for e in root.iter("progress")]
    assert bars == [(graph.counts[name], count) for name, count in plan.kept.items()]
    summary = next(root.iter("summary")).text or ""
    assert summary.startswith(f"{len(plan.kept)} searched widths, {sum(c == 0 for c in plan.kept.values())} of")


def test_names_in_a_plan_are_text() -> None:
    name = "<script>alert('漢字')</script> & \"quotes\""
    plan = replace(_plan(inception(), "60%"), kept={name: 3}, full={name: 8})
    root = ElementTree.fromstring(plan._repr_html_())
    assert not list(root.iter("script"))
    assert name in [cell.text for cell in root.iter("td")]


def test_a_difference_is_one_picture() -> None:
    one, two = other_students(inception())
    diff = Diff(one, two, "one → two")
    words, svg = picture(diff._repr_html_())
    assert words == "difference of inception and inception"
    assert problems(svg) == []
    assert "one → two" in svg
    assert "MACs (exact)" in svg
    assert f"{one.counts['stem.conv0']} → {two.counts['stem.conv0']}" in svg
    assert "body.0.dense.1.conv0" in diff.differing
    assert repr(diff) == f"<Diff of inception and inception: {len(diff.differing)} nodes differ>"
    assert "MACs (exact)" in str(diff)


def test_equal_networks_do_not_differ() -> None:
    assert Diff(chain("a"), chain("a")).differing == ()


def test_projects_are_compared() -> None:
    one, two = catdsl.load(_TEXT), catdsl.load(_TEXT, {"n": 20})
    diff = two.diff(one)
    assert "16 -> 20" in str(diff)
    assert "20 -> 16" in str(one.diff(two.graph))
    assert "y.conv0" in diff.differing


def test_a_student_s_difference_is_its_picture_in_the_teacher() -> None:
    teacher = inception()
    diff = Diff(teacher, student_of(teacher))
    assert diff.facts.student
    assert diff.facts.drawn is teacher


def test_values_load_no_picture_before_they_are_shown() -> None:
    loaded = "print(*(m for m in sys.modules if m.startswith('catdsl.view')))"
    code = f"import sys, catdsl.ir.graph, catdsl.search.plan; {loaded}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
