"""The page as it is seen, on screens of two widths and on paper."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from catdsl.jobs.drawing import draw
from catdsl.project import load
from catdsl.resources import folder
from tests.view.browser import Browser
from tests.view.graph_page.folded import as_seen
from tests.view.graph_page.opened import SERIALIZED, written
from tests.view.graph_page.samples import spec
from tests.view.graph_page.test_page import explored, page_of
from tests.view.graphs import inception, long_names, student_of
from tests.view.picture import problems

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


_SPECS = sorted(path.stem for path in folder("specs").glob("*.cat"))


@pytest.mark.parametrize("name", _SPECS)
def test_every_program_opens(browser: Browser, tmp_path: Path, name: str) -> None:
    for width in (1280, 400):
        browser.open(explored(tmp_path, name), width=width, height=800)
        assert browser.complaints() == []
        assert browser.stumbling_blocks() == []
        browser.run("page.view.foldAll(false)")
        assert problems(as_seen(browser.run(SERIALIZED))) == []
    draw(spec(name).graph, tmp_path / "plain.html")
    browser.open(tmp_path / "plain.html")
    assert browser.complaints() == []
    assert browser.run("return document.querySelectorAll('[data-node]').length") == len(spec(name).graph.nodes)


@pytest.mark.parametrize("name", ["resnet_inception", "spade_inception", "unet_inception"])
def test_a_large_program_begins_so_that_it_can_be_read(browser: Browser, tmp_path: Path, name: str) -> None:
    browser.open(explored(tmp_path, name))
    assert len(browser.all(".scope.folded")) > 3
    browser.find('[data-do="fit"]').click()
    # At most so small that the least of the words has six pixels.
    seen = browser.run("return page.view.svg.getBoundingClientRect().width / page.view.svg.viewBox.baseVal.width")
    assert seen >= 0.4
    browser.find('[data-do="unfold"]').click()
    assert browser.all(".folded") == []


def test_a_small_program_begins_unfolded(browser: Browser, tmp_path: Path) -> None:
    browser.open(explored(tmp_path, "quickstart"))
    assert browser.all(".folded") == []


def test_a_narrow_screen_leaves_most_of_itself_to_the_picture(browser: Browser, tmp_path: Path) -> None:
    browser.open(explored(tmp_path, "resnet_inception"), width=400, height=800)
    seen = browser.run("""
        const stage = document.getElementById("stage").getBoundingClientRect();
        return document.getElementById("details").getBoundingClientRect().top - stage.top;
    """)
    assert seen >= 420
    # The panel stays in sight, wherever the picture is moved to.
    browser.run("scrollTo(0, 120)")
    assert browser.run("return document.getElementById('details').getBoundingClientRect().bottom <= innerHeight + 1")


def test_it_can_be_printed(browser: Browser, tmp_path: Path) -> None:
    browser.open(explored(tmp_path, "quickstart"), width=794, height=1123, dark=True)
    with browser.on_paper():
        for part in ("#tools", "#details", "#slider", "#vanishing", "#covers"):
            assert not browser.find(part).is_displayed(), part
        for part in ("h1", "#cost-0", "#outcome", "#amount", ".legend", "#picture"):
            assert browser.find(part).is_displayed(), part
        assert browser.stumbling_blocks() == []
        # Paper is white, whatever the screen is.
        assert browser.style("body", "backgroundColor") == "rgb(255, 255, 255)"
        assert browser.style(".card > .body", "fill") == "rgb(255, 255, 255)"
        frame = browser.run("const r = page.view.svg.getBoundingClientRect(); return [r.left, r.right, r.height]")
        assert frame[0] >= 0
        assert frame[1] <= 794.5
        assert frame[2] > 400
    pdf = browser.pdf()
    assert pdf.startswith(b"%PDF-")
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 3
    assert browser.complaints() == []


def test_a_difference_is_a_page_that_opens(browser: Browser, tmp_path: Path) -> None:
    one, two = spec("quickstart"), load(folder("specs") / "quickstart.cat", {"ngf": 20})
    draw(two.graph, tmp_path / "d.html", teacher=one.graph, subtitle="one.cat → two.cat")
    browser.open(tmp_path / "d.html")
    assert "one.cat → two.cat" in browser.find(".about").text
    assert "MACs (exact)" in browser.find(".about").text
    assert browser.stumbling_blocks() == []
    assert browser.complaints() == []
