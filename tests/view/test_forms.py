"""Mermaid, DOT and Model Explorer's JSON, read back: whole, harmless, within limits, the same each time."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from catdsl.ir.graph import Graph, Tap
from catdsl.view.dot import render_dot
from catdsl.view.explorer import render_explorer
from catdsl.view.facts import costed_facts, facts
from catdsl.view.mermaid import MAX_EDGES, MAX_TEXT_SIZE, render_mermaid, text_size
from catdsl.view.outline import outlines
from tests.view.forms import dot, explorer, in_turn, mermaid
from tests.view.graphs import GRAPHS, Maker, inception, long_chain, long_names, student_of

_HOSTILE = "<script>alert('title')</script> & \"quotes\" %%{init: {}}%% \\N ]]> --- \x00\x1b[31m \ud800"
_EVERY = pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)


@_EVERY
def test_every_form_can_be_read(make: Callable[[], Graph]) -> None:
    teacher = make()
    for known in (costed_facts(teacher), costed_facts(student_of(teacher), teacher=teacher)):
        assert mermaid(render_mermaid(known, title="a title")).problems == []
        assert dot(render_dot(known, title="a title")).problems == []
        assert explorer(render_explorer(known, title="a title"))[1] == []


@_EVERY
def test_forms_are_the_same_each_time(make: Callable[[], Graph]) -> None:
    for render in (render_mermaid, render_dot, render_explorer):
        assert render(costed_facts(make())) == render(costed_facts(make()))


@_EVERY
def test_every_operator_and_edge_is_in_the_json(make: Callable[[], Graph]) -> None:
    graph = make()
    nodes, _ = explorer(render_explorer(facts(graph)))
    assert list(nodes)[:-1] == [n.name for n in graph.nodes]
    found = {(e["sourceNodeId"], name) for name, node in nodes.items() for e in node["incomingEdges"]}
    edges = {(source, n.name) for n in graph.nodes for source in n.inputs}
    assert found == {*edges, (graph.output, "<output>")}


@pytest.mark.parametrize("read", [(mermaid, render_mermaid), (dot, render_dot)], ids=["mermaid", "dot"])
def test_blocks_are_groups(read: tuple[Callable, Callable]) -> None:  # type: ignore[type-arg]
    reader, render = read
    chart = reader(render(costed_facts(inception(blocks=1))))
    inner = {label.split(" ")[0]: name for name, label in chart.groups.items()}
    assert list(inner) == ["body.0", "dense", "depth"]
    assert chart.within[inner["dense"]] == chart.within[inner["depth"]] == inner["body.0"]
    branches = [name for name, group in chart.within.items() if group == inner["dense"]]
    assert [chart.labels[name].splitlines()[0] for name in branches] == ["0", "1", "2", "+"]
    assert (
        "conv0 3\N{MULTIPLICATION SIGN}3 · 10\N{MULTIPLICATION SIGN}64\N{MULTIPLICATION SIGN}64 · 10"
        in (chart.labels[branches[1]])
    )


def test_a_student_is_told_apart() -> None:
    teacher = inception()
    known = costed_facts(student_of(teacher, gone=["body.0.dense.1.conv0"]), teacher=teacher)
    for chart in (mermaid(render_mermaid(known)), dot(render_dot(known))):
        (ghost,) = (name for name, label in chart.labels.items() if "10 → 0" in label)
        assert "vanished in the student" in chart.labels[ghost]
        assert chart.styles[ghost] in ("gone", '"dashed,rounded"')
        assert {style for source, target, style in chart.edges if ghost in (source, target)} <= {"-.->", "dashed"}
        assert any("A 32 → 10" in label for label in chart.labels.values())
    nodes, _ = explorer(render_explorer(known))
    attributes = {pair["key"]: pair["value"] for pair in nodes["stem.conv0"]["attrs"]}
    assert attributes["width"] == "stem.conv0: 32 → 10"
    assert attributes["source"] == "net.cat:7:5"
    assert attributes["MACs (exact)"] == f"{64 * 64 * 49 * 3 * 32:,} → {64 * 64 * 49 * 3 * 10:,}"
    assert attributes["parameters"] == f"{49 * 3 * 32 + 32:,} → {49 * 3 * 10 + 10:,}"
    assert attributes["operator"] == "conv"
    assert nodes["body.0.dense.1.conv0"]["namespace"] == "body/0/dense/1"


@pytest.mark.parametrize("title", [_HOSTILE, _HOSTILE * 20, ""])
def test_names_are_text(title: str) -> None:
    known = costed_facts(long_names())
    chart = mermaid(render_mermaid(known, title=title))
    assert chart.problems == []
    words = "".join(chart.labels.values()) + "".join(chart.groups.values())
    assert "<script>alert('" in words
    assert '"quo' in words
    assert "漢字" in words
    chart = dot(render_dot(known, title=title))
    assert chart.problems == []
    if title:
        assert chart.title.startswith("<script>alert('title')</script> & \"quotes\" %%{init: {}}%% \\N ]]> ---")
    nodes, problems = explorer(render_explorer(known, title=title))
    assert problems == []
    assert any("<script>alert('" in name for name in nodes)
    assert all(text.encode("utf-8") for text in (render_mermaid(known), render_dot(known), render_explorer(known)))


# ---- folding ----


def _wide(statements: int) -> Graph:
    """A program of many statements, each with shortcuts to some before it: nothing nests, everything is joined."""
    m = Maker(name="wide")
    made = [m.conv("start.conv0", m.photo, 4, 1)]
    for i in range(statements):
        terms = (m.conv(f"part{i}.conv0", made[-1], 4, 1), *made[-5:])
        made.append(m.op(f"part{i}.add0", *terms))
    return m.finish(m.conv("end.conv0", made[-1], 3, 1))


@pytest.mark.parametrize(
    "graph",
    [inception(blocks=28), long_chain(240), _wide(495)],
    ids=["blocks", "chain", "statements"],
)
def test_a_large_graph_stays_within_the_limits(graph: Graph) -> None:
    chart = mermaid(render_mermaid(costed_facts(graph), title="large"))
    assert chart.problems == []
    assert len(chart.labels) > 3


def test_a_thousand_nodes_are_folded_and_all_counted() -> None:
    graph = _wide(495)
    assert len(graph.nodes) == 993
    whole, *_, last = outlines(facts(graph))
    assert len(whole.lines) > MAX_EDGES
    assert len(last.children) == 2
    chart = mermaid(render_mermaid(facts(graph)))
    assert len(chart.edges) <= MAX_EDGES
    counts = [int(word.split(" operator")[0]) for label in chart.labels.values()
              for word in label.splitlines() if " operator" in word]  # fmt: skip
    assert sum(counts) == 993


def test_only_as_much_is_folded_as_must_be() -> None:
    known = facts(inception(blocks=28))
    kept = [len(outline.lines) for outline in outlines(known)]
    assert in_turn(kept)
    found = len(mermaid(render_mermaid(known)).edges)
    fitting = [lines for lines in kept if lines <= MAX_EDGES]
    assert found in fitting[:2]  # the first that has few enough arrows, or the next where its text is too long


def test_a_graph_that_fits_is_not_folded() -> None:
    text = render_mermaid(facts(inception()))
    assert "operators" not in text


def test_the_limit_counts_as_javascript_does() -> None:
    assert text_size("a\N{GRINNING FACE}") == 3
    assert MAX_TEXT_SIZE == 50_000


# ---- the readers themselves ----


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("\n    end\n", "\n", "not closed"),
        ("n1 --> n2", "n1 --> n999", "`n999` is no node"),
        ("n1 --> n2\n", "", "hangs on nothing"),
        ('"<b>stem', '"<script>stem', "not escaped"),
        ('"<b>stem', '"%%{stem', "not escaped"),
        ('n2["', 'n1["', "stands twice"),
        ('n2["', 'n2(["', "unbalanced"),
        ("flowchart TB\n", "flowchart TB\n  click n1 call alert()\n", "not understood"),
        ("classDef h5", "classDef other", "no class `h5`"),
    ],
)
def test_a_broken_chart_is_caught(old: str, new: str, told: str) -> None:
    text = render_mermaid(costed_facts(inception()))
    assert old in text
    assert any(told in problem for problem in mermaid(text.replace(old, new, 1)).problems)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("\n    }\n", "\n", "is not closed"),
        ("\n    }\n", "\n    }}\n", "after the end"),
        ("n1 -> n2", "n1 -> n999", "`n999` is no node"),
        ('n2 [label="', 'n2 [label="a" "', "no attribute"),
        ('n2 [label="', 'n1 [label="', "stands twice"),
        ("subgraph cluster_", "subgraph ", "no cluster"),
    ],
)
def test_a_broken_graph_is_caught(old: str, new: str, told: str) -> None:
    text = render_dot(costed_facts(inception()))
    assert old in text
    assert any(told in problem for problem in dot(text.replace(old, new, 1)).problems)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"sourceNodeId": "stem.conv0"', '"sourceNodeId": "stem.conv9"'),
        ('"graphs"', '"graph"'),
        ('"id": "stem.norm0"', '"id": "stem.conv0"'),
    ],
)
def test_a_broken_collection_is_caught(old: str, new: str) -> None:
    text = render_explorer(facts(inception()))
    assert old in text
    assert explorer(text.replace(old, new, 1))[1] != []


def test_graphviz_reads_it_too(tmp_path: Path) -> None:
    program = shutil.which("dot")
    if program is None:
        pytest.skip("Graphviz (`dot`) is not installed")
    teacher = long_names()
    text = render_dot(costed_facts(student_of(teacher), teacher=teacher), title=_HOSTILE)
    done = subprocess.run([program, "-Tsvg"], input=text.encode(), capture_output=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert b"&lt;script&gt;alert" in done.stdout


def test_no_formula_is_made_of_a_name() -> None:
    m = Maker()
    graph = m.finish(m.conv("end.conv0", m.photo, 3), Tap("$$x$$$", "end.conv0"))
    text = render_mermaid(facts(graph), title="long" * 20_000)
    assert mermaid(text).problems == []
    assert "#36;#36;" not in text


def test_a_tap_is_shown() -> None:
    m = Maker()
    known = facts(m.finish(m.conv("end.conv0", m.photo, 3), Tap("last", "end.conv0")))
    assert "◆ last" in mermaid(render_mermaid(known)).labels["n2"]
    nodes, _ = explorer(render_explorer(known))
    assert {"key": "distillation", "value": "last"} in nodes["end.conv0"]["attrs"]
