"""Convs that read one tensor with one kernel become one conv, of which each takes its slice."""

from collections import defaultdict
from dataclasses import dataclass, replace

from catdsl.ir.graph import Graph, Node
from catdsl.ops.conv import padding
from catdsl.ops.joins import SPLIT
from catdsl.passes.rewriting import Draft, Rewritten, channels_in_turn, slice_of, stacked_recipes


@dataclass(frozen=True, slots=True)
class MergeSiblingConvs:
    """One conv for all convs of one input, kernel, stride, dilation and padding.

    In an inception block these are the 1 x 1 heads of four of its six branches.
    """

    name: str = "merge sibling convs"

    def run(self, graph: Graph) -> Rewritten:
        siblings: dict[tuple[object, ...], list[Node]] = defaultdict(list)
        for node in graph.nodes:
            if node.op.name == "conv" and not node.attrs["spectral"]:
                siblings[(node.inputs[0], *window(node), node.attrs["bias"])].append(node)
        draft = Draft(graph)
        for convs in siblings.values():
            if len(convs) > 1:
                _merge(draft, convs)
        return draft.finish()


def window(node: Node) -> tuple[object, ...]:
    """Where a conv's kernel looks: kernel, stride, dilation, padding, and what is padded with."""
    attrs = node.attrs
    pad = padding(attrs)
    return attrs["kernel"], attrs["stride"], attrs["dilation"], pad, attrs["pad"] if pad else "zero"


def _merge(draft: Draft, convs: list[Node]) -> None:
    first = convs[0]
    name = draft.fresh((c.name for c in convs), "merged_conv")
    merged = replace(first, name=name, type=replace(first.type, channels=channels_in_turn(convs)))
    draft.put(merged, stacked_recipes(first.op, convs))
    start = 0
    for conv in convs:
        draft.put(slice_of(name, conv, start, op=SPLIT))
        start += len(conv.type.channels)
