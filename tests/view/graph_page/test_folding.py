"""Blocks fold and unfold, and the picture holds together whatever is folded."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from catdsl.ir.graph import Graph
from tests.view.browser import Browser
from tests.view.graph_page.folded import as_seen, loose
from tests.view.graph_page.opened import SERIALIZED, ActionChains, Keys, click, height, node, panel, press, written
from tests.view.graph_page.samples import spec
from tests.view.graph_page.test_page import explored, page_of
from tests.view.graphs import GRAPHS, inception
from tests.view.picture import problems

pytestmark = pytest.mark.slow

_FOLD = """
const paths = new Set(arguments[0]);
for (const box of page.view.boxes) box.folded && page.view.fold(box, paths.has(box.group.dataset.path));
"""


def _check(browser: Browser, graph: Graph, paths: list[str]) -> None:
    browser.run(_FOLD, paths)
    seen = as_seen(browser.run(SERIALIZED))
    assert problems(seen) == [], paths
    assert loose(seen, graph) == [], paths


@pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)
def test_a_folded_picture_holds_together(browser: Browser, tmp_path: Path, make: Callable[[], Graph]) -> None:
    graph = make()
    browser.open(written(tmp_path, page_of(graph)))
    paths = browser.run("return page.view.boxes.filter((b) => b.folded).map((b) => b.group.dataset.path)")
    draw = random.Random(0)
    # The first that closes is drawn over what was never moved.
    for path in paths[:4]:
        _check(browser, graph, [path])
    _check(browser, graph, paths)
    for _ in range(6):
        _check(browser, graph, draw.sample(paths, draw.randint(0, len(paths))))
    assert browser.complaints() == []


@pytest.mark.parametrize("name", ["resnet_inception", "spade_inception", "unet_inception"])
def test_a_folded_program_holds_together(browser: Browser, tmp_path: Path, name: str) -> None:
    graph = spec(name).graph
    browser.open(explored(tmp_path, name))
    paths = browser.run("return page.view.boxes.filter((b) => b.folded).map((b) => b.group.dataset.path)")
    draw = random.Random(1)
    for count in (0, len(paths) // 8, len(paths) // 2, len(paths)):
        _check(browser, graph, draw.sample(paths, count))


def test_two_networks_hold_together(browser: Browser, tmp_path: Path) -> None:
    before, after = inception(kernels=(1, 3)), inception(kernels=(1, 5, 7))
    browser.open(written(tmp_path, page_of(after, teacher=before)))
    for paths in ([], ["body.0.dense"], ["body.0", "body.1.depth.2"]):
        browser.run(_FOLD, paths)
        assert problems(as_seen(browser.run(SERIALIZED))) == [], paths
    ActionChains(browser.driver).move_to_element(node(browser, "body.1.dense.1.conv0")).perform()
    assert "changed: " in panel(browser)
    assert browser.complaints() == []


def test_a_loose_wire_is_caught(static: Browser) -> None:
    static.run(_FOLD, ["body.0.dense.1"])
    seen = as_seen(static.run(SERIALIZED))
    assert loose(seen, inception()) == []
    static.run("page.view.nets.forEach((net) => net.element.remove())")
    assert len(loose(as_seen(static.run(SERIALIZED)), inception())) > 20


def test_a_heading_folds_its_block(static: Browser) -> None:
    whole = height(static)
    knob = static.find('[data-path="body.0"] > .knob')
    click(static, knob)
    assert knob.get_attribute("aria-expanded") == "false"
    assert height(static) < whole - 100
    assert not node(static, "body.0.add1").is_displayed()
    press(static, Keys.ENTER)
    assert knob.get_attribute("aria-expanded") == "true"
    assert height(static) == whole
    static.find('[data-do="fold"]').click()
    assert height(static) < 400
    static.find('[data-do="unfold"]').click()
    assert height(static) == whole
