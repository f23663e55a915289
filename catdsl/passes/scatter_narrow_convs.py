"""A conv of many channels to few adds what each pixel gives to its results, and gathers nothing."""

from dataclasses import dataclass, replace

import numpy as np

from catdsl.ir.graph import Graph, Node
from catdsl.ops.conv import padding
from catdsl.ops.transposed import SCATTER_CONV
from catdsl.passes.rewriting import Draft, Recipe, Rewritten, Weights
from catdsl.passes.share_padding import border


@dataclass(frozen=True, slots=True)
class ScatterNarrowConvs:
    """The dense heads of an inception block, 5 x 5 from 58 channels to 9, as transposed convs.

    onnxruntime gathers all that a kernel reads (25 x 58 values a pixel) before it multiplies, which takes
    longer than the multiplications; where the width is a multiple of 4 it gathers nothing, and computes
    16 channels also where 9 are wanted. Its transposed conv multiplies first, and then adds up 25 x 9
    values a pixel. Done where a conv has at most `channels` channels, `narrowing` times fewer than its
    input, and what is added up, which lies in memory as a whole, is at most `growth` times its input.
    """

    channels: int = 16
    narrowing: int = 3
    growth: int = 8
    name: str = "scatter narrow convs"

    def run(self, graph: Graph) -> Rewritten:
        draft = Draft(graph)
        for node in graph.nodes:
            if node.op.name == "conv" and self._suits(graph, node):
                _scatter(draft, node)
        return draft.finish()

    def _suits(self, graph: Graph, conv: Node) -> bool:
        attrs, channels = conv.attrs, graph.channels(conv.name)
        plain = attrs["stride"] == attrs["dilation"] == 1 and not attrs["spectral"]
        reaches = attrs["kernel"] > 1 and padding(attrs) < attrs["kernel"]
        narrow = channels <= self.channels and channels * self.narrowing <= graph.in_channels(conv)
        small = channels * attrs["kernel"] ** 2 <= self.growth * graph.in_channels(conv)
        return plain and reaches and narrow and small


def _scatter(draft: Draft, conv: Node) -> None:
    pad, source = padding(conv.attrs), conv.inputs[0]
    if conv.attrs["pad"] != "zero" and pad:
        source, pad = border(draft, draft.graph.node[source], [conv], conv.attrs["pad"], pad), 0
    attrs = {"kernel": conv.attrs["kernel"], "padding": pad, "bias": conv.attrs["bias"]}
    recipes = {"weight": _turned(f"{conv.name}.weight")}
    draft.put(replace(conv, op=SCATTER_CONV, inputs=(source,), attrs=attrs), recipes)


def _turned(name: str) -> Recipe:
    """The kernel turned by half a circle, its channels in the order of a transposed conv."""

    def recipe(weights: Weights) -> np.ndarray:
        return np.ascontiguousarray(weights[name][:, :, ::-1, ::-1].swapaxes(0, 1))

    return recipe
