"""`graph`: a network in a file, drawn or for programs that draw, or a tree on the terminal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from catdsl.analysis.cost import cost_model
from catdsl.diagnostics import CatError
from catdsl.files import write_text
from catdsl.ir.graph import Graph
from catdsl.view.describe import figures
from catdsl.view.dot import render_dot
from catdsl.view.explorer import render_explorer
from catdsl.view.facts import Facts, costed_facts
from catdsl.view.mermaid import render_mermaid
from catdsl.view.svg import render_picture
from catdsl.view.terminal import render_facts


@dataclass(frozen=True, slots=True)
class Words:
    """What stands above a drawing: a title, where it comes from, and what it costs in all, a line each."""

    title: str
    subtitle: str
    figures: tuple[str, ...]


_FORMS: Mapping[str, Callable[[Facts, Words], str]] = {
    ".svg": lambda facts, words: render_picture(
        facts, title=words.title, subtitles=(words.subtitle, ", ".join(words.figures))
    ),
    ".mmd": lambda facts, words: render_mermaid(facts, title=words.title),
    ".dot": lambda facts, words: render_dot(facts, title=words.title),
    ".json": lambda facts, words: render_explorer(facts, title=words.title, figures=words.figures),
}


def draw(graph: Graph, path: Path, *, teacher: Graph | None = None, subtitle: str = "") -> None:
    """Write a network in the form that the file's ending asks for; with a `teacher`, what it has changed.

    `teacher` may be any network: of one that is not the teacher, nodes are matched by their names.
    Raises CatError E607 for an ending that is not known, E608.
    """
    if path.suffix not in _FORMS:
        *most, last = _FORMS
        raise CatError.one(
            "E607",
            f"a graph cannot be drawn as `{path.suffix or path.name}`",
            help=f"name a file that ends in {', '.join(most)} or {last}",
        )
    known = costed_facts(graph, teacher=teacher)
    words = Words(known.drawn.name, subtitle, _figures(graph, teacher))
    write_text(path, _FORMS[path.suffix](known, words))


def tree(graph: Graph, *, teacher: Graph | None = None) -> str:
    """The terminal form."""
    return render_facts(costed_facts(graph, teacher=teacher), figures=_figures(graph, teacher, arrow="->"))


def _figures(graph: Graph, teacher: Graph | None, *, arrow: str = "→") -> tuple[str, ...]:
    """What both networks cost; of one alone, `info` tells that."""
    if teacher is None:
        return ()
    return figures(cost_model(teacher).at(), cost_model(graph).at(), arrow=arrow)
