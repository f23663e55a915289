"""Plans are within their budget, maximal, deterministic, and monotone; impossible budgets are errors."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from catdsl.analysis.cost import cost_model
from catdsl.diagnostics import CatError
from catdsl.ir.counts import with_counts
from catdsl.ir.graph import Graph
from catdsl.ops import BY_NAME
from catdsl.project import Project
from catdsl.search.budget import Budget, Limit
from catdsl.search.plan import Plan, find_plan
from tests.examples import examples
from tests.properties.programs import programs
from tests.properties.silencing import channels_alive, random_kept


def _scores(graph: Graph, seed: int) -> dict[str, np.ndarray]:
    """Scales of every norm, coarse, so that many are equal."""
    rng = np.random.default_rng(seed)
    norms = [n for n in graph.nodes if n.scaled]
    return {n.name: np.round(rng.normal(size=graph.channels(n.name)), 1) for n in norms}


def _scored(graph: Graph) -> set[str]:
    """Widths that some affine norm carries."""
    return {s.width for n in graph.nodes if n.scaled for s in n.type.channels}


def _smallest(graph: Graph) -> dict[str, int]:
    """The least that the search can choose: unscored widths stay."""
    scored = _scored(graph)
    return {w.name: w.low if w.name in scored else min(w.count, w.high) for w in graph.widths if w.independent}


@st.composite
def searches(draw: st.DrawFn) -> tuple[Project, dict[str, np.ndarray], Budget]:
    project = draw(programs())
    graph, model = project.graph, project.cost_model
    floor, teacher = model.at(_smallest(graph)), model.at()
    names = draw(st.lists(st.sampled_from(("exact", "paper", "params")), min_size=1, max_size=2, unique=True))
    limits = []
    for name in names:
        low, high = getattr(floor, name), max(getattr(floor, name), getattr(teacher, name))
        share = draw(st.integers(0, 100))
        limits.append(Limit(name, max(1, low + (high - low) * share // 100), "drawn"))
    return project, _scores(graph, draw(st.integers(0, 999))), Budget(tuple(limits))


def _planned(
    project: Project, scores: Mapping[str, np.ndarray], budget: Budget, group: str = "first", policy: str = "threshold"
) -> Plan:
    """The plan, unless nothing is left of the output; that, too, is checked."""
    graph = project.graph
    try:
        return find_plan(project.cost_model, scores, budget, group=group, policy=policy)
    except CatError as error:
        codes = [d.code for d in error.diagnostics]
    assert codes == ["E308"]
    assert not channels_alive(graph, random_kept(graph, _smallest(graph), 0))[graph.output].any()
    reject()


groups = st.sampled_from(("first", "mean", "max"))
policies = st.sampled_from(("threshold", "value_per_cost", "uniform"))


@given(searches(), groups, policies)
@settings(max_examples=examples(150))
def test_a_plan_is_within_budget_and_no_further_step_fits(
    search: tuple[Project, dict[str, np.ndarray], Budget], group: str, policy: str
) -> None:
    project, scores, budget = search
    graph, model = project.graph, project.cost_model
    plan = _planned(project, scores, budget, group, policy)
    scored = _scored(graph)
    assert budget.holds(plan.cost)
    assert model.at(plan.kept) == plan.cost
    assert cost_model(project.student_at(plan.kept)).at() == plan.cost
    assert list(plan.kept) == [w.name for w in graph.widths if w.searched]
    cheapest = []
    for name, count in plan.kept.items():
        width = graph.width[name]
        assert width.low <= count <= width.high or (name not in scored and count == min(width.count, width.high))
        assert (count - width.low) % width.step == 0
        assert len(plan.channels[name]) == count
        assert list(plan.channels[name]) == sorted(set(plan.channels[name]) & set(range(width.count)))
        if count + width.step <= width.high:
            wider = model.at({**plan.kept, name: count + width.step})
            assert not budget.holds(wider)
            cheapest.append(getattr(wider, plan.tightest) - getattr(plan.cost, plan.tightest))
    left = {b.metric: 1 - getattr(plan.cost, b.metric) / b.most for b in budget.limits}
    assert plan.slack == left[plan.tightest] == min(left.values())
    assert plan.cheapest_step == (min(cheapest) if cheapest else None)


@given(searches())
@settings(max_examples=examples(100))
def test_kept_channels_have_the_highest_scores(search: tuple[Project, dict[str, np.ndarray], Budget]) -> None:
    project, scores, budget = search
    graph = project.graph
    plan = _planned(project, scores, budget)
    for name, channels in plan.channels.items():
        norm = next(
            (n for n in graph.nodes if n.name in scores and any(s.width == name for s in n.type.channels)),
            None,
        )
        if norm is None or len(norm.type.channels) > 1 or norm.type.channels[0].repeat > 1:
            continue
        values = np.abs(scores[norm.name])
        gone = [v for i, v in enumerate(values) if i not in channels]
        assert not gone or not channels or max(gone) <= min(values[list(channels)])


@given(searches(), st.integers(0, 100), groups, policies)
@settings(max_examples=examples(100))
def test_the_cut_is_monotone_and_the_plan_repeats(
    search: tuple[Project, dict[str, np.ndarray], Budget], share: int, group: str, policy: str
) -> None:
    project, scores, budget = search
    plan = _planned(project, scores, budget, group, policy)
    again = find_plan(project.cost_model, scores, budget, group=group, policy=policy)
    assert replace(again, seconds=plan.seconds) == plan
    larger = Budget(tuple(Limit(b.metric, b.most + b.most * share // 100, "more") for b in budget.limits))
    wider = find_plan(project.cost_model, scores, larger, group=group, policy=policy)
    assert all(plan.cut[n] <= wider.cut[n] for n in plan.cut)
    # The fill, too, chooses the same where the budget is just what was spent.
    spent = Budget(tuple(Limit(b.metric, getattr(plan.cost, b.metric), "spent") for b in budget.limits))
    if all(limit.most for limit in spent.limits):
        own = find_plan(project.cost_model, scores, spent, group=group, policy=policy)
        assert policy == "value_per_cost" or own.kept == plan.kept


@given(searches())
@settings(max_examples=examples(100))
def test_a_student_at_its_own_cost_keeps_all(search: tuple[Project, dict[str, np.ndarray], Budget]) -> None:
    project, scores, budget = search
    plan = _planned(project, scores, budget)
    student = with_counts(project.graph, plan.kept, arrange=BY_NAME["arrange"])
    assume(plan.cost.exact > 0)
    own = find_plan(cost_model(student), _scores(student, 0), Budget((Limit("exact", plan.cost.exact, "own"),)))
    assert own.kept == {w.name: w.count for w in student.widths if w.searched}
    assert own.cost == plan.cost


@given(programs(), st.integers(0, 999), st.sampled_from(("exact", "paper", "params")))
@settings(max_examples=examples(100))
def test_a_budget_below_the_floor_is_an_error(project: Project, seed: int, metric: str) -> None:
    graph, model = project.graph, project.cost_model
    floor = getattr(model.at(_smallest(graph)), metric)
    assume(floor >= 2)
    with pytest.raises(CatError) as caught:
        find_plan(model, _scores(graph, seed), Budget((Limit(metric, floor - 1, "tight"),)))
    (error,) = caught.value.diagnostics
    assert error.code == "E401"
    assert f"{floor:,}" in error.message
    assert f"{floor - 1:,}" in error.message
    assert error.notes
