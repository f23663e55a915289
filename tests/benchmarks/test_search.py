"""The search benchmark on a network small enough to run at once: it measures what it says it measures."""

import numpy as np
import pytest

from benchmarks.bisection import bisect, counts_above, run_and_count
from benchmarks.search import drawn, measure, median
from catdsl.project import Project, load
from catdsl.search.budget import parse_budget
from catdsl.search.scores import width_scores

TEXT = """
param kind = instance
style { norm = kind, bias = true }
generator g {
    input x: image(3, 12, 16)
    trunk = x -> conv(12 in 4.. step 4, 3, stride = 2) -> norm -> relu
    both  = trunk + (trunk -> conv(6 in 0.., 1) -> norm -> dwconv(3) -> conv(12 in 4.. step 4, 1))
    output both -> deconv(8 in 2.., 3, stride = 2) -> norm -> conv(3, 3)
}
"""


@pytest.fixture
def project() -> Project:
    return load(TEXT)


@pytest.mark.parametrize("kind", ["instance", "batch"])
def test_hooks_count_paper_macs(kind: str) -> None:
    project = load(TEXT, {"kind": kind})
    for counts in ({}, {"trunk.conv0": 8}, {w.name: w.low for w in project.graph.widths if w.independent}):
        assert run_and_count(project.student_at(counts)) == project.cost_model.at(counts).paper


def test_the_bisection_ends_within_the_budget_and_below_the_plan(project: Project) -> None:
    scores = drawn(project)
    budget = parse_budget("50%", "paper", project.cost)
    found = bisect(project, width_scores(project.graph, scores).by_width, budget.limits[0].most)
    assert found.macs == project.cost_model.at(found.counts).paper <= budget.limits[0].most
    assert 5 < found.evaluations < 30
    plan = project.plan(scores, budget)
    assert plan.cost.paper >= found.macs
    assert all(plan.kept[name] >= count for name, count in found.counts.items())


def test_a_budget_below_the_smallest_network_is_an_error(project: Project) -> None:
    with pytest.raises(RuntimeError, match="no threshold"):
        bisect(project, width_scores(project.graph, drawn(project)).by_width, 1)


def test_counts_above_a_threshold_keep_to_bounds_and_steps(project: Project) -> None:
    (trunk,) = (w for w in project.graph.widths if w.name == "trunk.conv0")
    for above, count in ((0, 4), (5, 4), (7, 4), (8, 8), (11, 8), (12, 12)):
        scores = {trunk.name: np.where(np.arange(12) < above, 2.0, 0.5)}
        assert counts_above(project.graph, scores, 1.0) == {trunk.name: count}


def test_every_row_of_the_table_is_measured(project: Project) -> None:
    found = measure(project, drawn(project), parse_budget("50%", "paper", project.cost), runs=3)
    assert all(row.seconds > 0 for row in found.rows)
    assert found.ratio == found.rows[-1].seconds / found.plan_seconds
    assert {str(row).count("|") for row in found.rows} == {6}


def test_the_median_leaves_out_the_first_run() -> None:
    calls: list[int] = []
    assert median(lambda: calls.append(1), 5) >= 0
    assert len(calls) == 6
