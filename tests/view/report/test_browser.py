"""The pages in a real browser: no complaint in the console, nothing cut off, and a divider that can be moved."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from catdsl.view.report.comparison import compare
from catdsl.view.report.comparison_forms import comparison_html
from catdsl.view.report.content import Report
from catdsl.view.report.html import render_html
from tests.view.browser import Browser
from tests.view.report.samples import LONG, REPORTS, hostile, pictures, whole

pytestmark = pytest.mark.slow

# The largest share of its box that the first column of a table takes.
_NAMES = """
return Math.max(0, ...[...document.querySelectorAll(".scroll")].map(
  (box) => box.querySelector("tbody th").getBoundingClientRect().width / box.clientWidth));
"""
_SIDES = "return [...document.querySelectorAll('.layer img')].map((image) => image.src)"


def report_page(folder: Path, report: Report) -> Path:
    path = folder / "report.html"
    path.write_text(render_html(report, pictures(report)), encoding="utf-8")
    return path


def comparison_page(folder: Path, names: tuple[str, ...]) -> Path:
    reports = [replace(whole(), run=name) for name in names]
    path = folder / "comparison.html"
    path.write_text(comparison_html(compare(reports), [pictures(report) for report in reports]), encoding="utf-8")
    return path


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Browser:
    """The whole report, open in the browser; it must not have complained by the end of the test."""
    browser.open(report_page(tmp_path, whole()))
    return browser


def expect(browser: Browser, percent: float) -> None:
    """The slider, the line, and what is seen of both pictures agree on where the divider stands."""
    assert float(browser.run("return document.querySelector('#divider').value")) == pytest.approx(percent, abs=1)
    stage, line = (browser.find(selector).rect for selector in (".stage", ".divider"))
    assert line["x"] + line["width"] / 2 - stage["x"] == pytest.approx(stage["width"] * percent / 100, abs=4)
    if percent > 3:
        assert seen_at(browser, percent / 100 - 0.03) == "left"
    if percent < 97:
        assert seen_at(browser, percent / 100 + 0.03) == "right"


def seen_at(browser: Browser, share: float) -> str:
    """Which of the two pictures is on top at a share of the stage's width."""
    script = """
    const box = document.querySelector(".stage").getBoundingClientRect();
    const at = document.elementsFromPoint(box.left + box.width * arguments[0], box.top + box.height / 4);
    return at.find((e) => e.tagName === "IMG").closest(".layer").classList[1];
    """
    browser.run("document.querySelector('.stage').scrollIntoView({block: 'center'})")
    return str(browser.run(script, share))


# ---- how it looks ----


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", ["whole", "teacher only", "unpaired", "bare", "long names", "hostile 0", "hostile 5"])
def test_a_report_fits_its_window(browser: Browser, tmp_path: Path, name: str, width: int, dark: bool) -> None:
    browser.open(report_page(tmp_path, REPORTS[name]()), width=width, height=800, dark=dark)
    assert browser.stumbling_blocks() == []
    assert browser.run(_NAMES) <= 0.6
    if browser.all("[data-all]"):
        browser.find("[data-all] summary").click()
    assert browser.stumbling_blocks() == []
    assert browser.complaints() == []
    background = "rgb(16, 21, 29)" if dark else "rgb(255, 255, 255)"
    assert browser.style("body", "backgroundColor") == background


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("names", [("runs/a", "runs/b", "runs/c"), (f"x/{LONG}", "</script><b>")])
def test_a_comparison_fits_its_window(
    browser: Browser, tmp_path: Path, names: tuple[str, ...], width: int, dark: bool
) -> None:
    browser.open(comparison_page(tmp_path, names), width=width, height=800, dark=dark)
    assert browser.stumbling_blocks() == []
    assert browser.complaints() == []
    plots = [plot.is_displayed() for plot in browser.all(".plot")]
    assert plots == ([True, False] if width == 1280 else [False, True])


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("<div style='width:1500px'>wide</div>", "the page is"),
        ("<div style='width:40px;overflow:hidden;white-space:nowrap'>a long line of words</div>", "pixels and has 40"),
        ("<div style='width:40px;white-space:nowrap'>a long line of words</div>", "pixels and has 40"),
        ("<svg viewBox='0 0 9 9' width='90'><text x='5' y='5'>words</text></svg>", "leaves its picture"),
        ("<div style='position:absolute;left:-30px'>words</div>", "reaches from -30"),
    ],
)
def test_what_does_not_fit_is_caught(page: Browser, planted: str, found: str) -> None:
    page.run("document.querySelector('main').insertAdjacentHTML('beforeend', arguments[0])", planted)
    assert any(found in block for block in page.stumbling_blocks())


