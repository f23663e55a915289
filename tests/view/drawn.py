"""Graphs drawn in one call, as tests want them."""

from collections.abc import Mapping

from catdsl.ir.graph import Graph
from catdsl.view.facts import facts
from catdsl.view.svg import render_picture
from catdsl.view.terminal import render_facts


def svg_of(
    graph: Graph, *, teacher: Graph | None = None, macs: Mapping[str, int] | None = None,
    title: str = "", subtitle: str = "",
) -> str:  # fmt: skip
    """The picture of a graph; with a `teacher`, of what is left of it, or of how the two differ."""
    return render_picture(facts(graph, teacher=teacher, macs=macs), title=title, subtitles=(subtitle,))


def tree_of(graph: Graph, *, teacher: Graph | None = None, macs: Mapping[str, int] | None = None) -> str:
    """The same as text for the terminal."""
    return render_facts(facts(graph, teacher=teacher, macs=macs))
