"""The slider and its field show the students that `plan` finds."""

import re
from collections.abc import Iterable
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from catdsl.analysis.cost import METRICS, Cost, cost_model
from catdsl.diagnostics import CatError
from catdsl.jobs.exploring import explore
from catdsl.project import Project, load
from catdsl.resources import folder
from catdsl.search.budget import Budget, Limit, parse_budget
from catdsl.search.plan import Planner, find_plan
from tests.view.browser import Browser
from tests.view.graph_page.opened import Keys, click, node
from tests.view.graph_page.samples import made_up_scores, planner, spec
from tests.view.graph_page.test_page import explored

pytestmark = pytest.mark.slow

_SLIDE = """
const slider = document.getElementById("slider");
slider.value = arguments[0];
slider.dispatchEvent(new Event("input"));
"""
_ENTER = """
const amount = document.getElementById("amount"), metric = document.getElementById("metric");
metric.value = arguments[1];
amount.value = arguments[0];
amount.dispatchEvent(new Event("change"));
"""
# What is to be seen at a budget: whole costs, the counts on cards by width, and by node what the panel says it costs.
_LOOK_AT = """
const [most, index, done] = arguments;
const amount = document.getElementById("amount"), metric = document.getElementById("metric");
metric.value = index;
amount.value = most;
amount.dispatchEvent(new Event("change"));
requestAnimationFrame(() => requestAnimationFrame(() => {
  const { model } = data.explorer, { name, own, widths } = data.nodes, nodes = {}, counts = {};
  const searched = new Map(model.searched.map((width) => [width, data.widths.name[width]]));
  const last = (text) => text.split("→").at(-1);
  page.view.rows.forEach((row, i) => {
    const width = searched.get(widths[i][0]);
    if (row.count && own[i] && width) counts[width] = Number(last(row.count.textContent));
    row.element.dispatchEvent(new PointerEvent("pointerover", {bubbles: true}));
    const terms = [...document.querySelectorAll("#details dt")].map((t) => [t.textContent, t.nextSibling.textContent]);
    const costs = ["MACs (exact)", "MACs (paper)", "Parameters"].map((metric) => {
      const found = terms.find(([term]) => term === metric);
      return found ? Number(last(found[1]).replace(/\\(.*/, "").replaceAll(",", "")) : 0;
    });
    if (costs.some(Boolean)) nodes[name[i]] = costs;
  });
  done({ counts, nodes, whole: [0, 1, 2, 3].map((i) => document.getElementById(`cost-${i}`).textContent) });
}));
"""


@pytest.mark.parametrize("place", [60, 150, 400, 900])
def test_the_slider_shows_what_plan_finds(slider: Browser, place: int) -> None:
    slider.run(_SLIDE, place)
    project = spec("quickstart")
    most = project.cost_model.teacher.exact * place // 1000
    plan = find_plan(project.cost_model, made_up_scores(project), Budget((Limit("exact", most, ""),)))
    slider.wait(lambda: slider.find("#cost-0").text == f"{plan.cost.exact:,}")
    figures = [slider.find(f"#cost-{i}").text for i in range(4)]
    assert figures == [f"{n:,}" for n in (plan.cost.exact, plan.cost.paper, plan.cost.params, plan.cost.weights)]
    vanished = sum(count == 0 for count in plan.kept.values())
    assert f"{vanished} of {len(plan.kept)} widths vanish" in slider.find("#vanished").text
    for name, count in plan.kept.items():
        full = project.graph.width[name].count
        shown = node(slider, name).find_element("css selector", ".count").get_attribute("textContent")
        assert shown == (str(full) if count == full else f"{full} → {count}")
    gone = slider.run(
        "return [...document.querySelectorAll('.row.gone,.join.gone')].map((e) => data.nodes.name[e.dataset.node])"
    )
    student = project.student_at(plan.kept)
    assert sorted(gone) == sorted(n.name for n in project.graph.nodes if n.name not in student.node)
    assert f"--budget macs={most}" in slider.find("#command").get_attribute("textContent")