def test_a_complaint_is_caught(page: Browser) -> None:
    page.run("const image = new Image(); image.src = 'https://example.org/x.png'; document.body.append(image)")
    assert any("Content Security Policy" in complaint for complaint in page.complaints())
    assert page.complaints() == []


def test_scripts_of_names_do_not_run(browser: Browser, tmp_path: Path) -> None:
    for text in ("<script>document.title = 'run'</script>", "<img src=x onerror=\"document.title = 'run'\">"):
        browser.open(report_page(tmp_path, hostile(text)))
        assert browser.driver.title.startswith(text)
        assert browser.complaints() == []


# ---- the divider ----


@pytest.mark.parametrize("width", [1280, 400])
def test_the_divider_follows_the_keys(browser: Browser, tmp_path: Path, width: int) -> None:
    from selenium.webdriver import Keys

    browser.open(report_page(tmp_path, whole()), width=width)
    expect(browser, 50)
    slider = browser.find("#divider")
    slider.send_keys(Keys.ARROW_RIGHT * 10)
    expect(browser, 60)
    slider.send_keys(Keys.HOME)
    expect(browser, 0)
    slider.send_keys(Keys.END)
    expect(browser, 100)
    slider.send_keys(Keys.ARROW_LEFT * 3)
    expect(browser, 97)
    assert slider.get_attribute("aria-valuetext") == "97 % teacher"
    assert browser.style("#divider", "outlineStyle") == "solid"
    assert browser.complaints() == []


