"""The stride of a network: the pixels that its input's sides are whole multiples of at every level."""

from math import lcm

from catdsl.ir.graph import Graph


def stride(graph: Graph) -> int:
    """Inputs whose sides are multiples of this go through every level of the network without a rest."""
    source = graph.inputs[0].type
    ratios = [source.height // n.type.height for n in graph.nodes if source.height % n.type.height == 0]
    return lcm(1, *ratios)
