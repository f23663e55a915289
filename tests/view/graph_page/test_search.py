"""The search in the page finds what `plan` finds, at every budget, and draws what the student is."""

from typing import Any

import numpy as np
import pytest

from catdsl.analysis.cost import METRICS, Cost
from catdsl.diagnostics import CatError
from catdsl.project import Project
from catdsl.search.budget import Budget, Limit
from catdsl.search.plan import Plan, Planner
from catdsl.search.scores import load_scores, scales_of
from catdsl.view.facts import State, facts
from catdsl.view.graph_page.model import model_of
from tests.analysis.reference import reference
from tests.view.graph_page.samples import Ask, ask, made_up_scores, planner, spec

__all__ = ["ask"]

_BUDGETS = 50
_STATES = (State.PRESENT, State.BYPASSED, State.GONE)


def budgets(cost: Planner, count: int) -> list[tuple[int, int]]:
    """Limits on exact and paper MACs, parameters and weights in turn, from below the floor to above the teacher."""
    asked = []
    floor, teacher = cost.model.floor(), cost.model.teacher
    for i, place in enumerate(np.linspace(-0.05, 1.1, count)):
        name = METRICS[i % len(METRICS)]
        low, high = getattr(floor, name), getattr(teacher, name)
        # More of them where little is left, and none a round number.
        asked.append((i % len(METRICS), max(1, low + int((high - low) * abs(place) ** 2 * np.sign(place)) + i)))
    return asked


def found_by_plan(cost: Planner, metric: int, most: int) -> Plan | str:
    try:
        return cost.plan(Budget((Limit(METRICS[metric], most, str(most)),)))
    except CatError as error:
        return error.diagnostics[0].code


def differences(project: Project, cost: Planner, asked: list[tuple[int, int]], answers: list[Any]) -> list[str]:
    """Where the page and `plan` say different things."""
    wrong: list[str] = []
    for (metric, most), answer in zip(asked, answers, strict=True):
        expected = found_by_plan(cost, metric, most)
        if isinstance(expected, str):
            same = answer is None if expected == "E401" else answer is not None and not answer["output"]
            wrong += [] if same else [f"{METRICS[metric]} {most}: plan says {expected}"]
            continue
        wrong += [f"{METRICS[metric]} {most}: {what}" for what in _apart(project, cost, expected, answer)]
    return wrong


def _apart(project: Project, cost: Planner, plan: Plan, answer: Any) -> list[str]:
    if answer is None:
        return ["the page finds none"]
    names = cost.ranking(plan.budget).names
    student = facts(project.student_at(plan.kept), teacher=project.teacher_graph)
    states = [
        {"state": _STATES.index(student.states[n.name]), "channels": student.shapes[n.name][0]}
        for n in project.teacher_graph.nodes
    ]
    # The channels of what is gone are shown as the teacher's, by either.
    shown = [
        s | {"channels": t["channels"]} if t["state"] == 2 else s for s, t in zip(answer["states"], states, strict=True)
    ]
    threshold = None if plan.threshold is None else float(f"{plan.threshold:.4g}")
    pairs = {
        "kept": ([plan.kept[n] for n in names], answer["kept"]),
        "cut": ([plan.cut[n] for n in names], answer["cut"]),
        "cost": (plan.cost, Cost(*map(int, answer["whole"]))),
        "threshold": (threshold, answer["threshold"]),
        "output": (True, answer["output"]),
        "states": (states, shown),
    }
    return [f"{what}: {a} against {b}" for what, (a, b) in pairs.items() if a != b]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet_inception", "spade_inception", "unet_inception", "camvid_quick"])
def test_the_page_finds_what_plan_finds(ask: Ask, name: str) -> None:
    project = spec(name)
    cost = planner(project, made_up_scores(project))
    asked = budgets(cost, _BUDGETS)
    assert differences(project, cost, asked, ask(model_of(cost), asked)) == []


@pytest.mark.slow
def test_it_does_so_with_the_scores_of_a_trained_teacher(ask: Ask) -> None:
    project = spec("resnet_inception")
    arrays = load_scores(reference("case0_gammas.npz"))
    cost = planner(project, {**arrays, **scales_of(arrays, project.teacher_graph)})
    asked = budgets(cost, _BUDGETS)
    assert differences(project, cost, asked, ask(model_of(cost), asked)) == []


@pytest.mark.parametrize("policy", ["threshold", "value_per_cost", "uniform"])
def test_every_policy_has_its_ranked_list(ask: Ask, policy: str) -> None:
    project = spec("quickstart")
    cost = planner(project, made_up_scores(project), policy)
    asked = budgets(cost, 16)
    assert differences(project, cost, asked, ask(model_of(cost), asked)) == []


def test_costs_beyond_2_to_the_53_are_exact(ask: Ask) -> None:
    project = spec("quickstart")
    cost = planner(project, made_up_scores(project))
    model = model_of(cost)
    factor = 2**30 + 1
    terms = {**model["terms"], "factors": [[str(f * factor) for f in column] for column in model["terms"]["factors"]]}
    asked = budgets(cost, 12)
    larger = [(metric, most * factor) for metric, most in asked]
    answers = ask({**model, "terms": terms, "big": True}, larger)
    assert max(int(a["whole"][0]) for a in answers if a) > 2**53
    scaled = [a and {**a, "whole": [str(int(v) // factor) for v in a["whole"]]} for a in answers]
    assert all(int(v) % factor == 0 for a in answers if a for v in a["whole"])
    assert differences(project, cost, asked, scaled) == []


def test_a_search_that_is_wrong_is_caught(ask: Ask) -> None:
    project = spec("quickstart")
    cost = planner(project, made_up_scores(project))
    model, asked = model_of(cost), budgets(cost, 12)
    lists = [{**model["lists"][0], "width": model["lists"][0]["width"][::-1]}]
    assert differences(project, cost, asked, ask({**model, "lists": lists}, asked))
    assert differences(project, cost, asked, ask({**model, "left": [1] * len(model["left"])}, asked))
