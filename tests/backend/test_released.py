"""Networks of the released code, under their own weights: ours compute the same images."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from catdsl.backend.weights import load_weights
from catdsl.project import Project, load
from catdsl.search.released import graph_path
from tests.analysis.reference import ROOT, reference
from tests.analysis.test_cost import RESNET, SPADE


def _small(name: str) -> dict[str, Tensor]:
    with safe_open(reference(f"small_{name}.safetensors"), framework="pt") as file:
        return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118


def _renamed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Their weights under the graph's paths."""
    result = {}
    for key, value in tensors.items():
        if key.startswith("weights."):
            module, _, parameter = key.removeprefix("weights.").rpartition(".")
            result[f"{graph_path(module)}.{parameter}"] = value
    return result


def _computes(project: Project, tensors: dict[str, Tensor], weights: dict[str, Tensor]) -> None:
    module = project.teacher()
    counters = {n: v for n, v in module.state_dict().items() if n.endswith("num_batches_tracked")}
    load_weights(module, {**counters, **weights}, project.graph, source="the released network")
    with torch.no_grad():
        output = module.eval()(tensors["input"])
    torch.testing.assert_close(output, tensors["output"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_the_inception_resnet(norm: str) -> None:
    tensors = _small(f"resnet9_{norm}")
    project = load(Path(ROOT / "specs" / f"{RESNET}.cat"), {"ngf": "8", "norm_kind": norm})
    _computes(project, tensors, _renamed(tensors))


def test_the_inception_spade() -> None:
    """Its narrowest blocks are bare shortcuts, whose label paths the released file still carries."""
    tensors = _small("spade")
    text = (ROOT / "specs" / f"{SPADE}.cat").read_text()
    declared = "labels(35, 256, 512, edges = true)"
    assert declared in text
    project = load(text.replace(declared, "labels(5, 64, 128)"), {"ngf": "2"})
    weights = _renamed(tensors)
    wanted = project.teacher().state_dict()
    unused = {n for n in weights if n not in wanted}
    assert unused
    # What the file has beyond our network belongs to main paths of width 0, and nothing else does.
    assert {n.partition(".main.")[0] for n in unused} <= {"up2", "up3"}
    assert all(".main." in n for n in unused)
    _computes(project, tensors, {n: v for n, v in weights.items() if n in wanted})
