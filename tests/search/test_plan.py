"""Plans: what they say, how ties fall, steps and bounds, and the errors of budgets that cannot be met."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catdsl.analysis.cost import cost_model
from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph
from catdsl.ir.text import to_text
from catdsl.jobs.planning import plan_json
from catdsl.project import Project, load
from catdsl.search.plan import Plan, find_plan, plan_of_counts
from catdsl.semantics.student_text import write_student
from tests.analysis.test_cost import RESNET, spec

# Two branches that may vanish, a trunk with a floor, a head that follows it, a step, own bounds.
TEXT = """
style { norm = batch }
generator g {
    input x: image(3, 8, 8)
    trunk = x -> conv(12, 3) -> norm
    left  = trunk -> conv(6 in 0.., 3) -> norm -> relu -> conv(12, 1)
    right = trunk -> conv(6 in 0.., 3) -> norm -> relu -> conv(12, 1)
    both  = trunk + left + right
    steps = both -> conv(20 in 4.. step 4, 1) -> norm
    tops  = steps -> conv(18 in 2..9, 1) -> norm
    half  = tops -> conv(tied both.channels / 2, 1) -> norm
    output half -> conv(3, 1) -> tanh
}
search { score = norm_scale, floor = 3 }
"""


def equal_scores(graph: Graph) -> dict[str, np.ndarray]:
    return {n.name: np.ones(graph.channels(n.name)) for n in graph.nodes if n.scaled}


def random_scores(graph: Graph, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=values.shape) for name, values in equal_scores(graph).items()}


def plan(project: Project, budget: str, *, seed: int | None = None, count: str = "exact") -> Plan:
    scores = equal_scores(project.graph) if seed is None else random_scores(project.graph, seed)
    return project.plan(scores, project.budget(budget, count))


@pytest.fixture(scope="module")
def project() -> Project:
    return load(TEXT)


def test_bounds_steps_and_ties_hold(project: Project) -> None:
    widths = {w.name: (w.low, w.high, w.step) for w in project.graph.widths if w.searched}
    # The trunk is even, because half of it is needed, and at least 6, because the half is at least 3.
    assert widths == {
        "trunk.conv0": (6, 12, 2), "left.conv0": (0, 6, 1), "right.conv0": (0, 6, 1),
        "steps.conv0": (4, 20, 4), "tops.conv0": (2, 9, 1),
    }  # fmt: skip
    for seed in range(5):
        for share in ("40%", "60%", "80%", "100%"):
            kept = plan(project, share, seed=seed).kept
            assert list(kept) == list(widths)
            for name, (low, high, step) in widths.items():
                assert low <= kept[name] <= high
                assert (kept[name] - low) % step == 0


def test_all_of_a_budget_for_all_gives_the_high_bounds(project: Project) -> None:
    whole = plan(project, "100%")
    assert whole.kept == {
        "trunk.conv0": 12,
        "left.conv0": 6,
        "right.conv0": 6,
        "steps.conv0": 20,
        "tops.conv0": 9,
    }
    assert whole.cheapest_step is None
    assert whole.cost.exact < whole.teacher.exact


def test_equal_scores_fall_evenly_and_the_same_way_every_time() -> None:
    resnet = spec(RESNET, "instance")
    first, again = plan(resnet, "25%"), plan(resnet, "25%")
    assert replace(again, seconds=first.seconds) == first
    widths = {w.name: w for w in resnet.graph.widths if w.searched}
    free = {n: c / widths[n].count for n, c in first.cut.items() if c > widths[n].low}
    assert len(free) > 50
    # All widths have come to the same share of the teacher, up to one channel of the narrowest.
    assert max(free.values()) - min(free.values()) <= 1 / 42 + 1e-9
    assert all(first.channels[n] == tuple(range(c)) for n, c in first.kept.items())


def test_a_tie_goes_to_the_first_width(project: Project) -> None:
    """Left and right are alike; where there is room for one more channel, left has it."""
    kept = [plan(project, f"{share}%").kept for share in range(30, 100)]
    assert all(k["left.conv0"] >= k["right.conv0"] for k in kept)
    assert any(k["left.conv0"] > k["right.conv0"] for k in kept)


def test_a_step_ranks_by_its_lowest_channel() -> None:
    """Four strong channels, and a fifth to eighth of which one is weak: a lone middling one goes first."""
    project = load(
        "style { norm = batch }\ngenerator g { input x: image(1, 4, 4)\n"
        "a = x -> conv(8 in 4.. step 4, 1, bias = false) -> norm\n"
        "b = x -> conv(5 in 4.., 1, bias = false) -> norm\n"
        "output concat(a, b) -> conv(1, 1) }"
    )
    scores = {"a.norm0": np.array([9, 9, 9, 9, 9, 9, 9, 1.0]), "b.norm0": np.array([9, 9, 9, 9, 2.0])}
    model = project.cost_model
    room = model.at({"a.conv0": 8, "b.conv0": 4})
    found = find_plan(model, scores, project.budget(str(room.exact), "exact"))
    assert found.cut == {"a.conv0": 4, "b.conv0": 5}
    higher = {**scores, "a.norm0": np.array([9, 9, 9, 9, 9, 9, 9, 3.0])}
    assert find_plan(model, higher, project.budget(str(room.exact), "exact")).cut == {
        "a.conv0": 8,
        "b.conv0": 4,
    }


def test_an_unscored_width_keeps_the_teachers_size() -> None:
    project = load(
        "generator g { input x: image(3, 8, 8)\na = x -> conv(20, 3)\nb = a -> conv(20, 3) -> instance_norm\n"
        "output b -> conv(2, 1) }\nsearch { floor = 2 }"
    )
    found = plan(project, "50%")
    assert found.kept["a.conv0"] == 20
    assert found.kept["b.conv0"] < 20
    assert found.channels["a.conv0"] == tuple(range(20))
    # All scores of this plan are 1, which is said as well.
    assert [w.code for w in found.warnings] == ["E404", "E403"]
    scores = {"b.instance_norm0": np.arange(20.0)}
    told = find_plan(project.cost_model, scores, project.budget("50%", "exact"))
    assert [w.code for w in told.warnings] == ["E404"]


@pytest.mark.parametrize("form", ["20 in 8..8", "20 in 15.. step 8"])
def test_a_width_of_which_one_smaller_count_is_left_is_in_the_plan(form: str) -> None:
    project = load(
        f"generator g {{ input x: image(3, 8, 8)\na = x -> conv({form}, 3) -> batch_norm\noutput a -> conv(2, 1) }}"
    )
    found = plan(project, "100%")
    assert found.kept == {"a.conv0": 16 if "step" in form else 8}
    assert cost_model(project.student_at(found.kept)).at() == found.cost


def test_too_small_a_budget_names_the_floor_and_what_holds_it_up() -> None:
    resnet = spec(RESNET, "instance")
    floor = resnet.cost_model.floor()
    with pytest.raises(CatError) as caught:
        plan(resnet, "0.5G", count="paper")
    (error,) = caught.value.diagnostics
    assert error.code == "E401"
    assert f"{floor.paper:,}" in error.message
    assert "500,000,000" in error.message
    assert f"{floor.paper:,}" in error.help
    # The heaviest four, the first conv and the last alike, each with its place and the widths that hold it.
    heads = [
        "`head.conv0` takes 154,140,672",
        "`stem.conv0` takes 154,140,672",
        "`head.deconv1` takes 150,994,944",
    ]
    assert [note.partition(" of it")[0] for note in error.notes[:3]] == heads
    assert "head.conv0 at 3, head.deconv1 at 16" in error.notes[0]
    assert "resnet_inception.cat:28:" in error.notes[0]
    # One more than that is enough; one less is not.
    assert plan(resnet, str(floor.paper), count="paper").cost == floor
    with pytest.raises(CatError):
        plan(resnet, str(floor.paper - 1), count="paper")


def test_each_limit_holds(project: Project) -> None:
    teacher = project.cost
    found = plan(project, f"macs={teacher.exact // 2},params={teacher.params // 4}")
    assert found.cost.exact <= teacher.exact // 2
    assert found.cost.params <= teacher.params // 4
    assert found.slack == pytest.approx(
        min(1 - found.cost.exact / (teacher.exact // 2), 1 - found.cost.params / (teacher.params // 4))
    )
    with pytest.raises(CatError) as caught:
        plan(project, "macs=100%,params=1")
    assert "params 1" in caught.value.diagnostics[0].message


def test_where_everything_may_vanish_the_output_must_not() -> None:
    project = load(
        "generator g { input x: image(3, 8, 8)\na = x -> conv(8 in 0.., 3) -> batch_norm\noutput a -> conv(2, 1) }"
    )
    with pytest.raises(CatError) as caught:
        plan(project, "1")
    assert [d.code for d in caught.value.diagnostics] == ["E308"]


def test_a_budget_beyond_all_bounds_is_met(project: Project) -> None:
    assert plan(project, "1e30").kept == plan(project, "100%").kept


def test_the_plan_of_given_counts(project: Project) -> None:
    counts = {"trunk.conv0": 8, "left.conv0": 0, "right.conv0": 2, "steps.conv0": 8, "tops.conv0": 3}
    scores = random_scores(project.graph, 1)
    found = plan_of_counts(project.cost_model, scores, counts)
    assert found.kept == counts
    assert found.cost == project.cost_model.at(counts)
    assert {n: len(c) for n, c in found.channels.items()} == counts
    best = np.argsort(-np.abs(scores["right.norm0"]))[:2]
    assert set(found.channels["right.conv0"]) == set(best.tolist())


def test_the_json_of_a_plan_says_what_the_plan_says(project: Project) -> None:
    found = plan(project, "50%", seed=3)
    data = json.loads(json.dumps(plan_json(found)))
    assert data["kept"] == found.kept
    assert list(data["kept"]) == list(found.kept)
    assert {n: tuple(c) for n, c in data["channels"].items()} == found.channels
    assert data["macs"] == {"exact": found.cost.exact, "paper": found.cost.paper}
    assert data["budget"] == {"exact": found.budget.limits[0].most}
    for name, channels in data["channels"].items():
        assert len(channels) == data["kept"][name]
        assert channels == sorted(channels)


def _without_places(graph: Graph) -> str:
    return re.sub(r' @ ".*', "", to_text(graph), flags=re.MULTILINE)


@pytest.mark.parametrize("share", ["35%", "60%", "100%"])
def test_a_plan_survives_as_a_student_program(tmp_path: Path, share: str) -> None:
    (tmp_path / "spec.cat").write_text(TEXT)
    project = load(tmp_path / "spec.cat")
    found = plan(project, share, seed=5)
    text = write_student(
        spec=tmp_path / "spec.cat",
        folder=tmp_path,
        files=project.spec.files,
        parameters=project.spec.parameters,
        kept=found.kept,
        budget={"macs": found.budget.limits[0].most, "count": "exact"},
    )
    (tmp_path / "student.cat").write_text(text)
    student = load(tmp_path / "student.cat")
    assert student.student_counts == found.kept
    assert _without_places(student.graph) == _without_places(project.student_at(found.kept))
    assert student.cost == found.cost
    assert student.warnings == project.warnings


def test_a_student_of_a_changed_spec_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "spec.cat"
    path.write_text(TEXT)
    project = load(path)
    kept = plan(project, "50%").kept
    text = write_student(
        spec=path, folder=tmp_path, files=project.spec.files, parameters={}, kept=kept, budget={"macs": 1}
    )
    (tmp_path / "student.cat").write_text(text)
    path.write_text(TEXT.replace("tanh", "sigmoid"))
    assert [w.code for w in load(tmp_path / "student.cat").warnings] == ["E405"]
    path.write_text(re.sub(r"\bleft\b", "west", TEXT))
    with pytest.raises(CatError) as caught:
        _ = load(tmp_path / "student.cat").graph
    (error,) = caught.value.diagnostics
    assert error.code == "E405"
    assert "left.conv0" in error.message
