"""What a student must compute, worked out in the teacher: removed channels are forced to 0 everywhere.

Independent of how catdsl follows absence: presence is one truth per channel here, decided by the
operators' names, and the teacher itself runs at full size. After every operation the channels of
removed widths, and all channels of absent tensors, are set to exactly 0 (`docs/language/widths.md`, Absence).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from catdsl.backend.module import build_module
from catdsl.ir.counts import complete_counts, with_counts
from catdsl.ir.graph import Graph, Node
from catdsl.ops import BY_NAME
from catdsl.search.slicing import slice_weights

Kept = Mapping[str, np.ndarray]
Flags = Mapping[str, np.ndarray]


def channels_alive(graph: Graph, kept: Kept) -> dict[str, np.ndarray]:
    """Per node, which of the teacher's channels are there in a student that keeps `kept`."""
    alive: dict[str, np.ndarray] = {}
    for node in graph.nodes:
        own = [
            np.isin(np.arange(graph.width[s.width].count), kept[s.width]).repeat(s.repeat) for s in node.type.channels
        ]
        left = np.concatenate(own) if own else np.zeros(0, dtype=bool)
        alive[node.name] = alive_after(node, [alive[i] for i in node.inputs], left)
        assert not (alive[node.name] & ~left).any(), f"{node.name} has channels of a removed width"
    return alive


def alive_after(node: Node, inputs: list[np.ndarray], left: np.ndarray) -> np.ndarray:
    match node.op.name:
        case "input":
            return np.ones_like(left)
        case "conv" | "deconv":
            return left & inputs[0].any()
        case "add":
            return np.logical_or.reduce(inputs)
        case "mul":
            return np.logical_and.reduce(inputs)
        case "modulate":
            return inputs[0] | inputs[2]
        case "concat":
            return np.concatenate(inputs)
        case "split":
            size = len(inputs[0]) // node.attrs["parts"]
            return inputs[0][node.attrs["index"] * size :][:size]
        case "pixel_shuffle":
            return inputs[0][:: node.attrs["factor"] ** 2]
    return inputs[0]


class Recorder(fx.Interpreter):
    """Runs a module node by node; keeps each node's tensor by its path in the graph."""

    def __init__(self, module: fx.GraphModule, alive: Flags | None = None):
        super().__init__(module)
        self.alive = alive
        self.tensors: dict[str, Tensor] = {}

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        path = n.meta.get("path")
        if path is None:
            return value
        if self.alive is not None:
            flags = torch.from_numpy(self.alive[path])
            value = torch.where(flags[None, :, None, None], value, torch.zeros_like(value))
        self.tensors[path] = value
        return value


def randomized(module: fx.GraphModule, seed: int) -> fx.GraphModule:
    """In double precision and evaluation mode, every parameter and statistic random: no 0, no 1."""
    generator = torch.Generator().manual_seed(seed)
    module.double().eval()
    for name, value in module.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 1.5, generator=generator)
        elif value.dtype.is_floating_point:
            value.normal_(0, 0.6, generator=generator)
    return module


def random_images(graph: Graph, seed: int, *, batch: int = 2) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(
            batch,
            graph.channels(i.name),
            i.type.height,
            i.type.width,
            generator=generator,
            dtype=torch.float64,
        )
        for i in graph.inputs
    ]


def random_kept(graph: Graph, counts: Mapping[str, int], seed: int) -> dict[str, np.ndarray]:
    """Any channels of each width, as many as its count."""
    rng = np.random.default_rng(seed)
    complete = complete_counts(graph, counts)
    return {w.name: np.sort(rng.permutation(w.count)[: complete[w.name]]) for w in graph.widths}


def numpy_state(module: nn.Module) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in module.state_dict().items()}


def sliced_student(
    teacher: Graph, module: nn.Module, counts: Mapping[str, int], kept: Kept
) -> tuple[Graph, fx.GraphModule]:
    """The student's graph and its module with weights sliced from the teacher's."""
    student = with_counts(teacher, counts, arrange=BY_NAME["arrange"])
    return student, loaded_student(teacher, student, counts, kept, numpy_state(module))


def loaded_student(
    teacher: Graph, student: Graph, counts: Mapping[str, int], kept: Kept, weights: Mapping[str, np.ndarray]
) -> fx.GraphModule:
    """A student with slices of the teacher's weights, in double precision and evaluation mode."""
    sliced = slice_weights(teacher, student, counts, kept, weights)
    built = build_module(student).double().eval()
    built.load_state_dict({name: torch.from_numpy(value) for name, value in sliced.items()})
    return built


def without_scales(graph: Graph, module: fx.GraphModule, alive: Flags) -> fx.GraphModule:
    """Scales of 0 in every affine norm for channels that the student has not; their biases stay."""
    with torch.no_grad():
        for node in graph.nodes:
            if node.scaled:
                module.get_parameter(f"{node.name}.weight")[torch.from_numpy(~alive[node.name])] = 0
    return module


def assert_computes_what_silenced_teacher_computes(teacher: Graph, counts: Mapping[str, int], *, seed: int) -> Graph:
    """Every tensor of the sliced student equals the teacher's with the removed channels silenced."""
    module = randomized(build_module(teacher), seed)
    kept = random_kept(teacher, counts, seed)
    images = random_images(teacher, seed)
    alive = channels_alive(teacher, kept)
    student, sliced = sliced_student(teacher, module, counts, kept)
    wanted, found = Recorder(module, alive), Recorder(sliced)
    with torch.no_grad():
        output = wanted.run(*images)
        torch.testing.assert_close(found.run(*images), output, rtol=1e-6, atol=1e-8)
    for node in student.nodes:
        if node.op.name == "arrange":
            continue
        there = torch.from_numpy(alive[node.name])
        silent = wanted.tensors[node.name]
        assert not silent[:, ~there].any()
        torch.testing.assert_close(found.tensors[node.name], silent[:, there], rtol=1e-6, atol=1e-8)
    return student
