"""The released way to search, to measure ours against: a threshold by bisection, a network built and run at each step.

The method's released code halves an interval of thresholds on |scale| of norms. Each candidate is
built as a module, run once on an input of the declared size, and counted by hooks. It stops where the
interval is below 1e-3 and the last candidate is within the budget.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from torch import Tensor, nn

from catdsl.backend.module import build_module
from catdsl.ir.graph import Graph
from catdsl.project import Project

INTERVAL = 1e-3
LONGEST = 100  # The released loop never ends where the smallest network is above the budget.


@dataclass(frozen=True, slots=True)
class Bisected:
    """Where the bisection ended: paper MACs, and how many networks it built and ran."""

    counts: Mapping[str, int]
    threshold: float
    macs: int
    evaluations: int


def bisect(project: Project, by_width: Mapping[str, np.ndarray], most: int) -> Bisected:
    """The student whose channels have scores above one threshold, within `most` paper MACs."""
    scores = np.concatenate(list(by_width.values()))
    low, high = float(scores.min()), float(scores.max())
    for evaluations in range(1, LONGEST):
        threshold = (low + high) / 2
        counts = counts_above(project.teacher_graph, by_width, threshold)
        macs = run_and_count(project.student_at(counts))
        low, high = (threshold, high) if macs > most else (low, threshold)
        if high - low < INTERVAL and macs <= most:
            return Bisected(counts, threshold, macs, evaluations)
    raise RuntimeError(f"no threshold gives a network within {most:,} paper MACs")


def counts_above(graph: Graph, by_width: Mapping[str, np.ndarray], threshold: float) -> dict[str, int]:
    """Channels above a threshold, in whole steps from the low bound of each width."""
    counts = {}
    for name, scores in by_width.items():
        width = graph.width[name]
        above = int((scores > threshold).sum()) - width.low
        counts[name] = width.low + max(above, 0) // width.step * width.step
    return counts


def run_and_count(graph: Graph) -> int:
    """Build the network, run it once on noise of the declared size, and count paper MACs."""
    module = build_module(graph).eval()
    images = [torch.randn(1, graph.channels(i.name), i.type.height, i.type.width) for i in graph.inputs]
    with torch.no_grad(), counting(module) as macs:
        module(*images)
    return sum(macs)


@contextmanager
def counting(module: nn.Module) -> Iterator[list[int]]:
    """Paper MACs of each layer that runs: transposed convs at output size, untracked norms 1 per element."""
    macs: list[int] = []

    def of_conv(layer: nn.Conv2d | nn.ConvTranspose2d, inputs: tuple[Tensor, ...], result: Tensor) -> None:
        macs.append(result.numel() * inputs[0].shape[1] // layer.groups * prod(layer.kernel_size))

    def of_norm(layer: nn.Module, inputs: tuple[Tensor, ...], result: Tensor) -> None:
        macs.append(result.numel())

    handles = []
    for layer in module.modules():
        match layer:
            case nn.Conv2d() | nn.ConvTranspose2d():
                handles.append(layer.register_forward_hook(of_conv))
            # An instance norm is built as a group norm with a group for each channel.
            case nn.GroupNorm() | nn.BatchNorm2d(track_running_stats=False):
                handles.append(layer.register_forward_hook(of_norm))
    try:
        yield macs
    finally:
        for handle in handles:
            handle.remove()