@pytest.mark.parametrize("kind", ["mouse", "touch"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_divider_follows_the_pointer(browser: Browser, tmp_path: Path, width: int, kind: str) -> None:
    from selenium.webdriver import ActionChains, Keys
    from selenium.webdriver.common.actions.pointer_input import PointerInput

    browser.open(report_page(tmp_path, whole()), width=width)
    stage = browser.find(".stage")
    browser.run("arguments[0].scrollIntoView({block: 'center'})", stage)
    across = stage.rect["width"]

    def actions() -> ActionChains:
        return ActionChains(browser.driver, duration=20, devices=[PointerInput(kind, f"a {kind}")])

    def pressed(share: float) -> ActionChains:
        return actions().move_to_element_with_offset(stage, round((share - 0.5) * across), 5).click_and_hold()

    clip = browser.style(".layer.left", "clipPath")
    browser.run("arguments[0].addEventListener('pointerdown', (event) => (window.kind = event.pointerType))", stage)
    pressed(0.2).release().perform()
    expect(browser, 20)
    pressed(0.3).move_by_offset(round(0.2 * across), 2).move_by_offset(round(0.35 * across), -2).release().perform()
    expect(browser, 85)
    assert browser.style(".layer.left", "clipPath") != clip
    assert browser.run("return window.kind") == kind
    actions().move_to_element_with_offset(stage, 0, 0).perform()
    expect(browser, 85)  # let go of, it stays
    browser.driver.switch_to.active_element.send_keys(Keys.ARROW_RIGHT * 2)
    expect(browser, 87)
    assert browser.complaints() == []


def test_it_can_be_dragged_beyond_the_picture(page: Browser) -> None:
    from selenium.webdriver import ActionChains

    stage = page.find(".stage")
    page.run("arguments[0].scrollIntoView({block: 'center'})", stage)
    ActionChains(page.driver).click_and_hold(stage).move_by_offset(-round(stage.rect["width"] / 2) - 60, 0).perform()
    expect(page, 0)
    ActionChains(page.driver).release().perform()
    assert not page.find(".tag.left").is_displayed()
    assert page.find(".tag.right").is_displayed()


# ---- what is compared ----


def source(browser: Browser, example: int, role: str) -> str:
    images = browser.all(f"[data-all] img[data-role={role}]")
    return str(browser.run("return arguments[0].src", images[example]))


def test_sides_can_be_chosen(page: Browser) -> None:
    from selenium.webdriver.support.select import Select

    assert page.run(_SIDES) == [source(page, 0, "student"), source(page, 0, "teacher")]
    Select(page.find("[data-side=left]")).select_by_value("input")
    Select(page.find("[data-side=right]")).select_by_value("target")
    assert page.run(_SIDES) == [source(page, 0, "target"), source(page, 0, "input")]
    assert [tag.text for tag in page.all(".tag")] == ["input", "target"]
    # The same on both sides shows nothing: they change places.
    Select(page.find("[data-side=left]")).select_by_value("target")
    assert [tag.text for tag in page.all(".tag")] == ["target", "input"]
    assert page.complaints() == []


def test_examples_can_be_chosen(page: Browser) -> None:
    from selenium.webdriver import Keys

    thumbs = page.all(".thumbs button")
    assert [thumb.text for thumb in thumbs] == ["0.jpg", "1.jpg", "2.jpg"]
    thumbs[2].click()
    assert page.find("[data-title]").text == "2.jpg"
    assert page.run(_SIDES) == [source(page, 2, "student"), source(page, 2, "teacher")]
    assert page.run(_SIDES)[0] != source(page, 0, "student")
    assert [thumb.get_attribute("aria-pressed") for thumb in thumbs] == ["false", "false", "true"]
    thumbs[1].send_keys(Keys.ENTER)
    assert page.find("[data-title]").text == "1.jpg"
    assert [figure.text for figure in page.all(".now figcaption")] == ["input", "teacher", "student", "target"]
    stage = page.find(".stage").rect
    assert stage["width"] / stage["height"] == pytest.approx(56 / 32, rel=0.01)  # of this example's pictures
    assert page.complaints() == []


def test_an_example_without_a_picture_leaves_the_choice_alone(browser: Browser, tmp_path: Path) -> None:
    first, second, third = whole().examples
    report = replace(whole(), examples=(first, replace(second, student=None), third))
    browser.open(report_page(tmp_path, report))
    thumbs = browser.all(".thumbs button")
    for index, tags in ((0, ["teacher", "student"]), (1, ["teacher", "teacher"]), (2, ["teacher", "student"])):
        thumbs[index].click()
        assert [tag.text for tag in browser.all(".tag")] == tags
    assert browser.complaints() == []


def test_commands_are_copied_or_selected(page: Browser) -> None:
    button = page.find("[data-copy]")
    button.click()
    page.wait(lambda: button.text != "Copy")
    assert button.text in ("Copied", "Selected: press Ctrl+C")


def without_scripts(browser: Browser, path: Path, check: Callable[[], None]) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(path)
        check()
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_without_scripts_every_picture_is_there(browser: Browser, tmp_path: Path) -> None:
    def check() -> None:
        images = browser.all("[data-all] img")
        assert len(images) == 12
        assert all(image.is_displayed() for image in images)
        assert not browser.find(".viewer").is_displayed()
        assert not browser.find("[data-copy]").is_displayed()

    without_scripts(browser, report_page(tmp_path, whole()), check)


def test_on_paper_every_picture_is_there(page: Browser) -> None:
    page.run("dispatchEvent(new Event('beforeprint'))")
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert all(image.is_displayed() for image in page.all("[data-all] img"))
        assert not page.find(".viewer").is_displayed()
        assert page.stumbling_blocks() == []
    finally:
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    page.run("dispatchEvent(new Event('afterprint'))")
    assert not any(image.is_displayed() for image in page.all("[data-all] img"))
