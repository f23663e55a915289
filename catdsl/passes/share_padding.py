"""A border that several convs put around one tensor is put there once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from catdsl.ir.graph import Graph, Node
from catdsl.ops.conv import padding
from catdsl.ops.resample import PAD
from catdsl.passes.rewriting import Draft, Rewritten


@dataclass(frozen=True, slots=True)
class SharePadding:
    """One `pad` for convs that reflect or replicate the same border of the same tensor.

    Zeros are left to the convs, which pad with them at no cost.
    """

    name: str = "share padding"

    def run(self, graph: Graph) -> Rewritten:
        padded: dict[tuple[str, str, int], list[Node]] = defaultdict(list)
        for node in graph.nodes:
            if node.op.name in ("conv", "dwconv") and node.attrs["pad"] != "zero" and padding(node.attrs) > 0:
                padded[(node.inputs[0], node.attrs["pad"], padding(node.attrs))].append(node)
        draft = Draft(graph)
        for (source, mode, amount), convs in padded.items():
            if len(convs) > 1:
                padded_source = border(draft, graph.node[source], convs, mode, amount)
                for conv in convs:
                    attrs = {**conv.attrs, "pad": "zero", "padding": 0}
                    draft.put(replace(conv, inputs=(padded_source,), attrs=attrs))
        return draft.finish()


def border(draft: Draft, source: Node, convs: Sequence[Node], mode: str, amount: int) -> str:
    """Put a border around a tensor for `convs`; the name of the tensor with it."""
    type_ = replace(source.type, height=source.type.height + 2 * amount, width=source.type.width + 2 * amount)
    name = draft.fresh((conv.name for conv in convs), "border")
    return draft.put(Node(name, PAD, (source.name,), {"amount": amount, "mode": mode}, type_, source.span))
