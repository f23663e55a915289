"""`catdsl graph` with scores: where they come from, what is warned of, and what the page begins at."""

import json
import re

import numpy as np
import pytest

from catdsl.project import load
from catdsl.search.scores import save_scores
from tests.jobs.test_drawing import changed, read


def scores_of(cli, name="tiny.cat"):
    """Scores of every width of a spec, none like the next."""
    draw = np.random.default_rng(0)
    widths = load(cli.folder / name).teacher_graph.widths
    return {w.name: draw.random(w.count) for w in widths if w.searched}


def explorer(cli, name="a.html"):
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', read(cli, name), re.DOTALL)
    return json.loads(found[1])["explorer"]


def test_scores_of_a_file_make_a_slider(cli):
    save_scores(scores_of(cli), cli.folder / "s.safetensors")
    done = cli("graph", "tiny.cat", "--scores", "s.safetensors", "-o", "a.html")
    assert "warning" not in done.stderr
    assert explorer(cli)["command"] == "catdsl plan tiny.cat --scores s.safetensors"


def test_what_the_search_warns_of_is_said_on_the_terminal_and_on_the_page(cli):
    text = "stem = labels -> conv(ngf, 3)"
    assert f"{text} -> norm" in read(cli, "tiny.cat")
    (cli.folder / "bare.cat").write_text(read(cli, "tiny.cat").replace(f"{text} -> norm", text), encoding="utf-8")
    norms = [n for n in load(cli.folder / "bare.cat").graph.nodes if n.norm is not None]
    graph = load(cli.folder / "bare.cat").graph
    save_scores({n.name: np.ones(graph.channels(n.name)) for n in norms}, cli.folder / "s.safetensors")
    plan = cli("plan", "bare.cat", "--budget", "60%", "--scores", "s.safetensors", "-o", "student.cat").stderr
    told = cli("graph", "bare.cat", "--scores", "s.safetensors", "-o", "a.html").stderr
    for words in ("has no affine norm to score its channels", "all scores are equal"):
        assert words in plan
        assert words in told
        assert words in read(cli, "a.html")


def test_random_scores_need_no_teacher_and_follow_the_seed(cli):
    changed(cli, "random.cat", **{"search  { floor = 2 }": "search { floor = 2, score = random }"})
    for seed in (0, 5):
        cli("graph", "random.cat", "--seed", seed, "-o", f"{seed}.html")
    assert explorer(cli, "5.html")["command"] == "catdsl plan random.cat --seed 5"
    project = load(cli.folder / "random.cat")
    for seed in (0, 5):
        found = explorer(cli, f"{seed}.html")["model"]["scores"]
        first = next(w.name for w in project.graph.widths if w.searched)
        expected = sorted(project.scores({}, seed=seed)[first].tolist(), reverse=True)
        assert found[0] == pytest.approx(expected, rel=1e-3)
    # A picture needs none.
    cli("graph", "random.cat", "-o", "a.svg")


def test_taylor_scores_come_from_a_run_that_was_searched(cli):
    changed(cli, "taylor.cat", **{"search  { floor = 2 }": "search { floor = 2, score = taylor }"})
    cli.begun("taylor.cat")
    told = cli("graph", "taylor.cat", "--teacher", "run", "-o", "a.html", code=1).stderr
    assert "E403" in told
    assert "taylor scores are taken while a teacher trains, and run has none" in told
    assert "catdsl compress" in told
    assert "--data" not in told
    save_scores(scores_of(cli), cli.folder / "run" / "scores.safetensors")
    cli("graph", "taylor.cat", "--teacher", "run", "-o", "a.html")
    assert explorer(cli) is not None
    # Without a teacher there is a page, and no slider.
    cli("graph", "taylor.cat", "-o", "b.html")
    assert explorer(cli, "b.html") is None


@pytest.mark.parametrize(
    ("budget", "start", "more"),
    [
        ("params=30%", {"metric": 2}, False),
        ("macs=40%", {"metric": 0}, False),
        ("macs=40%,params=60%", {"metric": 0}, True),
    ],
)
def test_the_page_of_a_student_begins_at_the_budget_of_its_plan(cli, budget, start, more):
    save_scores(scores_of(cli), cli.folder / "s.safetensors")
    planned = json.loads(
        cli("plan", "tiny.cat", "--budget", budget, "--scores", "s.safetensors", "-o", "student.cat",
            "--format", "json").stdout
    )  # fmt: skip
    cli("graph", "student.cat", "--scores", "s.safetensors", "-o", "a.html")
    found = explorer(cli)["start"]
    metric = explorer(cli)["model"]["metrics"][found["metric"]]
    assert found["metric"] == start["metric"]
    assert int(found["text"]) == planned["budget"][metric]
    assert ("one of these limits at a time" in read(cli, "a.html")) == more


def test_a_student_in_the_other_convention_begins_there(cli):
    save_scores(scores_of(cli), cli.folder / "s.safetensors")
    cli("plan", "tiny.cat", "--budget", "40%", "--count", "paper", "--scores", "s.safetensors", "-o", "student.cat")
    cli("graph", "student.cat", "--scores", "s.safetensors", "-o", "a.html")
    assert explorer(cli)["start"]["metric"] == 1
