"""A conv of few channels and a large kernel computes blocks of 2 x 2 pixels at once."""

from dataclasses import dataclass, replace

import numpy as np

from catdsl.ir.graph import Graph, Node
from catdsl.ir.size import Size, SizeExpr
from catdsl.ir.types import Segment
from catdsl.ops.conv import padding
from catdsl.ops.resample import PIXEL_SHUFFLE
from catdsl.passes.rewriting import Draft, Recipe, Rewritten, Weights


@dataclass(frozen=True, slots=True)
class BlockPixels:
    """The last conv of a generator, 7 x 7 to three channels, as one of 8 x 8 and stride 2 to twelve.

    Kernels of libraries compute 8 or 16 channels at a time, so that of three most of the work is
    thrown away. Four pixels of three channels fill them: 64 / 49 of the MACs, a fraction of the time.
    Done where a conv has at most `channels` channels, a kernel of at least `kernel`, and a result of
    even height and width whatever the input's size.
    """

    channels: int = 4
    kernel: int = 5
    name: str = "block pixels"

    def run(self, graph: Graph) -> Rewritten:
        even = even_sizes(graph)
        draft = Draft(graph)
        for node in graph.nodes:
            if node.op.name == "conv" and even[node.name] and self._suits(graph, node):
                _block(draft, node)
        return draft.finish()

    def _suits(self, graph: Graph, conv: Node) -> bool:
        attrs = conv.attrs
        keeps_size = attrs["stride"] == attrs["dilation"] == 1 and 2 * padding(attrs) == attrs["kernel"] - 1
        few = graph.channels(conv.name) <= self.channels and attrs["kernel"] >= self.kernel
        return keeps_size and few and not attrs["spectral"]


def even_sizes(graph: Graph) -> dict[str, bool]:
    """Of each tensor, whether height and width are even at every size of the input."""
    even: dict[str, bool] = {}
    for node in graph.nodes:
        own: list[Size] = [(("height", name), ("width", name)) for name in node.inputs]
        if not own:
            even[node.name] = False
            continue
        height, width = node.op.size(node.attrs, own)
        even[node.name] = _even(height, even) and _even(width, even)
    return even


def _even(expr: SizeExpr, even: dict[str, bool]) -> bool:
    match expr:
        case int():
            return expr % 2 == 0
        case ("height" | "width", str() as name):
            return even[name]
        case ("*" | "scaled", left, right):
            by = isinstance(right, int | float) and right % 2 == 0
            whole = isinstance(right, int | float) and right == int(right)
            return by or (whole and _even(left, even))
        case ("+" | "-", left, right):
            return _even(left, even) and _even(right, even)
        case ("min" | "max", left, right):
            return _even(left, even) and _even(right, even)
    return False


def _block(draft: Draft, conv: Node) -> None:
    attrs = {**conv.attrs, "kernel": conv.attrs["kernel"] + 1, "stride": 2, "padding": padding(conv.attrs)}
    channels = tuple(Segment(s.width, s.repeat * 4) for s in conv.type.channels)
    type_ = replace(conv.type, channels=channels, height=conv.type.height // 2, width=conv.type.width // 2)
    name = draft.fresh([conv.name], "blocked_conv")
    recipes = {"weight": _blocked(f"{conv.name}.weight")}
    if conv.attrs["bias"]:
        recipes["bias"] = _four_times(f"{conv.name}.bias")
    draft.put(replace(conv, name=name, attrs=attrs, type=type_), recipes)
    draft.put(Node(conv.name, PIXEL_SHUFFLE, (name,), {"factor": 2}, conv.type, conv.span))


def _blocked(name: str) -> Recipe:
    """The kernel at each of the four places of a block: channel by channel, the pixels row by row."""

    def recipe(weights: Weights) -> np.ndarray:
        kernel = weights[name]
        places = [((row, 1 - row), (column, 1 - column)) for row in (0, 1) for column in (0, 1)]
        moved = [np.pad(kernel, ((0, 0), (0, 0), *place)) for place in places]
        return np.stack(moved, axis=1).reshape(4 * len(kernel), *moved[0].shape[1:])

    return recipe


def _four_times(name: str) -> Recipe:
    return lambda weights: np.repeat(weights[name], 4)
