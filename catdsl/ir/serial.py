"""Graphs as JSON values and back, equal to what was saved."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from catdsl.diagnostics import InternalError, Span
from catdsl.ir.graph import Graph, Node, Tap
from catdsl.ir.linear import Linear
from catdsl.ir.op import Op
from catdsl.ir.types import Segment, TensorType, Width
from catdsl.ir.verify import verify

FORMAT = "catdsl-graph-1"


def to_json(graph: Graph) -> dict[str, Any]:
    """A graph as plain JSON values."""
    return {
        "format": FORMAT,
        "name": graph.name,
        "kind": graph.kind,
        "widths": [_width(w) for w in graph.widths],
        "nodes": [_node(n) for n in graph.nodes],
        "output": graph.output,
        "taps": [[t.label, t.node] for t in graph.taps],
    }


def from_json(data: Mapping[str, Any], ops: Mapping[str, Op]) -> Graph:
    """The graph that `to_json` saved. Raises InternalError where it is none."""
    if data.get("format") != FORMAT:
        raise InternalError(f"not a graph of format {FORMAT}")
    graph = Graph(
        name=data["name"],
        kind=data["kind"],
        nodes=tuple(_load_node(n, ops) for n in data["nodes"]),
        widths=tuple(_load_width(w) for w in data["widths"]),
        output=data["output"],
        taps=tuple(Tap(label, node) for label, node in data["taps"]),
    )
    verify(graph)
    return graph


def frozen(value: Any) -> Any:
    """JSON arrays as tuples, so that what was loaded equals what was saved."""
    return tuple(frozen(v) for v in value) if isinstance(value, list) else value


def _span(span: Span | None) -> list[Any] | None:
    return [span.file, span.line, span.column, span.end_line, span.end_column] if span else None


def _load_span(data: list[Any] | None) -> Span | None:
    return Span(*data) if data else None


def _width(width: Width) -> dict[str, Any]:
    tie = width.tie
    return {
        "name": width.name,
        "count": width.count,
        "low": width.low,
        "high": width.high,
        "step": width.step,
        "tie": tie and {"terms": [[n, str(c)] for n, c in tie.terms], "constant": str(tie.constant)},
        "made_by_input": width.made_by_input,
        "span": _span(width.span),
    }


def _load_width(data: Mapping[str, Any]) -> Width:
    tie = data["tie"]
    linear = tie and Linear(tuple((n, Fraction(c)) for n, c in tie["terms"]), Fraction(tie["constant"]))
    return Width(**{**data, "tie": linear, "span": _load_span(data["span"])})


def _node(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        "op": node.op.name,
        "inputs": list(node.inputs),
        "attrs": dict(node.attrs),
        "channels": [[s.width, s.repeat] for s in node.type.channels],
        "height": node.type.height,
        "width": node.type.width,
        "span": _span(node.span),
    }


def _load_node(data: Mapping[str, Any], ops: Mapping[str, Op]) -> Node:
    channels = tuple(Segment(w, r) for w, r in data["channels"])
    return Node(
        name=data["name"],
        op=ops[data["op"]],
        inputs=tuple(data["inputs"]),
        attrs={key: frozen(value) for key, value in data["attrs"].items()},
        type=TensorType(channels, data["height"], data["width"]),
        span=_load_span(data["span"]),
    )
