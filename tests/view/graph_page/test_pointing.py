"""Search, the panel, and widths that light up: by mouse, by finger and by keys."""

from pathlib import Path
from typing import Any

import pytest

from catdsl.analysis.cost import cost_model
from catdsl.project import load
from catdsl.view.describe import heat, percent
from catdsl.view.facts import costed_facts
from tests.view.browser import Browser
from tests.view.graph_page.opened import ActionChains, Keys, click, height, names, node, panel, press, written
from tests.view.graph_page.test_page import page_of
from tests.view.graphs import inception

pytestmark = pytest.mark.slow

_AT_ITS_MIDDLE = """
const box = arguments[0].getBoundingClientRect();
return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)?.closest("[data-node]");
"""


def test_search_goes_from_one_to_the_next(static: Browser) -> None:
    static.find('[data-do="fold"]').click()
    press(static, "/")
    press(static, "dense.1.CONV")
    assert static.find("#tally").text == "1 of 4"
    assert node(static, "body.0.dense.1.conv0").is_displayed()
    press(static, Keys.ENTER, Keys.ENTER)
    assert static.find("#tally").text == "3 of 4"
    found = node(static, "body.1.dense.1.conv0")
    assert "current" in found.get_attribute("class")
    assert static.run(_AT_ITS_MIDDLE, found) == found
    assert "body.1.dense.1.conv0" in panel(static)
    ActionChains(static.driver).key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(Keys.SHIFT).perform()
    assert static.find("#tally").text == "2 of 4"
    press(static, "no such thing")
    assert static.find("#tally").text == "nothing found"
    press(static, Keys.ESCAPE)
    assert static.all(".match") == []


def test_pointing_at_a_node_tells_of_it(static: Browser) -> None:
    ActionChains(static.driver).move_to_element(node(static, "stem.conv0")).perform()
    words = panel(static)
    cost = cost_model(inception()).per_node()["stem.conv0"]
    assert words.startswith("stem.conv0\n")
    for part in (
        "kernel = 7",
        " \N{MULTIPLICATION SIGN} ".join(("32", "64", "64")),
        f"{cost.exact:,} (",
        f"{cost.paper:,} (",
        f"{cost.params:,} (",
        "net.cat:7:5",
    ):
        assert part in words


def test_a_click_lights_up_all_that_a_width_is_tied_to(static: Browser) -> None:
    click(static, node(static, "stem.conv0"))
    graph = inception()
    names = static.run(
        "return [...document.querySelectorAll('.lit[data-node]')].map((e) => data.nodes.name[e.dataset.node])"
    )
    width = graph.node["stem.conv0"].type.channels[0].width
    assert sorted(names) == sorted(n.name for n in graph.nodes if width in {s.width for s in n.type.channels})
    assert {"body.1.add1", "body.0.depth.2.conv1"} <= set(names)
    assert static.style(".row:not(.lit)", "opacity") == "0.35"
    press(static, Keys.ESCAPE)
    assert static.all(".lit[data-node]") == []


