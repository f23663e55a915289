"""Budgets: what can be written, what it means to the integer, and what is refused."""

import pytest

from catdsl.analysis.cost import Cost
from catdsl.diagnostics import CatError
from catdsl.project import load
from catdsl.search.budget import Budget, Limit, parse_budget

TEACHER = Cost(exact=36_242_644_992, paper=43_527_405_568, params=8_154_255, weights=10_000_000)
METERED = {"memory": 8_000, "latency": 8_000}


@pytest.mark.parametrize(
    ("text", "count", "limits"),
    [
        ("2.6G", "exact", {"exact": 2_600_000_000}),
        ("2.6G", "paper", {"paper": 2_600_000_000}),
        ("25%", "exact", {"exact": 9_060_661_248}),
        ("25 %", "paper", {"paper": 10_881_851_392}),
        ("100%", "paper", {"paper": 43_527_405_568}),
        ("123456", "exact", {"exact": 123_456}),
        ("400K", "exact", {"exact": 400_000}),
        ("1.5M", "exact", {"exact": 1_500_000}),
        ("2e9", "exact", {"exact": 2_000_000_000}),
        ("0.002T", "exact", {"exact": 2_000_000_000}),
        ("macs=2.6G,params=400K", "paper", {"paper": 2_600_000_000, "params": 400_000}),
        (" params = 10% , macs = 50% ", "exact", {"params": 815_425, "exact": 18_121_322_496}),
        ("params=400K", "exact", {"params": 400_000}),
        # Amounts whose floating point lies below the number that was written.
        ("8.2G", "exact", {"exact": 8_200_000_000}),
        ("4.1G", "exact", {"exact": 4_100_000_000}),
        ("2.01M", "exact", {"exact": 2_010_000}),
        ("weights=1.6MB", "exact", {"weights": 1_600_000}),
        ("weights=25%,memory=800KB", "exact", {"weights": 2_500_000, "memory": 800_000}),
        ("memory=50%", "exact", {"memory": 4_000}),
        ("memory=123B, weights=2G", "exact", {"memory": 123, "weights": 2_000_000_000}),
        ("latency=12ms", "exact", {"latency": 12_000_000}),
        ("latency=0.5s,macs=25%", "exact", {"latency": 500_000_000, "exact": 9_060_661_248}),
        ("latency=800us", "exact", {"latency": 800_000}),
        ("latency=12.5%", "exact", {"latency": 1_000}),
        # More than any network costs.
        ("1e30", "exact", {"exact": 10**18}),
        ("latency=1e200s", "exact", {"latency": 10**18}),
    ],
)
def test_budgets_are_read_exactly(text: str, count: str, limits: dict[str, int]) -> None:
    assert {b.metric: b.most for b in parse_budget(text, count, TEACHER, METERED.get).limits} == limits


@pytest.mark.parametrize(
    "text",
    [
        "", "nonsense", "2.6Q", "2.6 GG", "-1", "-5%", "0", "0%", "0.1", "1/2", "nan", "inf", "macs=", "=2G",
        "2G,", ",2G", "2G,macs=3G", "params=1K,params=2K", "speed=3", "latency=12", "latency=12m",
        "macs=2G params=3", "memory=25%B", "macs=2GB", "macs=2ms", "weights=1MiB",
        "25%%", "1e", "1e999999999", "\u0661\u0662",
    ],
)  # fmt: skip
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(CatError) as caught:
        parse_budget(text, "exact", TEACHER)
    (error,) = caught.value.diagnostics
    assert error.code == "E402"
    assert error.help


def test_a_budget_says_which_convention_it_is_in() -> None:
    budget = Budget((Limit("paper", 5, "5"), Limit("params", 7, "7")))
    assert str(budget) == "macs (paper) 5, params 7"
    assert budget.holds(Cost(100, 5, 7))
    assert not budget.holds(Cost(0, 6, 7))
    assert not budget.holds(Cost(0, 5, 8))


@pytest.mark.parametrize(
    ("written", "count", "limits"),
    [
        ("macs = 50%", None, {"exact": 50}),
        ("macs = 50%, count = paper", None, {"paper": 200}),
        ("macs = 0.05K, params = 12", None, {"exact": 50, "params": 12}),
        ("macs = 50%", "paper", {"paper": 200}),
    ],
)
def test_the_budget_of_a_spec(written: str, count: str | None, limits: dict[str, int]) -> None:
    """A deconv of 100 MACs, 400 by the published count."""
    project = load(
        f"generator g {{ input x: image(1, 5, 5)\noutput x -> deconv(1, 2, stride = 2) }}\nbudget {{ {written} }}"
    )
    assert (project.cost.exact, project.cost.paper) == (100, 400)
    assert {b.metric: b.most for b in project.budget(None, count).limits} == limits


def test_without_a_budget() -> None:
    with pytest.raises(CatError) as caught:
        load("generator g { input x: image(1, 5, 5)\noutput x -> conv(1, 3) }").budget(None, None)
    assert caught.value.diagnostics[0].code == "E402"


def test_one_given_outside_replaces_the_specs() -> None:
    project = load(
        "generator g { input x: image(1, 5, 5)\noutput x -> conv(1, 3) }\nbudget { params = 3, count = paper }"
    )
    assert project.budget("50%", None).limits == (Limit("exact", 112, "50%"),)
