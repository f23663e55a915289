"""The forms for other programs read back by small strict readers: whatever they do not know is a problem."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from itertools import pairwise
from typing import Any

from catdsl.view.mermaid import MAX_EDGES, MAX_TEXT_SIZE, text_size

_BRACKETS = {"[": "]", "((": "))", "([": "])"}
_NODE = re.compile(r'(\w+)(\[|\(\(|\(\[)"([^"]*)"(\]|\)\)|\]\))(?::::(\w+))?')
_SUBGRAPH = re.compile(r'subgraph (\w+)\["([^"]*)"\]')
_EDGE = re.compile(r"(\w+) (-->|-\.->|==>) (\w+)")
_CLASS = re.compile(r"classDef (\w+) ([\w-]+:[#\w ]+,?)+")
# A label holds letters of any script, a few signs, numbers of characters, and our own line breaks and bold titles.
_LABEL = re.compile(r"(?:[^\W_]|[ ._,+/·◆…→↑↓\N{MULTIPLICATION SIGN}-]|#\d+;|<br/>|</?b>)*")


@dataclass(slots=True)
class Chart:
    """What a text draws: labels by id, the group of each node and group, and arrows. `problems` should be empty."""

    labels: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    within: dict[str, str] = field(default_factory=dict)
    styles: dict[str, str] = field(default_factory=dict)
    edges: list[tuple[str, str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    title: str = ""

    def check_ends(self) -> None:
        """Every arrow leads from a node to a node, once; every node hangs on one."""
        ends = [end for source, target, _ in self.edges for end in (source, target)]
        self.problems += [f"`{end}` is no node" for end in ends if end not in self.labels]
        self.problems += [f"`{node}` hangs on nothing" for node in self.labels if node not in ends]
        twice = Counter((source, target) for source, target, _ in self.edges)
        self.problems += [f"two arrows {pair}" for pair, count in twice.items() if count > 1]

    def add(self, name: str, labels: dict[str, str], label: str, group: str) -> None:
        if name in self.labels or name in self.groups:
            self.problems.append(f"`{name}` stands twice")
        labels[name] = label
        self.within[name] = group


# ---- Mermaid ----


def mermaid(text: str) -> Chart:
    """A flowchart of the kind that we write."""
    chart = Chart()
    if text_size(text) > MAX_TEXT_SIZE:
        chart.problems.append(f"{text_size(text)} characters")
    head, body = re.fullmatch(r"---\n(.*?)\n---\n(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    for line in head.splitlines():
        if line.startswith("title: "):
            chart.title = json.loads(line.removeprefix("title: "))
        elif not line.startswith("config: {"):
            chart.problems.append(f"before the chart: {line}")
    first, *lines = body.splitlines()
    if first != "flowchart TB":
        chart.problems.append(first)
    open_groups, classes = [""], set()
    for line in map(str.strip, lines):
        if found := _NODE.fullmatch(line):
            name, opened, label, closed, style = found.groups()
            if _BRACKETS[opened] != closed:
                chart.problems.append(f"unbalanced: {line}")
            chart.add(name, chart.labels, _mermaid_label(label, chart), open_groups[-1])
            chart.styles[name] = style or ""
        elif found := _SUBGRAPH.fullmatch(line):
            chart.add(found[1], chart.groups, _mermaid_label(found[2], chart), open_groups[-1])
            open_groups.append(found[1])
        elif line == "end" and len(open_groups) > 1:
            if open_groups[-1] not in chart.within.values():
                chart.problems.append(f"group `{open_groups[-1]}` is empty")
            open_groups.pop()
        elif found := _EDGE.fullmatch(line):
            chart.edges.append((found[1], found[3], found[2]))
        elif found := _CLASS.fullmatch(line):
            classes.add(found[1])
        elif line.startswith("%% "):
            continue
        else:
            chart.problems.append(f"not understood: {line}")
    chart.problems += [f"`{name}` is not closed" for name in open_groups[1:]]
    chart.problems += [f"no class `{style}`" for style in chart.styles.values() if style and style not in classes]
    if len(chart.edges) > MAX_EDGES:
        chart.problems.append(f"{len(chart.edges)} arrows")
    chart.check_ends()
    return chart


def _mermaid_label(label: str, chart: Chart) -> str:
    """The words of a label, lines apart."""
    if not _LABEL.fullmatch(label):
        chart.problems.append(f"not escaped: {label}")
    plain = re.sub(r"</?b>", "", label).replace("<br/>", "\n")
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), plain)


# ---- DOT ----

_DOT_TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|([A-Za-z_]\w*|-?\d+(?:\.\d+)?)|(->|[{}\[\]=;,]))')


def dot(text: str) -> Chart:
    """A directed graph of the kind that we write, by the grammar of the language."""
    tokens = list(_dot_tokens(text))
    chart = Chart()
    if tokens[:1] != ["digraph"] or tokens[2:3] != ["{"]:
        chart.problems.append(f"begins with {tokens[:3]}")
        return chart
    rest = _dot_statements(tokens, 3, "", chart)
    if rest != len(tokens):
        chart.problems.append(f"after the end: {tokens[rest : rest + 3]}")
    chart.check_ends()
    return chart


def _dot_tokens(text: str) -> Iterator[str]:
    place = 0
    text = re.sub(r"^//.*$", "", text, flags=re.MULTILINE).rstrip()
    while place < len(text):
        found = _DOT_TOKEN.match(text, place)
        if found is None:
            yield f"?{text[place : place + 20]}"
            return
        yield next(group for group in found.groups() if group)
        place = found.end()


def _dot_statements(tokens: list[str], at: int, group: str, chart: Chart) -> int:
    """Statements up to the brace that closes them; gives the place after it."""
    while at < len(tokens):
        token, following = tokens[at], tokens[at + 1 : at + 2]
        if token == "}":
            return at + 1
        if token == ";":
            at += 1
        elif token == "subgraph":
            name = tokens[at + 1]
            if tokens[at + 2] != "{" or not name.startswith("cluster_"):
                chart.problems.append(f"a subgraph {name} that is no cluster")
            chart.add(name, chart.groups, "", group)
            at = _dot_statements(tokens, at + 3, name, chart)
        elif following == ["="]:
            if token == "label" and group:
                chart.groups[group] = dot_words(tokens[at + 2])
            elif token == "label":
                chart.title = dot_words(tokens[at + 2])
            at += 3
        elif following == ["->"]:
            attributes, after = _dot_attributes(tokens, at + 3, chart)
            chart.edges.append((token, tokens[at + 2], attributes.get("style", "")))
            at = after
        elif following == ["["] and not token.startswith("?"):
            attributes, at = _dot_attributes(tokens, at + 1, chart)
            if token not in ("graph", "node", "edge"):
                chart.add(token, chart.labels, dot_words(attributes.get("label", '""')), group)
                chart.styles[token] = attributes.get("style", "")
        else:
            chart.problems.append(f"not understood: {tokens[at : at + 4]}")
            return len(tokens)
    chart.problems.append(f"`{group or 'the graph'}` is not closed")
    return at


def _dot_attributes(tokens: list[str], at: int, chart: Chart) -> tuple[dict[str, str], int]:
    if tokens[at : at + 1] != ["["]:
        return {}, at
    attributes: dict[str, str] = {}
    at += 1
    while tokens[at] != "]":
        if tokens[at] == ",":
            at += 1
            continue
        if tokens[at + 1] != "=":
            chart.problems.append(f"no attribute: {tokens[at : at + 3]}")
            return attributes, len(tokens)
        attributes[tokens[at]] = tokens[at + 2]
        at += 3
    return attributes, at + 1


def dot_words(token: str) -> str:
    """What Graphviz shows of a quoted string: its escapes and HTML's entities resolved."""
    inner = token[1:-1].replace('\\"', '"')
    lines = re.sub(r"\\(.)", lambda found: "\n" if found[1] in "ln" else found[1], inner)
    return unescape(lines).removesuffix("\n")


