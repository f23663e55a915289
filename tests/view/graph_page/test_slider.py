"""The slider and its field show the students that `plan` finds."""

import pytest

from catdsl.search.budget import Budget, Limit
from catdsl.search.plan import find_plan
from tests.view.browser import Browser
from tests.view.graph_page.opened import Keys, click, node
from tests.view.graph_page.samples import made_up_scores, spec

pytestmark = pytest.mark.slow

_SLIDE = """
const slider = document.getElementById("slider");
slider.value = arguments[0];
slider.dispatchEvent(new Event("input"));
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
