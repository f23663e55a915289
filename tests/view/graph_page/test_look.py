"""The page as it is seen, on screens of two widths and on paper."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.view.browser import Browser
from tests.view.graph_page.opened import written
from tests.view.graph_page.test_page import explored, page_of
from tests.view.graphs import inception, long_names, student_of

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", ["quickstart", "static", "student", "pair", "hostile"])
def test_the_page_fits_its_window(browser: Browser, tmp_path: Path, name: str, width: int, dark: bool) -> None:
    hostile = "</script><script>alert(1)</script>" + "W" * 300 + "漢字" * 60
    pages: dict[str, Callable[[], Path]] = {
        "quickstart": lambda: explored(tmp_path, "quickstart"),
        "static": lambda: written(tmp_path, page_of(inception())),
        "student": lambda: written(tmp_path, page_of(student_of(inception()), teacher=inception())),
        "pair": lambda: written(tmp_path, page_of(inception(kernels=(1, 7)), teacher=inception())),
        "hostile": lambda: written(tmp_path, page_of(long_names(), title=hostile, subtitle=hostile)),
    }
    browser.open(pages[name](), width=width, height=800, dark=dark)
    assert browser.stumbling_blocks() == []
    browser.run("for (const part of document.querySelectorAll('details')) part.open = true")
    browser.run(
        "[...document.querySelectorAll('[data-node]')].at(-1).dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    assert browser.stumbling_blocks() == []
    assert browser.run("return document.getElementById('stage').clientHeight") >= 150
    assert browser.complaints() == []
    assert browser.style("body", "backgroundColor") == ("rgb(16, 21, 29)" if dark else "rgb(255, 255, 255)")


def test_names_are_shown_as_text(browser: Browser, tmp_path: Path) -> None:
    browser.open(written(tmp_path, page_of(long_names(), title="<script>alert(1)</script>")))
    assert browser.find("h1").text == "<script>alert(1)</script>"
    for i, one in enumerate(long_names().nodes):
        browser.run(
            "page.view.rows[arguments[0]].element.dispatchEvent(new PointerEvent('pointerover', {bubbles: true}))", i
        )
        # What is no character of XML is the browser's to replace; these names have none.
        assert browser.run("return document.querySelector('#details h2').textContent") == one.name
    assert browser.run("return document.querySelectorAll('script').length") == 2
    assert browser.complaints() == []