def test_amounts_are_typed_as_for_the_command(slider: Browser) -> None:
    amount = slider.find("#amount")
    teacher = spec("quickstart").cost
    for metric, text, most in (("0", "12.5%", teacher.exact // 8), ("2", "100K", 100_000), ("1", "0.05G", 50_000_000)):
        slider.run(
            "const m = document.getElementById('metric'); m.value = arguments[0]; m.dispatchEvent(new Event('change'))",
            metric,
        )
        amount.clear()
        amount.send_keys(text, Keys.ENTER)
        slider.wait(lambda most=most: f"={most}" in slider.find("#command").get_attribute("textContent"))  # type: ignore[misc]
        assert "of the limit is left" in slider.find("#outcome").text


def test_scores_are_strips_with_their_threshold(slider: Browser) -> None:
    own = [w.name for w in spec("quickstart").graph.widths if w.searched]
    assert len(slider.all(".row .cutoff")) == len(own)
    click(slider, node(slider, own[0]))
    assert f"Scores of {own[0]}" in slider.find("figcaption").text
    assert slider.find("figure .kept").is_displayed()


def enter(browser: Browser, text: str, metric: int = 0) -> None:
    """Type an amount; the page answers within the same call."""
    browser.run(_ENTER, text, metric)


def test_below_the_floor_the_smallest_student_is_shown(slider: Browser) -> None:
    project = spec("quickstart")
    floor = project.cost_model.floor()
    enter(slider, "10")
    slider.wait(lambda: slider.find("#cost-0").text == f"{floor.exact:,}")
    words = slider.find("#outcome").text
    assert words == (
        f"No student takes 10 or less. This is the smallest, at {floor.exact:,}, "
        f"{100 * floor.exact / project.cost.exact:.1f} %."
    )
    assert f"macs={floor.exact}" in slider.find("#command").get_attribute("textContent")
    lows = {w.name: w.low for w in project.graph.widths if w.searched}
    assert drawn_counts(slider, lows) == lows
    assert slider.find("#slider").get_attribute("value") == slider.find("#slider").get_attribute("min")


def test_what_is_no_amount_leaves_everything_and_says_so(slider: Browser) -> None:
    enter(slider, "40%")
    slider.wait(lambda: "of the limit is left" in slider.find("#outcome").text)
    before = [slider.find(f"#{part}").get_attribute("textContent") for part in ("cost-0", "command", "vanished")]
    enter(slider, "many")
    words = slider.find("#outcome").text
    assert words.startswith("“many” is not an amount. Write for example 2.6G")
    assert words.endswith("The picture is still that of the limit before.")
    assert slider.find("#amount").get_attribute("aria-invalid") == "true"
    assert [slider.find(f"#{p}").get_attribute("textContent") for p in ("cost-0", "command", "vanished")] == before


_AMOUNTS = (
    "25%", "12.5 %", "0.001%", "100%", "2.6G", "2.6e9", "1E-1G", "400K", "400 K", "1.5M", "123456", "1T", "1e30",
    "1.6MB", "1.6 GB", "99B", "0", "0%", "0.4", "-5", "+5", "1_5M", "25 percent", "", "K", "1e", "1.", ".5", "5k",
    "12ms", " 7M ", "1e1000", "١٢",
)  # fmt: skip


def command_reads(text: str, metric: str, teacher: Cost) -> tuple[str, bool]:
    """The limit that `--budget` takes from a text, or the end of what it says against it, and which it is."""
    kind = "macs" if metric in ("exact", "paper") else metric
    try:
        return str(parse_budget(f"{kind}={text}", metric, teacher).limits[0].most), True
    except CatError as error:
        # `many` is not an amount; a budget of 0 is nothing
        return error.diagnostics[0].message.rpartition(" is ")[2], False


def test_amounts_are_read_as_the_command_reads_them(slider: Browser) -> None:
    teacher = spec("quickstart").cost_model.teacher
    taken = 0
    for (i, metric), text in product(enumerate(METRICS), _AMOUNTS):
        page = slider.run("const {most, wrong} = budget.read(...arguments); return [String(most), wrong]", text, i)
        words, read = command_reads(text, metric, teacher)
        assert page == [words, None] if read else words in page[1], (metric, text)
        taken += read
    assert len(_AMOUNTS) < taken < 3 * len(_AMOUNTS)


def test_the_cut_of_a_uniform_policy_is_a_share(browser: Browser, tmp_path: Path) -> None:
    text = (folder("specs") / "quickstart.cat").read_text(encoding="utf-8")
    even = load(text.replace("score = norm_scale", "score = norm_scale, policy = uniform"))
    path = tmp_path / "uniform.html"
    assert even.settings.search.policy == "uniform"
    explore(even, made_up_scores(even), path, command="")
    browser.open(path)
    words = browser.find("#outcome").text
    found = re.match(r"cut at (\d+\.\d) % of every width; ", words)
    assert found, words
    limit = Budget((Limit("exact", even.cost.exact * 25 // 100, ""),))
    plan = find_plan(even.cost_model, made_up_scores(even), limit, policy="uniform")
    assert plan.threshold is not None
    assert float(found[1]) == pytest.approx(-100 * plan.threshold, abs=0.06)


def test_the_card_and_the_panel_say_the_same_of_every_conv(slider: Browser) -> None:
    slider.run(_SLIDE, 60)
    slider.wait(lambda: "widths vanish" in slider.find("#vanished").text)
    pairs = slider.run("""
        return page.view.rows.flatMap((row) => {
          if (!row.count) return [];
          row.element.dispatchEvent(new PointerEvent("pointerover", {bubbles: true}));
          const terms = [...document.querySelectorAll("#details dt")];
          return [[row.count.textContent, terms.find((t) => t.textContent === "Channels").nextSibling.textContent]];
        });
    """)
    assert len(pairs) > 20
    assert any(card.endswith("→ 0") for card, _ in pairs)
    assert [pair for pair in pairs if pair[0] != pair[1]] == []


def test_copying_leaves_what_came_of_the_budget(slider: Browser) -> None:
    slider.run("document.getElementById('covers').open = true")
    words = slider.find("#outcome").text
    click(slider, slider.find("#copy"))
    slider.wait(lambda: slider.find("#copied").text in ("copied", "selected: now Ctrl+C"))
    assert slider.find("#outcome").text == words


def test_the_widths_that_vanish_are_named(slider: Browser) -> None:
    enter(slider, "10%")
    project = spec("quickstart")
    limit = Budget((Limit("exact", project.cost.exact // 10, ""),))
    kept = find_plan(project.cost_model, made_up_scores(project), limit).kept
    gone = [name for name, count in kept.items() if not count]
    assert gone
    slider.wait(lambda: slider.find("#vanished").text == f"{len(gone)} of {len(kept)} widths vanish")
    slider.find("#vanished").click()
    slider.wait(lambda: len(slider.all("#gone button")) == len(gone))
    assert [e.text for e in slider.all("#gone button")] == gone
    slider.find("#gone button").click()
    assert slider.find("#details h2").text == gone[0]


def test_widths_without_scores_count_as_for_plan(browser: Browser, tmp_path: Path) -> None:
    project = load(
        "generator g {\n input x: image(3, 64, 64)\n"
        " y = x -> conv(40, 3) -> norm -> conv(20, 3) -> relu -> conv(3, 3)\n output y\n}\n"
    )
    norm = {"y.norm0": np.linspace(0.1, 1, 40)}
    warnings = explore(project, norm, tmp_path / "g.html", command="")
    assert [w.code for w in warnings] == ["E404"]
    plan = find_plan(project.cost_model, norm, Budget((Limit("exact", project.cost.exact // 2, ""),)))
    assert len(plan.kept) == 2
    browser.open(tmp_path / "g.html")
    assert browser.find("#vanished").text == "0 of 2 widths vanish"
    assert "has no affine norm to score its channels" in browser.find(".remark").text


# ---- fifty budgets ----


def drawn_counts(browser: Browser, wanted: Iterable[str]) -> dict[str, int]:
    """The channels that the cards of widths have after them."""
    texts = {name: node(browser, name).find_element("css selector", ".count").get_attribute("textContent")
             for name in wanted}  # fmt: skip
    return {name: int(text.rpartition("→ ")[2]) for name, text in texts.items()}


def seen_apart(browser: Browser, project: Project, planner: Planner, asked: Iterable[tuple[int, int]]) -> list[str]:
    """Where the drawn page differs from what `plan` finds, of widths, whole costs and costs of single nodes."""
    wrong = []
    for metric, most in asked:
        seen = browser.run_async(_LOOK_AT, str(most), metric)
        plan = planner.plan(Budget((Limit(METRICS[metric], most, ""),)))
        costs = cost_model(project.student_at(plan.kept)).per_node()
        expected = {
            "whole": [f"{getattr(plan.cost, name):,}" for name in METRICS],
            "counts": dict(plan.kept),
            "nodes": {n: [c.exact, c.paper, c.params] for n, c in costs.items() if any((c.exact, c.paper, c.params))},
        }
        wrong += [f"{METRICS[metric]} {most}: {what}" for what, value in expected.items() if seen[what] != value]
    return wrong


@pytest.mark.parametrize("name", ["quickstart", "unet_inception"])
def test_fifty_budgets_are_drawn_as_plan_finds_them(browser: Browser, tmp_path: Path, name: str) -> None:
    project = spec(name)
    cost = planner(project, made_up_scores(project))
    browser.open(explored(tmp_path, name))
    floor, teacher = cost.model.floor(), cost.model.teacher
    asked = []
    for i, place in enumerate(np.linspace(0.001, 1.02, 50)):
        low, high = (getattr(figures, METRICS[i % 4]) for figures in (floor, teacher))
        asked.append((i % 4, low + int((high - low) * place**2) + 7))
    assert seen_apart(browser, project, cost, asked) == []
    # The comparison is seen to fail on a page that computes something else.
    browser.run("data.explorer.model.lists[0].width.reverse()")
    assert seen_apart(browser, project, cost, asked[20:21]) != []
    assert browser.complaints() == []
