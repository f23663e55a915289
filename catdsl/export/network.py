"""What is exported: a graph with its weights as one module in evaluation mode, and what is known of it."""

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass

import numpy as np
import torch
from torch import Tensor
from torch.fx import GraphModule

from catdsl.backend.module import build_module
from catdsl.backend.weights import arrays_of, load_weights, module_of
from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph
from catdsl.passes.pipeline import run_pipelines
from catdsl.passes.settle_spectral_norms import SettleSpectralNorms

PROGRAM = "catdsl.program_sha256"
"""The fact by which an exported file tells what program it is from."""
INPUT = "catdsl.input."
"""Before the name of an input: the fact of what it takes."""
STRIDE = "catdsl.stride"
"""The fact of what sides are made multiples of before an image is translated."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network as it is exported, on the CPU and in float32.

    `facts` are words about it that travel with the file.
    """

    graph: Graph
    module: GraphModule
    _: KW_ONLY
    facts: Mapping[str, str]


def network_of(
    graph: Graph, weights: Mapping[str, Tensor | np.ndarray], *, facts: Mapping[str, str], source: str
) -> Network:
    """The network of a graph with weights under the graph's names. Raises CatError E605, E607.

    Weights under spectral normalisation become what it makes of them.
    """
    _check_inputs(graph)
    module = build_module(graph)
    tensors = {name: torch.as_tensor(value).float() if _real(value) else torch.as_tensor(value)
               for name, value in weights.items()}  # fmt: skip
    load_weights(module, tensors, graph, source=source)
    settled = SettleSpectralNorms().run(graph)
    if settled.graph is not graph:
        module = module_of(settled.graph, settled.carry(arrays_of(module)), source=source)
    return Network(settled.graph, module.eval().requires_grad_(False), facts=facts)


def rewritten_network(network: Network, pipelines: Iterable[str]) -> Network:
    """The network after pipelines of passes, which change no result."""
    rewritten = run_pipelines(pipelines, network.graph)
    if rewritten.graph is network.graph:
        return network
    module = module_of(rewritten.graph, rewritten.carry(arrays_of(network.module)), source="the passes")
    return Network(rewritten.graph, module.eval().requires_grad_(False), facts=network.facts)


def _real(value: Tensor | np.ndarray) -> bool:
    return torch.as_tensor(value).is_floating_point()


def _check_inputs(graph: Graph) -> None:
    """Inputs of one size can grow together; of several sizes nobody knows which goes with which."""
    sizes = {(node.type.height, node.type.width) for node in graph.inputs}
    if len(sizes) > 1:
        shown = ", ".join(f"{n.name} is {n.type.height} x {n.type.width}" for n in graph.inputs)
        raise CatError.one(
            "E607", f"a generator whose inputs have different sizes cannot be exported: {shown}",
            graph.inputs[1].span, help="declare them in one size, and put a `resize` after one of them",
        )  # fmt: skip


def random_inputs(graph: Graph, size: tuple[int, int], *, batch: int, seed: int) -> tuple[Tensor, ...]:
    """Inputs as the network takes them, drawn: images in [-1, 1], label maps one-hot, edges 0 or 1."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for node in graph.inputs:
        shape = (batch, graph.channels(node.name), *size)
        if node.attrs["kind"] == "image":
            found.append(torch.rand(shape, generator=generator) * 2 - 1)
            continue
        labels = torch.randint(node.attrs["classes"], (batch, *size), generator=generator)
        x_BCHW = torch.zeros(shape)
        x_BCHW.scatter_(1, labels[:, None], 1.0)
        if node.attrs["edges"]:
            x_BCHW[:, -1] = torch.randint(2, (batch, *size), generator=generator).float()
        found.append(x_BCHW)
    return tuple(found)
