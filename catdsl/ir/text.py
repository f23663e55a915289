"""Graphs as text, one line per width and node, and back: what tests and people read.

width stem.conv0 = 64 in 16..64 @ "spec.cat" 16:18-16:30
stem.conv0 = conv(photo) {"kernel": 7} : stem.conv0 x 256 x 256 @ "spec.cat" 16:18-16:30
"""

import json
import re
from collections.abc import Mapping
from fractions import Fraction

from catdsl.diagnostics import InternalError, Span
from catdsl.ir.graph import Graph, Node, Tap
from catdsl.ir.linear import Linear
from catdsl.ir.op import Op
from catdsl.ir.serial import frozen
from catdsl.ir.types import Segment, TensorType, Width
from catdsl.ir.verify import verify

_PLACE = r'(?: @ (?P<file>"(?:[^"\\]|\\.)*") (?P<line>\d+):(?P<col>\d+)-(?P<eline>\d+):(?P<ecol>\d+))?$'
_HEAD = re.compile(r"(?P<kind>\w+) (?P<name>\S+)$")
_WIDTH = re.compile(
    r"(?P<input>input )?width (?P<name>\S+) = (?P<count>\d+) in (?P<low>\d+)\.\.(?P<high>\d+)"
    r"(?: step (?P<step>\d+))?(?: tied (?P<tie>[^@]+?))?" + _PLACE
)
_NODE = re.compile(
    r"(?P<name>\S+) = (?P<op>\w+)\((?P<inputs>[^)]*)\) (?P<attrs>\{.*\}) : "
    r"(?P<channels>\S+) x (?P<height>\d+) x (?P<width>\d+)" + _PLACE
)


def to_text(graph: Graph) -> str:
    """A graph as text that `from_text` reads back equal."""
    lines = [f"{graph.kind} {graph.name}"]
    lines += [_width(w) for w in graph.widths]
    lines += [_node(n) for n in graph.nodes]
    lines += [f"tap {json.dumps(t.label)} {t.node}" for t in graph.taps]
    lines.append(f"output {graph.output}")
    return "\n".join(lines) + "\n"


def from_text(text: str, ops: Mapping[str, Op]) -> Graph:
    """The graph that `to_text` wrote. Raises InternalError where it is none."""
    first, *lines = text.splitlines()
    head = _match(_HEAD, first)
    widths: list[Width] = []
    nodes: list[Node] = []
    taps: list[Tap] = []
    output = ""
    for line in lines:
        if line.startswith(("width ", "input width ")):
            widths.append(_load_width(line))
        elif line.startswith("tap "):
            label, end = json.JSONDecoder().raw_decode(line, 4)
            taps.append(Tap(label, line[end:].strip()))
        elif line.startswith("output "):
            output = line.removeprefix("output ")
        else:
            nodes.append(_load_node(line, ops))
    graph = Graph(head["name"], head["kind"], tuple(nodes), tuple(widths), output, tuple(taps))
    verify(graph)
    return graph


def _place(span: Span | None) -> str:
    if span is None:
        return ""
    return f" @ {json.dumps(span.file)} {span.line}:{span.column}-{span.end_line}:{span.end_column}"


def _width(width: Width) -> str:
    text = f"width {width.name} = {width.count} in {width.low}..{width.high}"
    text = "input " * width.made_by_input + text + f" step {width.step}" * (width.step != 1)
    if width.tie is not None:
        text += f" tied {width.tie}"
    return text + _place(width.span)


def _node(node: Node) -> str:
    channels = "+".join(s.width + f"*{s.repeat}" * (s.repeat != 1) for s in node.type.channels)
    attrs = json.dumps(node.attrs, ensure_ascii=False)
    shape = f"{channels} x {node.type.height} x {node.type.width}"
    return f"{node.name} = {node.op.name}({', '.join(node.inputs)}) {attrs} : {shape}{_place(node.span)}"


def _match(pattern: re.Pattern[str], line: str) -> re.Match[str]:
    found = pattern.match(line)
    if found is None:
        raise InternalError(f"not a line of a graph: {line[:80]}")
    return found


def _load_place(found: re.Match[str]) -> Span | None:
    if found["file"] is None:
        return None
    numbers = (int(found[key]) for key in ("line", "col", "eline", "ecol"))
    return Span(json.loads(found["file"]), *numbers)


def _load_width(line: str) -> Width:
    found = _match(_WIDTH, line)
    return Width(
        found["name"], int(found["count"]), int(found["low"]), int(found["high"]),
        int(found["step"] or 1), _load_tie(found["tie"]), found["input"] is not None, _load_place(found),
    )  # fmt: skip


def _load_tie(text: str | None) -> Linear | None:
    if text is None:
        return None
    terms: list[tuple[str, Fraction]] = []
    constant = Fraction(0)
    for part in text.split(" + "):
        factor, _, name = part.rpartition(" * ")
        if name[0].isdigit() or name[0] == "-":
            constant = Fraction(name)
        else:
            terms.append((name, Fraction(factor or 1)))
    return Linear(tuple(terms), constant)


def _load_node(line: str, ops: Mapping[str, Op]) -> Node:
    found = _match(_NODE, line)
    channels = []
    for part in found["channels"].split("+"):
        width, _, repeat = part.partition("*")
        channels.append(Segment(width, int(repeat or 1)))
    return Node(
        name=found["name"],
        op=ops[found["op"]],
        inputs=tuple(filter(None, found["inputs"].split(", "))),
        attrs={key: frozen(value) for key, value in json.loads(found["attrs"]).items()},
        type=TensorType(tuple(channels), int(found["height"]), int(found["width"])),
        span=_load_place(found),
    )
