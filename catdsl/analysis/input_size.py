"""A graph for inputs of another size: the same nodes and widths, every image as large as it then is."""

from dataclasses import replace

from catdsl.analysis.sizes import Misfit, size_rule, sizes_at
from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph
from catdsl.ir.verify import verify


def with_input_size(graph: Graph, height: int, width: int) -> Graph:
    """The graph where its first input is `height` x `width` pixels, and others as much larger or smaller.

    Raises CatError E607 where the network does not take that size.
    """
    sizes = sizes_at(graph, height, width)
    if isinstance(sizes, Misfit):
        raise CatError.one(
            "E607", f"images of {height} x {width} do not fit `{graph.name}`: {sizes}", sizes.node.span,
            help=f"it takes {size_rule(graph)}",
        )  # fmt: skip
    nodes = []
    for node in graph.nodes:
        high, wide = sizes[node.name]
        attrs = node.attrs if node.inputs else {**node.attrs, "height": high, "width": wide}
        nodes.append(replace(node, attrs=attrs, type=replace(node.type, height=high, width=wide)))
    result = replace(graph, nodes=tuple(nodes))
    verify(result)
    return result