def test_the_whole_picture_is_one_stop_of_the_keyboard(static: Browser) -> None:
    stops = static.run("return document.querySelectorAll('#picture [tabindex=\"0\"]').length")
    assert stops == 1
    static.run("document.querySelector('[data-do=fit]').focus()")
    press(static, Keys.TAB)
    assert static.run("return document.activeElement.dataset.node") == "0"
    press(static, Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert static.run("return data.nodes.name[document.activeElement.dataset.node]") == "stem.conv0"
    assert panel(static).startswith("stem.conv0")
    press(static, Keys.ENTER)
    assert len(static.all(".lit[data-node]")) > 10
    press(static, Keys.ARROW_UP, " ")
    assert static.run("return document.activeElement.getAttribute('aria-expanded')") == "false"
    press(static, Keys.ARROW_DOWN)  # over what is folded away
    assert "knob" in static.run("return document.activeElement.getAttribute('class')")


def test_zoom_keeps_what_is_under_the_pointer(static: Browser) -> None:
    box = static.run("const {x, y} = page.view.rows[4].element.getBoundingClientRect(); return [x, y]")
    before = static.run("return page.view.svg.getBoundingClientRect().width")
    static.run("""
        const [clientX, clientY] = arguments;
        document.getElementById("stage").dispatchEvent(new WheelEvent("wheel",
          {deltaY: -150, ctrlKey: true, clientX, clientY, bubbles: true, cancelable: true}));
    """, *box)  # fmt: skip
    assert static.run("return page.view.svg.getBoundingClientRect().width") > 1.3 * before
    after = static.run("const {x, y} = page.view.rows[4].element.getBoundingClientRect(); return [x, y]")
    assert after[1] == pytest.approx(box[1], abs=3)
    press(static, "0")
    assert static.run("return page.view.svg.getBoundingClientRect().height") <= static.run(
        "return document.getElementById('stage').clientHeight + 1"
    )
    press(static, "+")
    static.find('[data-do="out"]').click()


def test_a_finger_lights_up_and_folds(static: Browser) -> None:
    from selenium.webdriver.common.actions.pointer_input import PointerInput

    def tap(element: Any) -> None:
        actions = ActionChains(static.driver, duration=20, devices=[PointerInput("touch", "a finger")])
        actions.w3c_actions.pointer_action.move_to(element).pointer_down().pointer_up()
        actions.perform()

    tap(node(static, "stem.conv0"))
    assert panel(static).startswith("stem.conv0")
    assert len(static.all(".lit[data-node]")) > 10
    whole = height(static)
    tap(static.find('[data-path="stem"] > .knob'))
    assert height(static) < whole


def test_the_picture_is_dragged_with_the_mouse(static: Browser) -> None:
    for _ in range(3):
        static.find('[data-do="in"]').click()
    ActionChains(static.driver).move_to_element(node(static, "stem.conv0")).perform()
    before = static.run("const s = document.getElementById('stage'); return [s.scrollLeft, s.scrollTop]")
    ActionChains(static.driver).click_and_hold().move_by_offset(-60, -40).release().perform()
    after = static.run("const s = document.getElementById('stage'); return [s.scrollLeft, s.scrollTop]")
    assert [after[0] - before[0], after[1] - before[1]] == pytest.approx([60, 40], abs=2)
    assert static.all(".lit[data-node]") == []


def test_a_folded_block_shows_that_it_holds_what_is_lit(static: Browser) -> None:
    for path in ("body.0", "body.1.dense"):
        click(static, static.find(f'[data-path="{path}"] > .knob'))
    click(static, node(static, "head.conv0"))
    assert static.all(".folded.holds-lit") == []
    click(static, node(static, "stem.conv0"))
    marked = [e.get_attribute("data-path") for e in static.all(".folded.holds-lit")]
    assert marked == ["body.0", "body.1.dense"]
    strokes = static.run("return ['body.0', 'head'].map((path) => getComputedStyle(document.querySelector("
                         "`[data-path=\"${path}\"] > .body`)).stroke)")  # fmt: skip
    assert strokes[0] != strokes[1]
    press(static, Keys.ESCAPE)
    assert static.all(".holds-lit") == []


def test_a_folded_block_shows_that_something_in_it_was_found(static: Browser) -> None:
    for path in ("body.0", "body.1"):
        click(static, static.find(f'[data-path="{path}"] > .knob'))
    press(static, "/")
    press(static, "dense.1.conv0")
    # The first that was found is unfolded, the other is still within its block.
    assert [e.get_attribute("data-path") for e in static.all(".folded.holds-match")] == ["body.1"]


TIED = """
generator g {
    input x: image(3, 32, 32)
    a = x -> conv(16, 3) -> norm
    b = a -> conv(tied a.channels / 2, 3) -> norm
    c = a -> conv(tied a.channels / 2, 3) -> norm
    d = concat(b, c) -> conv(12, 3) -> norm -> conv(3, 3)
    output d
}
"""


def test_widths_tied_to_one_third_light_up_together(browser: Browser, tmp_path: Path) -> None:
    browser.open(written(tmp_path, page_of(load(TIED).graph)))
    together = ["a.conv0", "a.norm0", "b.conv0", "b.norm0", "c.conv0", "c.norm0", "d.concat0"]
    for name in ("b.conv0", "c.conv0", "a.conv0"):
        click(browser, node(browser, name))
        assert names(browser, ".lit[data-node]") == together
        press(browser, Keys.ESCAPE)
    click(browser, node(browser, "d.conv0"))
    assert names(browser, ".lit[data-node]") == ["d.conv0", "d.norm0"]
    assert browser.complaints() == []


def test_two_fingers_zoom_the_picture_and_not_the_page(static: Browser) -> None:
    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
        static.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    frame = static.run("const r = document.getElementById('stage').getBoundingClientRect(); return [r.x, r.y]")
    x, y = frame[0] + 300, frame[1] + 200
    before = static.run("return page.view.svg.getBoundingClientRect().width")
    # Of a finger's way the browser may keep the first pixels to itself.
    touch("touchStart", (x - 20, y), (x + 20, y))
    for apart in (30, 40, 50, 60):
        touch("touchMove", (x - apart, y), (x + apart, y))
    touch("touchEnd")
    static.wait(lambda: static.run("return page.view.svg.getBoundingClientRect().width") > 1.2 * before)
    assert static.run("return visualViewport.scale") == 1
    larger = static.run("return page.view.svg.getBoundingClientRect().width")
    touch("touchStart", (x - 60, y), (x + 60, y))
    for apart in (50, 40, 30):
        touch("touchMove", (x - apart, y), (x + apart, y))
    touch("touchEnd")
    static.wait(lambda: static.run("return page.view.svg.getBoundingClientRect().width") < 0.8 * larger)


def test_a_shortened_label_does_not_keep_the_first_numbers(static: Browser) -> None:
    static.run("""
        const row = page.view.rows[data.nodes.name.indexOf("stem.conv0")];
        row.shape.textContent = "32\u00d764\u2026";
        const shape = data.nodes.shape.map(([c, h, w]) => [c - 1, h, w]);
        page.view.show({state: [...data.nodes.state, 0], shape, cost: data.nodes.cost, left: data.nodes.left});
    """)  # fmt: skip
    shown = node(static, "stem.conv0").find_element("css selector", ".shape").get_attribute("textContent")
    assert shown == "31\u00d764\u2026"


def test_shares_are_written_and_coloured_as_in_every_other_form(static: Browser) -> None:
    shares = [0, 1e-5, 0.0004, 0.00051, 0.0123, 0.0994, 0.0996, 0.1234, 0.666, 1]
    assert static.run("return arguments[0].map(page.view.percent)", shares) == [percent(share) for share in shares]
    known = costed_facts(inception())
    hottest = max(known.share(n) for n in known.macs)
    static.run("page.view.show({state: [...data.nodes.state, 0], shape: data.nodes.shape, cost: data.nodes.cost,"
               "left: data.nodes.left})")  # fmt: skip
    found = static.run("return page.view.rows.map((row) => row.join ? null : row.heat.getAttribute('class'))")
    steps = [heat(known.share(n.name), hottest) for n in known.drawn.nodes]
    assert [f"h{step}" if step else "hit" for step in steps] == [style or "hit" for style in found]
