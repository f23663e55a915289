"""Specs with scores, as the page gets them, and the page's search run outside of it."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catdsl.project import Project, load
from catdsl.resources import folder
from catdsl.search.plan import Planner
from catdsl.search.scores import Scores
from catdsl.view import graph_page

SEARCH = Path(graph_page.__file__).with_name("search.js")

# Arguments are metrics and limits; an answer is null, or what the page shows.
_ASK = """
const search = searcher(model);
return asked.map(([metric, most]) => {
  const found = search.plan(metric, model.big ? BigInt(most) : Number(most));
  if (found === null) return null;
  const { kept, cut, threshold, output, whole, counts } = found;
  return { kept, cut, threshold, output, whole: whole.map(String), states: search.states(counts) };
});
"""

Ask = Callable[[dict[str, Any], list[tuple[int, int]]], list[Any]]


def spec(name: str) -> Project:
    return load(folder("specs") / f"{name}.cat")


def made_up_scores(project: Project, *, seed: int = 0) -> Scores:
    """Like those of a sparse teacher: many small, some large, and ties."""
    random = np.random.default_rng(seed)
    widths = [w for w in project.teacher_graph.widths if w.searched]
    return {w.name: np.round(random.gamma(0.4, size=w.count) * random.choice([0.05, 1, 3]), 2) for w in widths}


def planner(project: Project, scores: Scores, policy: str = "threshold") -> Planner:
    return Planner(project.cost_model, scores, policy=policy)


@pytest.fixture
def ask(request: pytest.FixtureRequest) -> Ask:
    """The page's search, run by node where there is one, else in the browser."""
    node = shutil.which("node")
    script = SEARCH.read_text(encoding="utf-8")

    def by_node(model: dict[str, Any], asked: list[tuple[int, int]]) -> list[Any]:
        assert node is not None
        given = json.dumps([model, [(metric, str(most)) for metric, most in asked]])
        code = (
            f"{script}\nconst answer = (model, asked) => {{{_ASK}}};\n"
            "const [model, asked] = JSON.parse(require('fs').readFileSync(0, 'utf8'));\n"
            "console.log(JSON.stringify(answer(model, asked)));"
        )
        done = subprocess.run([node, "-e", code], input=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout))

    def by_browser(model: dict[str, Any], asked: list[tuple[int, int]]) -> list[Any]:
        browser = request.getfixturevalue("browser")
        code = f"{script}\nconst [model, asked] = JSON.parse(arguments[0]);\n{_ASK}"
        return list(browser.run(code, json.dumps([model, [(metric, str(most)) for metric, most in asked]])))

    return by_node if node else by_browser
