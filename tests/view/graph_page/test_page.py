"""The page as text: one file, nothing from outside, names as text, and small enough."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from catdsl.analysis.cost import cost_model
from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph
from catdsl.jobs.exploring import explore, plan_command
from catdsl.project import load
from catdsl.view.facts import costed_facts
from catdsl.view.graph_page.page import render_graph_page
from tests.view.graph_page.samples import made_up_scores, spec
from tests.view.graphs import inception, long_names, student_of

_MOST = 1_000_000


def page_of(graph: Graph, *, teacher: Graph | None = None, title: str = "net", subtitle: str = "net.cat") -> str:
    return render_graph_page(costed_facts(graph, teacher=teacher), title=title, subtitle=subtitle)


def explored(folder: Path, name: str) -> Path:
    project, path = spec(name), folder / f"{name}.html"
    explore(project, made_up_scores(project), path, command=f"catdsl plan {name}.cat")
    return path


def data_of(html: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


class _Reading(HTMLParser):
    """The elements and the visible text of a page."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_largest_page_is_small(tmp_path: Path) -> None:
    assert explored(tmp_path, "resnet_inception").stat().st_size < _MOST


def test_nothing_comes_from_outside(tmp_path: Path) -> None:
    for html in (page_of(inception()), explored(tmp_path, "quickstart").read_text(encoding="utf-8")):
        assert set(re.findall(r"https?://[^\"'\s<]+", html)) <= {"http://www.w3.org/2000/svg"}
        assert not re.search(r"\s(?:href|src)=|url\(|@import|\son\w+=", html)
        assert "default-src &#x27;none&#x27;" in html


def test_names_are_shown_as_text() -> None:
    hostile = "</script><script>alert(1)</script> & \"quotes\" 'and' \u2028 漢字"
    html = page_of(long_names(), title=hostile, subtitle=hostile * 20)
    read = _Reading(html)
    assert read.tags.count("script") == 2
    assert "漢字かな交じり文" in html
    assert hostile.replace("\u2028", "")[:30] in read.text
    names = data_of(html)["nodes"]["name"]  # type: ignore[index]
    assert names == [n.name for n in long_names().nodes]


def test_a_student_is_drawn_within_its_teacher() -> None:
    teacher = inception()
    student = student_of(teacher, gone=["body.0.dense.1.conv0"])
    html = page_of(student, teacher=teacher)
    assert '<g class="card gone" data-path="body.0.dense.1"' in html
    nodes = data_of(html)["nodes"]
    at = nodes["name"].index("body.0.dense.1.conv0")  # type: ignore[index]
    assert (nodes["state"][at], nodes["full"][at], nodes["left"][at]) == (2, 10, 0)  # type: ignore[index]


def test_two_networks_are_drawn_as_one() -> None:
    before, after = inception(kernels=(1, 3)), inception(kernels=(1, 5, 7))
    nodes = data_of(page_of(after, teacher=before))["nodes"]
    at = nodes["name"].index  # type: ignore[index]
    new, changed = at("body.0.dense.2.conv0"), at("body.0.dense.1.conv0")
    assert nodes["states"][nodes["state"][new]] == "added"  # type: ignore[index]
    assert nodes["were"] == {str(at(n)): w for n, w in _expected_changes(before)}  # type: ignore[index]
    assert nodes["before"][new] == [0, 0, 0, 0]  # type: ignore[index]
    assert 0 < nodes["before"][changed][0] < nodes["cost"][changed][0]  # type: ignore[index]


def _expected_changes(before: Graph) -> list[tuple[str, str]]:
    """A kernel of 3 became one of 5, in the second branch of each family."""
    three = "3\N{MULTIPLICATION SIGN}3"
    five = "5\N{MULTIPLICATION SIGN}5"
    kernels = ((f"body.{b}.{name}", f"{three} \N{RIGHTWARDS ARROW} {five}") for b in range(2)
               for name in ("dense.1.conv0", "depth.1.dwconv0"))  # fmt: skip
    return [(name, words) for name, words in kernels if name in before.node]


def test_costs_are_those_of_the_model() -> None:
    graph = inception()
    nodes = data_of(page_of(graph))["nodes"]
    whole = cost_model(graph).teacher
    sums = [sum(column) for column in zip(*nodes["cost"], strict=True)]  # type: ignore[index]
    assert sums == [whole.exact, whole.paper, whole.params, whole.weights]


@pytest.mark.parametrize(
    ("budget", "start"),
    [
        ("budget { macs = 2.6G, count = paper }", {"metric": 1, "text": "2.6G"}),
        ("budget { params = 123456 }", {"metric": 2, "text": "123456"}),
        ("budget { memory = 25%, weights = 12.5% }", {"metric": 3, "text": "12.5%"}),
        ("budget { memory = 25% }", {"metric": 0, "text": "50%"}),
        ("", {"metric": 0, "text": "50%"}),
    ],
)
def test_it_begins_at_the_budget_of_the_spec(tmp_path: Path, budget: str, start: dict[str, object]) -> None:
    text = "generator g { input x: image(3, 64, 64)\n y = x -> conv(40, 3) -> norm -> conv(3, 3)\n output y }\n"
    path = tmp_path / "g.cat"
    path.write_text(f"{text}{budget}\n", encoding="utf-8")
    project = load(path)
    explore(project, made_up_scores(project), tmp_path / "g.html", command="")
    explorer = data_of((tmp_path / "g.html").read_text(encoding="utf-8"))["explorer"]
    assert explorer["start"] == start  # type: ignore[index]


def test_only_a_page_can_show_scores(tmp_path: Path) -> None:
    project = spec("quickstart")
    with pytest.raises(CatError, match="E607"):
        explore(project, made_up_scores(project), tmp_path / "x.svg", command="")


def test_the_command_is_quoted_for_a_shell() -> None:
    command = plan_command(Path("my specs/a.cat"), Path("b;c.npz"), None, ["ngf=32"], 3)
    assert command == "catdsl plan 'my specs/a.cat' --scores 'b;c.npz' --seed 3 --set ngf=32"


def test_a_page_without_scores_is_drawn_without_numpy(tmp_path: Path) -> None:
    code = (
        "import sys; from catdsl.project import load; from catdsl.jobs.drawing import draw; from pathlib import Path\n"
        f"draw(load('specs/quickstart.cat').graph, Path({str(tmp_path / 'q.html')!r}))\n"
        "print(sorted({'numpy', 'torch', 'networkx'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