# ---- Model Explorer ----


def explorer(text: str) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The nodes by their id, and what Model Explorer would not take.

    Its page takes an object with `label` and `graphs` as a collection; fields are those of its `graph_builder.py`.
    """
    data = json.loads(text)
    if set(data) - {"made_by"} != {"label", "graphs"}:
        return {}, [f"the keys are {sorted(data)}"]
    (graph,) = data["graphs"]
    nodes = {node["id"]: node for node in graph["nodes"]}
    problems = [] if len(nodes) == len(graph["nodes"]) else ["an id stands twice"]
    known = {"id", "label", "namespace", "attrs", "incomingEdges", "outputsMetadata", "style"}
    seen: set[str] = set()
    for name, node in nodes.items():
        problems += [f"{name} has `{key}`" for key in set(node) - known]
        pairs = [*node["attrs"], *(pair for item in node.get("outputsMetadata", []) for pair in item["attrs"])]
        problems += [f"{name}: {pair}" for pair in pairs if set(pair) != {"key", "value"} or not _words(pair["value"])]
        sources = [edge["sourceNodeId"] for edge in node["incomingEdges"]]
        problems += [f"{name} takes `{source}`, which comes later or never" for source in sources if source not in seen]
        steps = node["namespace"].split("/")
        problems += [f"{name} lies in {steps}" for step in steps if not step and node["namespace"]]
        seen.add(name)
    return nodes, problems


def _words(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def in_turn(values: list[int]) -> bool:
    """Whether values only fall."""
    return all(a >= b for a, b in pairwise(values))
