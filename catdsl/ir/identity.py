"""Digest of a network: equal for two ways to write one network, and for nothing else.

It covers operators, their arguments, edges and channel counts, and the names under which weights are
kept. It leaves out what bears on no output: places in texts, names of operators without weights, the
order of statements, bounds of widths, taps, and the declared size.
"""

import json
from collections.abc import Mapping
from hashlib import blake2b
from math import prod
from typing import Any

from catdsl.acceptance import Owner
from catdsl.ir.graph import Graph, Node

_BYTES = 16


def network_digest(graph: Graph) -> str:
    """A digest of 32 hexadecimal digits: weights for one graph are weights for all of the same digest."""
    positions = {node.name: index for index, node in enumerate(graph.inputs)}
    found: dict[str, bytes] = {}
    for node in graph.nodes:
        inputs = [found[name].hex() for name in node.inputs]
        # An operator with weights is one of its kind; without, equal ones compute the same.
        named = node.name if node.op.weights(node.attrs) else None
        facts = (
            node.op.name,
            named,
            positions.get(node.name),
            graph.channels(node.name),
            _arguments(graph, node),
            sorted(inputs) if node.op.commutes else inputs,
        )
        found[node.name] = blake2b(_text(facts).encode(), digest_size=_BYTES).digest()
    return found[graph.output].hex()


def owner_of(graph: Graph, run: str | None = None) -> Owner:
    """Whose weights those of a graph are; `run` is the identity of the run that they belong to."""
    return Owner(network_digest(graph), f"{graph.kind} `{graph.name}` of {_parameters(graph):,} parameters", run)


def _parameters(graph: Graph) -> int:
    return sum(
        prod(weight.shape(inputs=graph.in_channels(node), outputs=graph.channels(node.name)))
        for node in graph.nodes
        for weight in node.op.weights(node.attrs)
        if not weight.buffer
    )


def _arguments(graph: Graph, node: Node) -> Mapping[str, Any]:
    """Those of an input without the size that it is declared at: networks take others, too."""
    identity = node.op.identity(graph.site(node))
    if node.inputs:
        return identity
    return {name: value for name, value in identity.items() if name not in ("height", "width")}


def _text(value: Any) -> str:
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    """Whole numbers as such, however they were written: a factor of 2.0 is one of 2."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
