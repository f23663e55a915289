"""A graph as JSON for Google's Model Explorer (`pip install ai-edge-model-explorer`, then `model-explorer FILE`).

The form is the one that its page takes without an adapter: a collection with a `label` and `graphs`,
whose nodes lie in namespaces of which each `/` opens a box. Netron does not read it, nor any other
JSON of ours: it reads models, such as the ONNX file of a network.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from catdsl.analysis.cost import Cost
from catdsl.diagnostics.printable import printable_json
from catdsl.ir.graph import Node
from catdsl.view.describe import METRIC_NAMES, alteration, channels, fate, figures, heat, local_name, percent
from catdsl.view.facts import END, Facts, State
from catdsl.view.palette import HEAT, PICTURE
from catdsl.view.structure import Part, Run, structure, taps_by_node
from catdsl.view.svg_elements import plain

_OUTPUT = "output"
_FATES = ((State.GONE, "gone"), (State.BYPASSED, "gone"), (State.NEW, "new"))
_BORDERS = {state: PICTURE[name][0] for state, name in _FATES}


def render_explorer(facts: Facts, *, title: str = "") -> str:
    """The text of a `.json` file: every operator with its place, shape, width and cost as attributes."""
    spaces = dict(_spaces(structure(facts.drawn), ""))
    hottest = max((facts.share(n) for n in facts.macs), default=0.0)
    taps = taps_by_node(facts.drawn)
    nodes = [_node(node, spaces[node.name], facts, taps, hottest) for node in facts.drawn.nodes]
    graph = {
        "id": plain(facts.title),
        "nodes": [*nodes, _output(facts)],
        # The empty namespace is the graph itself.
        "groupNodeAttributes": {"": dict(_totals(facts))},
    }
    whole = {"label": plain(title or facts.title), "graphs": [graph]}
    return printable_json(json.dumps(whole, ensure_ascii=False, indent=1))


def _spaces(part: Part, space: str) -> Iterator[tuple[str, str]]:
    """The namespace of each node: the labels of the boxes around it."""
    if isinstance(part, Run):
        yield from ((name, space) for name in part.nodes)
        return
    inner = "/".join(filter(None, (space, _step(part.label))))
    for child in part.children:
        yield from _spaces(child, inner)


def _step(label: str) -> str:
    """A label as one step of a namespace, in which `/` would open another box."""
    return plain(label).replace("/", "\N{DIVISION SLASH}")


def _totals(facts: Facts) -> Iterator[tuple[str, str]]:
    """What the networks cost in all, as attributes of the graph."""
    return ((f"difference {number}", plain(words)) for number, words in enumerate(figures(facts), 1))


def _node(node: Node, space: str, facts: Facts, taps: Mapping[str, list[str]], hottest: float) -> dict[str, Any]:
    size = "x".join(map(str, facts.shapes[node.name]))
    step = heat(facts.share(node.name), hottest)
    style = {"backgroundColor": HEAT[step - 1][0]} if step else {}
    style |= {"borderColor": _BORDERS[state]} if (state := facts.states[node.name]) in _BORDERS else {}
    return {
        "id": plain(node.name),
        "label": plain(local_name(node.name)),
        "namespace": space,
        "attrs": [{"key": key, "value": plain(value)} for key, value in _attributes(node, facts, taps) if value],
        "incomingEdges": [_edge(source, place) for place, source in enumerate(node.inputs)],
        "outputsMetadata": [{"id": "0", "attrs": [{"key": "shape", "value": size}]}],
        **({"style": style} if style else {}),
    }


def _edge(source: str, place: int) -> dict[str, str]:
    return {"sourceNodeId": plain(source), "sourceNodeOutputId": "0", "targetNodeInputId": str(place)}


def _output(facts: Facts) -> dict[str, Any]:
    # Names are dotted words; one that is none cannot be a node's.
    edges = [_edge(facts.drawn.output, 0)]
    return {"id": f"<{_OUTPUT}{END}>", "label": _OUTPUT, "namespace": "", "attrs": [], "incomingEdges": edges}


def _attributes(node: Node, facts: Facts, taps: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Everything known of a node; an empty value where there is nothing to say."""
    name, bar = node.name, facts.bars.get(node.name)
    yield "operator", node.op.name
    yield from ((key, str(value)) for key, value in node.attrs.items() if value is not None)
    yield "difference", fate(facts.states[name], facts)
    yield "changed", alteration(node, facts) if name in facts.were else ""
    yield "width", "" if bar is None else f"{bar.width}: {channels(name, facts)}"
    together = 1 if bar is None else facts.makers[bar.tied]
    yield "narrowed together", f"{together} convs" if together > 1 else ""
    for metric in ("exact", "paper", "params"):
        yield METRIC_NAMES[metric], _counts(facts, name, metric)
    yield f"share of {METRIC_NAMES['exact']}", percent(facts.share(name)) if facts.share(name) else ""
    yield "distillation", ", ".join(taps.get(name, ()))
    yield "source", "" if node.span is None else str(node.span)


def _counts(facts: Facts, name: str, metric: str) -> str:
    before = getattr(facts.costs_before.get(name, Cost()), metric)
    after = getattr(facts.costs.get(name, Cost()), metric)
    if not facts.compared or before == after:
        return f"{after:,}" if after else ""
    return f"{before:,} → {after:,}"
