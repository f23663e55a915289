"""Networks to export: operators alone, shipped specs at small widths, and weights that leave nothing at 0."""

from pathlib import Path

import torch

from catdsl.backend.module import build_module
from catdsl.backend.weights import state_of
from catdsl.export.network import Network, network_of
from catdsl.ir.graph import Graph
from catdsl.jobs.export import facts_of
from catdsl.project import Project, load

SPECS = Path(__file__).parents[2] / "specs"

# Every shipped spec: the settings that make it small. The structure stays.
SMALL: dict[str, dict[str, object]] = {
    "camvid_quick": {"ngf": 8},
    "facades_quick": {"ngf": 6},
    "horse2zebra_quick": {"ngf": 6},
    "pix2pix_cityscapes": {"ngf": 6},
    "pix2pix_facades": {"ngf": 6},
    "pix2pix_maps": {"ngf": 6},
    "quickstart": {"ngf": 6},
    "resnet_inception": {"ngf": 6},
    "resnet_original": {"ngf": 4},
    "spade_inception": {"ngf": 16, "height": 64, "width": 128},
    "superres_inception": {"nf": 12, "blocks": 2},
    "unet_inception": {"ngf": 6},
}

# Recipes for other data with the very network of a spec above: what is asked of that one need not be asked again.
SAME = {"pix2pix_cityscapes": "pix2pix_facades", "pix2pix_maps": "pix2pix_facades"}
DISTINCT = tuple(name for name in SMALL if name not in SAME)


def network(project: Project, seed: int = 0) -> Network:
    """A project's network with random weights and statistics."""
    graph = project.graph
    return network_of(graph, random_weights(graph, seed), facts=facts_of(project, graph), source="test")


def random_weights(graph: Graph, seed: int = 0) -> dict[str, torch.Tensor]:
    """Weights of the size that training leaves, so that every layer has a say in the output."""
    generator = torch.Generator().manual_seed(seed)
    state = state_of(build_module(graph))
    for name, value in state.items():
        if not value.is_floating_point():
            continue
        if name.endswith("running_var") or (value.ndim == 1 and name.endswith("weight")):
            value.uniform_(0.5, 1.5, generator=generator)
        elif value.ndim > 1:
            # Larger ones drive the last tanh to its ends, where float32 itself is off by 1e-4.
            value.normal_(0, 0.5 * value[0].numel() ** -0.5, generator=generator)
        else:
            value.normal_(0, 0.1, generator=generator)
    return state


def small(name: str) -> Network:
    return network(load(SPECS / f"{name}.cat", SMALL[name]))
