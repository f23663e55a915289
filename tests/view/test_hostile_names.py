"""Every writer of files for machines, with every hostile name: the form stays the same, and no name steers it."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from catdsl.ir.graph import Graph
from catdsl.view.dot import render_dot
from catdsl.view.explorer import render_explorer
from catdsl.view.facts import costed_facts
from catdsl.view.graph_page.page import render_graph_page
from catdsl.view.mermaid import render_mermaid
from catdsl.view.report.html import render_html
from catdsl.view.report.markdown import render_markdown
from catdsl.view.report.serial import as_json, from_json, json_values
from catdsl.view.svg import render_picture
from catdsl.view.terminal import render_facts
from catdsl.view.web_page.page import INDEX, facts_of, web_page
from tests.hostile_names import HOSTILE
from tests.view.forms import dot, explorer, mermaid
from tests.view.graphs import inception
from tests.view.report.markup_reading import problems, read
from tests.view.report.samples import hostile, pictures, whole
from tests.view.report.test_markdown import skeleton
from tests.view.web_page.test_page import _MODEL

# What a viewer would obey: control characters, and what turns the direction of the text around it.
_STEERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def graph(text: str) -> Graph:
    """A network whose labels of taps are that text; other names come from the grammar alone."""
    made = inception(1)
    return replace(made, taps=tuple(replace(tap, label=text) for tap in made.taps))


def html_skeleton(text: str) -> object:
    assert problems(text) == []
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert data is not None
    json.loads(data[1])
    return read(text).skeleton


def svg_skeleton(text: str) -> object:
    return [(e.tag, sorted(e.attrib)) for e in ElementTree.fromstring(text).iter()]


def chart_form(read_form: Callable[[str], object]) -> Callable[[str], object]:
    def form(text: str) -> object:
        chart = read_form(text)
        assert chart.problems == []  # type: ignore[attr-defined]
        return len(chart.labels), len(chart.groups)  # type: ignore[attr-defined]

    return form


def explorer_form(text: str) -> object:
    nodes, wrong = explorer(text)
    assert wrong == []
    return sorted(nodes)


def keys(text: str) -> object:
    return sorted(json.loads(text))


Writer = tuple[Callable[[str], str], Callable[[str], object]]
WRITERS: dict[str, Writer] = {
    "graph.svg": (
        lambda text: render_picture(costed_facts(graph(text)), title=text, subtitles=(text, text)), lambda text: None
    ),
    "graph.html": (
        lambda text: render_graph_page(costed_facts(graph(text)), title=text, subtitle=text), html_skeleton
    ),
    "graph.mmd": (lambda text: render_mermaid(costed_facts(graph(text)), title=text), chart_form(mermaid)),
    "graph.dot": (lambda text: render_dot(costed_facts(graph(text)), title=text), chart_form(dot)),
    "graph.json": (lambda text: render_explorer(costed_facts(graph(text)), title=text), explorer_form),
    "tree": (lambda text: render_facts(costed_facts(graph(text))), lambda text: text.count("\n")),
    "report.html": (lambda text: render_html(report(text), pictures(report(text))), html_skeleton),
    "report.md": (lambda text: render_markdown(report(text)), skeleton),
    "report.json": (lambda text: as_json(report(text)), keys),
    "index.html": (
        lambda text: web_page(replace(_MODEL, title=text, spec=text, runtime=text, input=text, samples=(text,)))[INDEX],
        html_skeleton,
    ),
    "facts.json": (lambda text: json.dumps(facts_of(replace(_MODEL, title=text), {text: text})), keys),
}  # fmt: skip


def report(text: str):
    return hostile(text) if text != "plain" else whole()


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_steers(writer: str, name: str) -> None:
    write, form = WRITERS[writer]
    made = write(HOSTILE[name])
    assert _STEERS.search(made) is None
    made.encode("utf-8")
    if writer == "graph.svg":
        ElementTree.fromstring(made)
        assert "<script" not in made
    assert form(made) == form(write("plain"))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_report_comes_back_as_it_was(name: str) -> None:
    given = report(HOSTILE[name])
    assert json_values(from_json(as_json(given)).title) == json_values(given.title)
