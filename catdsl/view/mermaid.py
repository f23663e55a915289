"""A graph as a Mermaid flowchart, for Markdown: blocks as subgraphs, folded as far as Mermaid's limits ask.

A page that shows Mermaid refuses text of more than `maxTextSize` characters and more than `maxEdges`
arrows, and by default a text cannot raise them (https://mermaid.js.org/config/schema-docs/config.html).
"""

import json
from collections.abc import Iterator

from catdsl.diagnostics import InternalError
from catdsl.view.facts import Facts, State
from catdsl.view.outline import Group, Leaf, Outline, outlines
from catdsl.view.palette import HEAT, PAGE, PICTURE
from catdsl.view.svg_elements import plain
from catdsl.view.typeface import STYLES, fit

MAX_TEXT_SIZE = 50_000  # UTF-16 units, as JavaScript counts them
MAX_EDGES = 500
_ROOM = 64  # for the comment that says who has made the file

# Everything else is written by its number: Mermaid reads markup, Markdown and directives out of labels.
_PLAIN = frozenset(" ._-,+/\N{MULTIPLICATION SIGN}→↑↓·◆…")
_SHAPES = {"join": ("((", "))"), "input": ("([", "])"), "output": ("([", "])")}
_ARROWS = {State.PRESENT: "-->", State.GONE: "-.->", State.NEW: "==>"}
_WORDS = PAGE["text"][0]
_GROUND, _OUTLINE, _GONE, _NEW = (PICTURE[name][0] for name in ("ground", "outline", "gone words", "new"))
_CLASSES = {
    "gone": f"fill:{_GROUND},stroke:{_GONE},color:{PAGE['muted'][0]},stroke-dasharray:4 3",
    "new": f"fill:{_GROUND},stroke:{_NEW},color:{_WORDS},stroke-width:2px",
    **{f"h{step}": f"fill:{light},stroke:{_OUTLINE},color:{_WORDS}" for step, (light, _) in enumerate(HEAT, 1)},
}
_LOOKALIKES = {
    ord("<"): "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
    ord(">"): "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
    ord("&"): "\N{FULLWIDTH AMPERSAND}",
}
_NOTHING = "\N{ZERO WIDTH SPACE}"
_LONGEST_TITLE = 2000  # pixels
_CONFIG = "config: {flowchart: {wrappingWidth: 500}}"
_STATES = {State.GONE: "gone", State.BYPASSED: "gone", State.NEW: "new"}


def render_mermaid(facts: Facts, *, title: str = "") -> str:
    """The text of an `.mmd` file, the same for the same graph.

    The deepest blocks are folded to one node each, level by level, until the text is within Mermaid's
    limits.
    """
    for outline in outlines(facts):
        if len(outline.lines) > MAX_EDGES:
            continue
        text = _text(outline, title)
        if text_size(text) + _ROOM <= MAX_TEXT_SIZE:
            return text
    raise InternalError("a graph folded to one card is beyond Mermaid's limits")


def text_size(text: str) -> int:
    """Characters as Mermaid counts them."""
    return len(text.encode("utf-16-le")) // 2


def label(words: str) -> str:
    """Text for a quoted label."""
    # Two dollars that meet begin a formula and `fa:` an icon, even where they are written as numbers.
    apart = plain(words).replace("$", f"${_NOTHING}").replace(":", f":{_NOTHING}")
    return "".join(c if c.isalnum() or c in _PLAIN else f"#{ord(c)};" for c in apart)


def _text(outline: Outline, title: str) -> str:
    lines = [f"  {line.source} {_ARROWS[line.state]} {line.target}" for line in outline.lines]
    parts = [line for part in outline.children for line in _part(part, "  ")]
    text = "\n".join(["flowchart TB", *parts, *lines])
    used = [f"  classDef {name} {style}" for name, style in _CLASSES.items() if f":::{name}\n" in text]
    return "\n".join([*_head(title), text, *used, ""])


def _head(title: str) -> list[str]:
    """YAML before the chart: lines that are not broken, and the title, of which a JSON string is one of YAML's."""
    # Mermaid takes what looks like markup out of titles, and knows no way to write it.
    words = json.dumps(fit(plain(title), _LONGEST_TITLE, *STYLES["heading"]).translate(_LOOKALIKES))
    return ["---", *([f"title: {words}"] if title else []), _CONFIG, "---"]


def _part(part: Leaf | Group, indent: str) -> Iterator[str]:
    if isinstance(part, Leaf):
        yield indent + _leaf(part)
        return
    words = f"{part.label} · {part.share}" if part.share else part.label
    yield f'{indent}subgraph {part.id}["{label(words)}"]'
    for child in part.children:
        yield from _part(child, indent + "  ")
    yield f"{indent}end"


def _leaf(leaf: Leaf) -> str:
    first, last = _SHAPES.get(leaf.kind, ("[", "]"))
    title = f"<b>{label(leaf.title)}</b>" if leaf.title else ""
    words = "<br/>".join(filter(None, (title, *map(label, leaf.lines))))
    style = _STATES.get(leaf.state) or (f"h{leaf.heat}" if leaf.heat else "")
    return f'{leaf.id}{first}"{words}"{last}' + (f":::{style}" if style else "")
