"""A graph for inputs of another size: the same nodes and widths, every image as large as it then is."""

from dataclasses import replace

from catdsl.analysis.sizes import Misfit, size_rule, sizes_at, too_small
from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph
from catdsl.ir.verify import verify


def with_input_size(graph: Graph, height: int, width: int) -> Graph:
    """The graph where its first input is `height` x `width` pixels, and others as much larger or smaller.

    Raises CatError E607 where the network does not take that size.
    """
    sizes = sizes_at(graph, height, width)
    if isinstance(sizes, Misfit):
        rule = size_rule(graph)
        small = too_small(rule, (height, width))
        told = f"an image {small}" if small else f"images of {height} x {width} do not fit `{graph.name}`: {sizes}"
        raise CatError.one(
            "E607", told, sizes.node.span, notes=(str(sizes),) if small else (), help=f"it takes {rule}"
        )  # fmt: skip
    nodes = []
    for node in graph.nodes:
        high, wide = sizes[node.name]
        attrs = node.attrs if node.inputs else {**node.attrs, "height": high, "width": wide}
        nodes.append(replace(node, attrs=attrs, type=replace(node.type, height=high, width=wide)))
    result = replace(graph, nodes=tuple(nodes))
    verify(result)
    return result
