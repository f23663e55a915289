"""`graph`: a network in a file, drawn or for programs that draw, or a tree on the terminal."""

from collections.abc import Callable, Mapping
from pathlib import Path

from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph
from catdsl.jobs.targets import write_marked
from catdsl.project import Project
from catdsl.view.describe import figures
from catdsl.view.dot import render_dot
from catdsl.view.explorer import render_explorer
from catdsl.view.facts import Facts, costed_facts
from catdsl.view.graph_page.page import render_graph_page
from catdsl.view.mermaid import render_mermaid
from catdsl.view.svg import render_picture
from catdsl.view.terminal import render_facts

_FORMS: Mapping[str, Callable[[Facts, str], str]] = {
    ".svg": lambda facts, source: render_picture(
        facts, title=facts.title, subtitles=(source, ", ".join(figures(facts)))
    ),
    ".html": lambda facts, source: render_graph_page(facts, title=facts.title, subtitle=source),
    ".mmd": lambda facts, source: render_mermaid(facts, title=_one_line(facts, source)),
    ".dot": lambda facts, source: render_dot(facts, title=_one_line(facts, source)),
    ".json": lambda facts, source: render_explorer(facts, title=_one_line(facts, source)),
}


def _one_line(facts: Facts, source: str) -> str:
    """The title where there is no subtitle: two networks of one name are told apart by their files."""
    return f"{facts.title}: {source}" if facts.compared and source else facts.title


def draw(
    graph: Graph, path: Path, *, teacher: Graph | None = None, subtitle: str = "", overwrite: bool = False
) -> None:
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
    text = _FORMS[path.suffix](costed_facts(graph, teacher=teacher), subtitle)
    write_marked(path, text, "graph", overwrite=overwrite)


def needs_no_scores(project: Project) -> bool:
    """Whether a spec's students can be searched without a teacher: it ranks at random, by a seed."""
    return project.student is None and project.settings.search.score == "random"


def tree(graph: Graph, *, teacher: Graph | None = None) -> str:
    """The terminal form."""
    return render_facts(costed_facts(graph, teacher=teacher))
