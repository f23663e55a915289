"""What tests of the page in a browser share: pages of networks, and hands on what is shown there."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catdsl.analysis.cost import cost_model
from catdsl.ir.graph import Graph
from catdsl.search.plan import Planner
from catdsl.view.facts import costed_facts
from catdsl.view.graph_page.model import model_of
from catdsl.view.graph_page.page import Exploration, Start, render_graph_page
from tests.view.browser import Browser

_WITHOUT = "selenium is not installed (extra `dev`)"
ActionChains = pytest.importorskip("selenium.webdriver", reason=_WITHOUT).ActionChains
Keys = pytest.importorskip("selenium.webdriver.common.keys", reason=_WITHOUT).Keys

SERIALIZED = "return new XMLSerializer().serializeToString(page.view.svg)"
PAINTED = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


def written(folder: Path, html: str) -> Path:
    path = folder / "graph.html"
    path.write_text(html, encoding="utf-8")
    return path


def explored_graph(graph: Graph, scores: Any) -> str:
    """The page with a slider of a graph that is no spec."""
    planner = Planner(cost_model(graph), scores)
    known = replace(costed_facts(graph, teacher=graph), scored=frozenset(planner.scored.by_width))
    exploration = Exploration(model_of(planner), Start("exact", "50%"), "catdsl plan net.cat")
    return render_graph_page(known, title="net", subtitle="net.cat", exploration=exploration)


def node(browser: Browser, name: str) -> Any:
    """The element of a node."""
    return browser.run("return page.view.rows[data.nodes.name.indexOf(arguments[0])].element", name)


def click(browser: Browser, element: Any) -> None:
    ActionChains(browser.driver).move_to_element(element).click().perform()


def press(browser: Browser, *keys: str) -> None:
    ActionChains(browser.driver).send_keys(*keys).perform()


def panel(browser: Browser) -> str:
    return str(browser.find("#details").text)


def height(browser: Browser) -> float:
    return float(browser.run("return page.view.svg.viewBox.baseVal.height"))


def names(browser: Browser, selector: str) -> list[str]:
    """The nodes whose elements a CSS selector finds, sorted."""
    script = "return [...document.querySelectorAll(arguments[0])].map((e) => data.nodes.name[e.dataset.node])"
    return sorted(browser.run(script, selector))
