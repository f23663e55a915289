"""`graph`: a picture of a network in a file, or a tree on the terminal."""

from pathlib import Path

from catdsl.analysis.cost import exact_macs
from catdsl.diagnostics import CatError
from catdsl.files import write_text
from catdsl.ir.graph import Graph
from catdsl.view.svg import render_svg
from catdsl.view.terminal import render_tree

_KINDS = (".svg",)


def draw(graph: Graph, path: Path, *, teacher: Graph | None = None, subtitle: str = "") -> None:
    """Write a picture. Raises CatError E607 for an ending that is not known, E608."""
    if path.suffix not in _KINDS:
        raise CatError.one(
            "E607",
            f"a graph cannot be drawn as `{path.suffix or path.name}` yet",
            help="name a file that ends in .svg",
        )
    _demand_part_of(graph, teacher)
    text = render_svg(graph, teacher=teacher, macs=exact_macs(graph), title=graph.name, subtitle=subtitle)
    write_text(path, text)


def tree(graph: Graph, *, teacher: Graph | None = None) -> str:
    """The terminal form."""
    _demand_part_of(graph, teacher)
    return render_tree(graph, teacher=teacher, macs=exact_macs(graph))


def _demand_part_of(graph: Graph, teacher: Graph | None) -> None:
    """A picture of two networks shows what is left of the larger one."""
    strange = [] if teacher is None else [n.name for n in graph.nodes if n.name not in teacher.node]
    made = [name for name in strange if ".arrange" not in name]
    if made:
        raise CatError.one(
            "E607",
            f"the two networks cannot be drawn as one: `{made[0]}` is only in the first",
            help="draw a student against the teacher that it was searched in",
        )
