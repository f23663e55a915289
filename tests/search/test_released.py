"""Against the method's released search: the same names, the same costs, and never fewer channels."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from catdsl.project import Project
from catdsl.search.budget import Budget, parse_budget
from catdsl.search.plan import Plan, find_plan
from catdsl.search.released import graph_path
from catdsl.search.scores import load_scores, width_scores
from tests.analysis.reference import read_json, reference
from tests.analysis.test_cost import RESNET, SPADE, spec

RESNETS = ("case0", "case1", "case2", "case3")
SPADES = ("spade_case0", "spade_case1")
_BLOCKS = {
    "head_0": "head", "G_middle_0": "mid0", "G_middle_1": "mid1",
    "up_0": "up0.main", "up_1": "up1.main", "up_2": "up2.main", "up_3": "up3.main",
}  # fmt: skip


def case(name: str) -> dict[str, Any]:
    cases = read_json("students_spade_case.json" if name in SPADES else "students_case.json")
    return next(c for c in cases if c["name"] == name)


@cache
def project(name: str) -> Project:
    return spec(SPADE) if name in SPADES else spec(RESNET, case(name)["norm"])


@cache
def scores(name: str) -> dict[str, np.ndarray]:
    return load_scores(reference(f"{name}_gammas.npz"))


def budget(name: str) -> Budget:
    return parse_budget(str(case(name)["budget_macs_paper"]), "paper", project(name).cost)


@cache
def planned(name: str) -> Plan:
    return find_plan(project(name).cost_model, scores(name), budget(name))


def their_widths(name: str) -> dict[str, int]:
    """What the released search kept, by the graph's names."""
    kept = case(name)["kept"]
    return _spade_widths(kept) if name in SPADES else _resnet_widths(kept)


def _resnet_widths(kept: dict[str, Any]) -> dict[str, int]:
    widths = {f"stem.conv{i}": c for i, c in enumerate(kept["down"])}
    for i, block in enumerate(kept["blocks"]):
        widths |= {f"body.{i}.dense.{k}.conv0": c for k, c in enumerate(block["res"])}
        widths |= {f"body.{i}.depth.{k}.conv0": c for k, c in enumerate(block["dw"])}
    return widths | {f"head.deconv{i}": c for i, c in enumerate(kept["up"])}


def _spade_widths(kept: dict[str, Any]) -> dict[str, int]:
    widths = {"fc.conv0": kept["fc"]}
    for name, block in kept["blocks"].items():
        path = _BLOCKS[name]
        for k in range(3):
            widths[f"{path}.{k}.conv0"] = block["res"][k]
            widths[f"{path}.{k}.conv2"] = block["dw"][k]
            widths[f"{path}.gamma_beta.{k}.conv0"] = block["label_res"][k]
            widths[f"{path}.gamma_beta.{k}.conv2"] = block["label_dw"][k]
    return widths


@pytest.mark.parametrize("name", RESNETS + SPADES)
def test_their_student_costs_in_our_model_what_they_measured(name: str) -> None:
    wanted, widths = case(name), their_widths(name)
    cost = project(name).cost_model.at(widths)
    assert (cost.paper, cost.params) == (wanted["macs_paper"], wanted["params"])
    assert cost.exact == wanted.get("macs_exact", wanted["macs_paper"])
    searched = {w.name for w in project(name).graph.widths if w.searched}
    assert set(widths) == searched


@pytest.mark.parametrize("name", RESNETS + SPADES)
def test_our_plan_keeps_all_that_theirs_keeps_and_more(name: str) -> None:
    plan, theirs = planned(name), their_widths(name)
    assert budget(name).holds(plan.cost)
    assert plan.cost.paper >= case(name)["macs_paper"]
    fewer = {n: (plan.kept[n], c) for n, c in theirs.items() if plan.kept[n] < c}
    assert fewer == {}


@pytest.mark.parametrize("name", RESNETS + SPADES)
def test_no_single_further_step_fits(name: str) -> None:
    plan, model = planned(name), project(name).cost_model
    assert model.at(plan.kept) == plan.cost
    for width in model.graph.widths:
        if width.searched and plan.kept[width.name] + width.step <= width.high:
            wider = model.at({**plan.kept, width.name: plan.kept[width.name] + width.step})
            assert not budget(name).holds(wider), width.name


@pytest.mark.parametrize("name", RESNETS)
def test_the_cut_holds_every_channel_above_their_threshold(name: str) -> None:
    """They stop where the interval is below 1e-3; the cut goes on to the last channel that fits."""
    plan, graph = planned(name), project(name).graph
    for width, values in width_scores(graph, scores(name)).by_width.items():
        above = int((values > case(name)["threshold"]).sum())
        assert plan.cut[width] >= max(above, graph.width[width].low)


@pytest.mark.parametrize("name", RESNETS + SPADES)
def test_channels_kept_are_those_with_the_largest_scales(name: str) -> None:
    plan, graph = planned(name), project(name).graph
    norms = [n for n in graph.nodes if n.scaled]
    for width, channels in plan.channels.items():
        first = next(n for n in norms if any(s.width == width for s in n.type.channels))
        values = np.abs(scores(name)[first.name])
        best = set(np.argsort(-values, kind="stable")[: len(channels)].tolist())
        assert set(channels) == best


@pytest.mark.parametrize("name", RESNETS + SPADES)
def test_released_names_are_all_mapped(name: str) -> None:
    """Every array of theirs names an affine norm of the graph, and no two the same."""
    with np.load(reference(f"{name}_gammas.npz")) as file:
        names = list(file.files)
    graph = project(name).graph
    paths = [graph_path(n) for n in names]
    assert len(set(paths)) == len(paths)
    for released, path in zip(names, paths, strict=True):
        assert path in graph.node, released
        assert graph.node[path].norm is not None
        assert scores(name)[path].shape == (graph.channels(path),)
    assert set(paths) == {n.name for n in graph.nodes if n.scaled}


@pytest.mark.parametrize(
    ("released", "path"),
    [
        ("fc_norm", "fc.norm0"),
        ("down_sampling.8", "stem.norm2"),
        ("features.3.res_ops.1.1.1", "body.3.dense.1.norm0"),
        ("features.12.dw_ops.0.2.1", "body.12.depth.0.norm1"),
        ("features.3.pw_bn", "body.3.norm0"),
        ("up_sampling.7", "head.conv0"),
        ("up_0.spade.dw_ops.2.0.norm", "up0.main.gamma_beta.2.norm1"),
        ("head_0.res_ops.1.0.norm", "head.1.norm0"),
        ("G_middle_1.dw_ops.1.0.norm", "mid1.1.norm1"),
        ("G_middle_0.spade.res_ops.2.1", "mid0.gamma_beta.2.conv1"),
        ("up_2.dw_ops.2.2.conv", "up2.main.2.conv3"),
        ("up_3.shortcut.0", "up3.norm0"),
        ("up_3.spade.param_free_norm", "up3.main.norm0"),
        ("conv_img", "rgb.conv0"),
        ("stem.norm0", "stem.norm0"),
        ("features.3.res_ops.1.1", "features.3.res_ops.1.1"),
        ("head_0.unheard_of", "head_0.unheard_of"),
    ],
)
def test_names(released: str, path: str) -> None:
    assert graph_path(released) == path
