"""A graph as text in Graphviz's language, blocks as clusters; written by us, so that no program is needed."""

from collections.abc import Iterator

from catdsl.view.facts import Facts, State
from catdsl.view.outline import Group, Leaf, outline
from catdsl.view.palette import HEAT, PAGE, PICTURE
from catdsl.view.svg_elements import plain

_SHAPES = {"join": "circle", "input": "oval", "output": "oval"}
_GROUND, _OUTLINE, _GONE, _NEW = (PICTURE[name][0] for name in ("ground", "outline", "gone words", "new"))
_MUTED, _CONTROL = PAGE["muted"][0], PAGE["control"][0]
_GHOST = f', style="dashed,rounded", color="{_GONE}", fontcolor="{_MUTED}"'
_NODES = {State.BYPASSED: _GHOST, State.GONE: _GHOST, State.NEW: f', color="{_NEW}", penwidth=2'}
_EDGES = {
    State.GONE: f' [style=dashed, color="{_GONE}"]',
    State.NEW: f' [color="{_NEW}", penwidth=2]',
}
_HEAD = f"""\
  graph [labelloc=t, labeljust=l, fontname="Helvetica", fontsize=14, ranksep=0.35, nodesep=0.3, charset="UTF-8"];
  node [shape=box, style="filled,rounded", fillcolor="{_GROUND}", color="{_CONTROL}"];
  node [fontname="Helvetica", fontsize=10];
  edge [color="{_MUTED}", arrowsize=0.7];"""


def render_dot(facts: Facts, *, title: str = "") -> str:
    """The text of a `.dot` file: every operator, nothing folded."""
    whole = outline(facts)
    parts = [line for part in whole.children for line in _part(part, "  ")]
    lines = [f"  {line.source} -> {line.target}{_EDGES.get(line.state, '')};" for line in whole.lines]
    named = f"digraph {quoted(facts.title)} {{"
    return "\n".join([named, _HEAD, f"  label={quoted(title)};", *parts, *lines, "}", ""])


def quoted(words: str, *more: str) -> str:
    """A string of one or more lines, each set from the left.

    Graphviz takes `\\N` in it for the name of a node, and `&lt;` for `<`.
    """
    lines = [plain(line).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for line in (words, *more)]
    return f'"{lines[0]}"' if not more else '"' + "".join(f"{line}\\l" for line in lines) + '"'


def _part(part: Leaf | Group, indent: str) -> Iterator[str]:
    if isinstance(part, Leaf):
        yield indent + _leaf(part)
        return
    words = f"{part.label}  {part.share}" if part.share else part.label
    yield f"{indent}subgraph cluster_{part.id} {{"
    yield f'{indent}  label={quoted(words)}; style=rounded; color="{_OUTLINE}"; fontsize=11;'
    for child in part.children:
        yield from _part(child, indent + "  ")
    yield f"{indent}}}"


def _leaf(leaf: Leaf) -> str:
    lines = (leaf.title, *leaf.lines) if leaf.title else leaf.lines
    shape = f", shape={_SHAPES[leaf.kind]}" if leaf.kind in _SHAPES else ""
    heat = f', fillcolor="{HEAT[leaf.heat - 1][0]}"' if leaf.heat else ""
    return f"{leaf.id} [label={quoted(*lines)}{shape}{heat}{_NODES.get(leaf.state, '')}];"
