"""A graph for inputs of another size: the same nodes and widths, every image as large as it then is."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph, Node
from catdsl.ir.op import Absence
from catdsl.ir.verify import verify

_OF_ONE_SIZE = (Absence.ANY, Absence.ALL, Absence.MODULATES, Absence.JOINS)


def with_input_size(graph: Graph, height: int, width: int) -> Graph:
    """The graph where its first input is `height` x `width` pixels, and others as much larger or smaller.

    Raises CatError E302 where images that meet would be of different sizes, E306 where one would be
    empty, E607 where another input would have a part of a pixel.
    """
    first = graph.inputs[0].type
    scales = (Fraction(height, first.height), Fraction(width, first.width))
    sizes: dict[str, tuple[int, int]] = {}
    nodes = []
    for node in graph.nodes:
        size = _size(node, sizes) if node.inputs else _scaled(node, scales)
        if min(size) < 1:
            raise CatError.one(
                "E306", f"`{node.name}` would be {size[0]} x {size[1]} with an input of {height} x {width}", node.span,
                help="take a larger size",
            )  # fmt: skip
        sizes[node.name] = size
        attrs = node.attrs if node.inputs else {**node.attrs, "height": size[0], "width": size[1]}
        nodes.append(replace(node, attrs=attrs, type=replace(node.type, height=size[0], width=size[1])))
    result = replace(graph, nodes=tuple(nodes))
    verify(result)
    return result


def _size(node: Node, sizes: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
    inputs = [sizes[name] for name in node.inputs]
    if node.op.absence in _OF_ONE_SIZE and len(set(inputs)) > 1:
        seen = ", ".join(f"`{name}` {size[0]} x {size[1]}" for name, size in zip(node.inputs, inputs, strict=True))
        raise CatError.one(
            "E302", f"`{node.name}` would join images of different sizes: {seen}", node.span,
            help="take a size that every down-sampling divides",
        )  # fmt: skip
    height, width = node.op.size(node.attrs, inputs)
    return int(height), int(width)


def _scaled(node: Node, scales: tuple[Fraction, Fraction]) -> tuple[int, int]:
    sides = (node.type.height * scales[0], node.type.width * scales[1])
    if any(side.denominator != 1 for side in sides):
        raise CatError.one(
            "E607", f"the input `{node.name}` of {node.type.height} x {node.type.width} cannot follow that size",
            node.span, help="take a multiple of the declared size",
        )  # fmt: skip
    return int(sides[0]), int(sides[1])
