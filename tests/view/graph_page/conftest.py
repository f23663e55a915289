"""Pages that many tests open; none may have complained by the end of a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.view.browser import Browser
from tests.view.graph_page.test_page import explored, page_of
from tests.view.graphs import inception


@pytest.fixture
def static(browser: Browser, tmp_path: Path) -> Iterator[Browser]:
    """A small network without scores; the page must not have complained by the end of the test."""
    path = tmp_path / "graph.html"
    path.write_text(page_of(inception()), encoding="utf-8")
    browser.open(path)
    browser.run("page.view.foldAll(false)")
    yield browser
    assert browser.complaints() == []


@pytest.fixture
def slider(browser: Browser, tmp_path: Path) -> Iterator[Browser]:
    """The quick start with made-up scores."""
    browser.open(explored(tmp_path, "quickstart"))
    yield browser
    assert browser.complaints() == []
