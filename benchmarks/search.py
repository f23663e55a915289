"""How long a plan takes, beside a bisection that builds and runs a network at every step.

    .venv/bin/python -m benchmarks.search

Both search the same network with the same scales for the same budget, in one process. The graph is
loaded and its cost model made before the clock starts; that time has a row of its own. `plan` is all
that follows: scores to ranking, cut and fill. Its time is the median of many runs.
The scales are those of the reference figures (tests/reference).
"""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.bisection import bisect, run_and_count
from catdsl.analysis.cost import cost_model
from catdsl.project import Project, load
from catdsl.search.budget import Budget, parse_budget
from catdsl.search.compiled import compile_cost
from catdsl.search.plan import Planner, find_plan
from catdsl.search.scores import load_scores, width_scores
from tests.analysis.reference import read_json, reference

ROOT = Path(__file__).resolve().parents[1]
THREADS = 2
RATIO = 1000


@dataclass(frozen=True, slots=True)
class Case:
    """A network to search, and the time that a plan of it may take."""

    title: str
    spec: str
    reference: str
    figures: str
    budget: str
    goal_ms: float


CASES = (
    Case("inception ResNet", "resnet_inception.cat", "case0", "students_case.json", "2.6G", 5.0),
    Case("inception SPADE", "spade_inception.cat", "spade_case0", "students_spade_case.json", "30G", 25.0),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. Slack is the share of the budget that is left."""

    what: str
    seconds: float
    evaluations: int | None = None
    macs: int | None = None
    slack: float | None = None

    def __str__(self) -> str:
        cells = (
            f"{self.seconds * 1e3:,.2f}",
            "" if self.evaluations is None else f"{self.evaluations}",
            "" if self.macs is None else f"{self.macs:,}",
            "" if self.slack is None else f"{self.slack:.5%}",
        )
        return f"| {self.what} | {' | '.join(cells)} |"


@dataclass(frozen=True, slots=True)
class Found:
    """What was measured of one network."""

    rows: tuple[Row, ...]
    plan_seconds: float
    ratio: float


def median(call: Callable[[], object], runs: int) -> float:
    """Seconds of the middle one of some runs, after one that is not counted."""
    call()
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def measure(project: Project, scores: Mapping[str, np.ndarray], budget: Budget, runs: int) -> Found:
    """Plan and bisect one network. The budget is one limit of paper MACs."""
    (limit,) = budget.limits
    model = project.cost_model
    planner = Planner(model, scores)
    plan = planner.plan(budget)
    whole = median(lambda: find_plan(model, scores, budget), runs)
    began = time.perf_counter()
    theirs = bisect(project, width_scores(model.graph, scores).by_width, limit.most)
    bisected = time.perf_counter() - began
    counted = run_and_count(project.student_at(plan.kept))
    if counted != plan.cost.paper:
        raise RuntimeError(f"the plan promises {plan.cost.paper:,} paper MACs, the network has {counted:,}")
    rows = (
        Row("the cost model, once per graph", median(lambda: compile_cost(cost_model(model.graph)), runs)),
        Row("plan", whole, 0, plan.cost.paper, plan.slack),
        Row("- of it the planner (scores)", median(lambda: Planner(model, scores), runs)),
        Row("- a further budget with the same planner", median(lambda: planner.plan(budget), runs)),
        Row("rebuild-and-run bisection", bisected, theirs.evaluations, theirs.macs, 1 - theirs.macs / limit.most),
    )
    return Found(rows, whole, bisected / whole)


def released(case: Case) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The scales of a reference case and what the released search found with them."""
    scales = load_scores(reference(f"{case.reference}_gammas.npz"))
    return scales, next(c for c in read_json(case.figures) if c["name"] == case.reference)


def drawn(project: Project, seed: int = 0) -> dict[str, np.ndarray]:
    """Scales of every affine norm, drawn."""
    rng = np.random.default_rng(seed)
    norms = [n for n in project.teacher_graph.nodes if n.scaled]
    return {n.name: rng.lognormal(size=project.teacher_graph.channels(n.name)) for n in norms}


def report(case: Case, runs: int) -> bool:
    """Measure a case and print its table; whether it keeps its goals."""
    project = load(ROOT / "specs" / case.spec)
    scores, theirs = released(case)
    budget = parse_budget(case.budget, "paper", project.cost_model.teacher)
    size = project.teacher_graph.inputs[0].type
    scales = f"scales of {case.reference}"
    print(f"\n{case.title} at {size.height} x {size.width}, {scales}, budget {case.budget} paper MACs\n")
    print("| | ms | networks built and run | paper MACs | slack |\n|---|---:|---:|---:|---:|")
    found = measure(project, scores, budget, runs)
    for row in found.rows:
        print(row)
    print(f"\nThe released search found {theirs['macs_paper']:,} with {theirs['search_profiles']} networks.")
    quick, many = found.plan_seconds * 1e3 < case.goal_ms, found.ratio > RATIO
    print(f"\nA plan within {case.goal_ms:g} ms: {_yes(quick)}. ", end="")
    print(f"The bisection takes {found.ratio:,.0f} times as long; more than {RATIO:,}: {_yes(many)}.")
    return quick and many


def _yes(kept: bool) -> str:
    return "yes" if kept else "NO"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=101)
    asked = options.parse_args()
    torch.set_num_threads(THREADS)
    print(f"torch {torch.__version__} on {THREADS} threads, medians of {asked.runs} runs")
    kept = [report(case, asked.runs) for case in CASES]
    raise SystemExit(not all(kept))


if __name__ == "__main__":
    main()
