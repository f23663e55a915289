"""Depthwise convs of neighbouring slices get kernels of one size, with zeros around the smaller ones."""

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np

from catdsl.ir.graph import Graph, Node
from catdsl.ops.conv import padding
from catdsl.passes.delay_slices import neighbours, users_of_slices
from catdsl.passes.rewriting import Draft, Recipe, Rewritten, Weights


@dataclass(frozen=True, slots=True)
class GrowDepthwiseKernels:
    """Kernels 1, 3 and 5 all become 5, so that `delay slices` can make one conv of them.

    A depthwise conv is bound by memory and launches: the further multiplications by 0 (75 in place of
    35 for each pixel of three such channels) cost less than two more operators. Not for training,
    which would move the zeros.
    """

    name: str = "grow depthwise kernels"

    def run(self, graph: Graph) -> Rewritten:
        draft = Draft(graph)
        for source in graph.nodes:
            rows: dict[tuple[object, ...], list[Node]] = defaultdict(list)
            for user in users_of_slices(graph, source):
                # The middle of an even kernel lies between pixels, and grows to no other's.
                odd = user.op.name == "dwconv" and user.attrs["kernel"] % 2
                if odd and 2 * padding(user.attrs) == _reach(user):
                    attrs = user.attrs
                    rows[(attrs["stride"], attrs["dilation"], attrs["bias"])].append(user)
            for convs in rows.values():
                for run in neighbours(graph, convs):
                    _grow(draft, run)
        return draft.finish()


def _reach(conv: Node) -> int:
    """How far apart the first and the last pixel under a kernel are."""
    return int(conv.attrs["dilation"] * (conv.attrs["kernel"] - 1))


def _grow(draft: Draft, convs: list[Node]) -> None:
    largest = max(convs, key=lambda conv: conv.attrs["kernel"])
    pads = {conv.attrs["pad"] for conv in convs if padding(conv.attrs)}
    if len(pads) > 1:
        return
    kernel, pad = largest.attrs["kernel"], largest.attrs["pad"]
    for conv in convs:
        grown = {**conv.attrs, "kernel": kernel, "pad": pad, "padding": largest.attrs["padding"]}
        if grown != dict(conv.attrs):
            border = (kernel - conv.attrs["kernel"]) // 2
            draft.put(replace(conv, attrs=grown), {"weight": _bordered(f"{conv.name}.weight", border)})


def _bordered(name: str, border: int) -> Recipe:
    def recipe(weights: Weights) -> np.ndarray:
        return np.pad(weights[name], ((0, 0), (0, 0), (border, border), (border, border)))

    return recipe
