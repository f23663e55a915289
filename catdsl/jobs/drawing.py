"""`graph`: a picture of a network in a file, or a tree on the terminal."""

from pathlib import Path

from catdsl.analysis.cost import cost_model, exact_macs
from catdsl.diagnostics import CatError
from catdsl.files import write_text
from catdsl.ir.graph import Graph
from catdsl.ir.op import Absence
from catdsl.view.facts import facts
from catdsl.view.graph_page.page import render_graph_page
from catdsl.view.svg import render_svg
from catdsl.view.terminal import render_tree

_KINDS = (".svg", ".html")


def draw(graph: Graph, path: Path, *, teacher: Graph | None = None, subtitle: str = "") -> None:
    """Write a picture. Raises CatError E607 for an ending that is not known, E608."""
    if path.suffix not in _KINDS:
        raise CatError.one(
            "E607",
            f"a graph cannot be drawn as `{path.suffix or path.name}` yet",
            help="name a file that ends in .svg or .html",
        )
    _demand_part_of(graph, teacher)
    drawn = _page if path.suffix == ".html" else _picture
    write_text(path, drawn(graph, teacher, subtitle))


def _picture(graph: Graph, teacher: Graph | None, subtitle: str) -> str:
    return render_svg(graph, teacher=teacher, macs=exact_macs(graph), title=graph.name, subtitle=subtitle)


def _page(graph: Graph, teacher: Graph | None, subtitle: str) -> str:
    costs = cost_model(graph).per_node()
    macs = {name: cost.exact for name, cost in costs.items()}
    known = facts(graph, teacher=teacher, macs=macs, live=True)
    return render_graph_page(known, costs, title=graph.name, subtitle=subtitle)


def tree(graph: Graph, *, teacher: Graph | None = None) -> str:
    """The terminal form."""
    _demand_part_of(graph, teacher)
    return render_tree(graph, teacher=teacher, macs=exact_macs(graph))


def _demand_part_of(graph: Graph, teacher: Graph | None) -> None:
    """A picture of two networks shows what is left of the larger one."""
    if teacher is None:
        return
    for node in graph.nodes:
        same = teacher.node.get(node.name)
        if node.op.absence is not Absence.ARRANGES and (same is None or same.op is not node.op):
            raise _apart(f"`{node.name}` is only in the first")
    for name, count in graph.counts.items():
        if count > teacher.counts.get(name, 0):
            raise _apart(f"`{name}` has more channels in the first")


def _apart(reason: str) -> CatError:
    return CatError.one(
        "E607",
        f"the two networks cannot be drawn as one: {reason}",
        help="draw a student against the teacher that it was searched in",
    )
