"""How fast the page is, and how small."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from tests.view.browser import Browser
from tests.view.graph_page.opened import PAINTED, explored_graph, written
from tests.view.graph_page.test_page import explored
from tests.view.graphs import inception

pytestmark = pytest.mark.slow

_MOVES = """
const times = [];
for (let i = 0; i < 40; i++) {
  const most = (BigInt(data.explorer.model.teacher[0]) * BigInt(40 + ((i * 377) % 900))) / 1000n;
  const start = performance.now();
  budget.show(0, most);
  page.view.svg.getBoundingClientRect();
  times.push(performance.now() - start);
}
return times.sort((a, b) => a - b);
"""
_FOLDS = """
const times = [];
for (const box of page.view.boxes.filter((b) => b.folded).slice(0, 12)) {
  const start = performance.now();
  page.view.fold(box, !box.closed);
  page.view.svg.getBoundingClientRect();
  times.push(performance.now() - start);
}
return times.sort((a, b) => a - b);
"""


def test_the_largest_program_answers_at_once(browser: Browser, tmp_path: Path) -> None:
    browser.open(explored(tmp_path, "resnet_inception"))
    browser.wait(lambda: browser.run(PAINTED) is not None)
    painted, moves, folds = browser.run(PAINTED), browser.run(_MOVES), browser.run(_FOLDS)
    print(json.dumps({"painted": painted, "move": [moves[20], moves[-1]], "fold": [folds[6], folds[-1]]}))
    # Three times what is wanted, for machines that do something else besides.
    assert painted < 3000
    assert moves[20] < 150
    assert browser.complaints() == []


def test_a_thousand_nodes_stay_usable(browser: Browser, tmp_path: Path) -> None:
    graph = inception(blocks=30)
    assert len(graph.nodes) > 1000
    random_ = random.Random(0)
    scores = {w.name: np.array([random_.random() for _ in range(w.count)]) for w in graph.widths if w.searched}
    path = written(tmp_path, explored_graph(graph, scores))
    browser.open(path)
    browser.wait(lambda: browser.run(PAINTED) is not None)
    painted, moves, folds = browser.run(PAINTED), browser.run(_MOVES), browser.run(_FOLDS)
    print(
        json.dumps(
            {
                "size": path.stat().st_size,
                "painted": painted,
                "move": [moves[20], moves[-1]],
                "fold": [folds[6], folds[-1]],
            }
        )
    )
    assert painted < 5000
    assert moves[20] < 500
    assert folds[6] < 500
    assert browser.complaints() == []
