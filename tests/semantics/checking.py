"""Short ways from a text to its graph, and to what is wrong with it."""

from catdsl.diagnostics import CatError, Diagnostic
from catdsl.ir.graph import Graph
from catdsl.project import load


def generator(body: str, before: str = "", after: str = "") -> str:
    """A spec with one generator, whose input `x` has 3 x 32 x 32."""
    lines = "".join(f"    {line}\n" for line in body.strip("\n").split("\n"))
    return f"{before}generator g {{\n    input x: image(3, 32, 32)\n{lines}}}\n{after}"


def graph_of(body: str, before: str = "", after: str = "", **overrides: str) -> Graph:
    return load(generator(body, before, after), overrides).graph


def found_in(text: str, **overrides: str) -> tuple[Diagnostic, ...]:
    """Every diagnostic of a text: its errors, or its warnings where it has none."""
    project = load(text, overrides)
    try:
        assert project.graph.nodes
        assert project.cost.params >= 0
    except CatError as error:
        return error.diagnostics
    return project.warnings


def codes_in(text: str, **overrides: str) -> list[str]:
    return [d.code for d in found_in(text, **overrides)]


def under_caret(text: str, found: Diagnostic) -> str:
    """What the caret of a diagnostic stands under."""
    assert found.span is not None
    line = text.split("\n")[found.span.line - 1]
    end = found.span.end_column if found.span.end_line == found.span.line else len(line) + 1
    return line[found.span.column - 1 : end - 1]


def widths_of(graph: Graph) -> dict[str, tuple[int, int, int, int]]:
    """Count, low, high and step of every width that is chosen or fixed."""
    return {w.name: (w.count, w.low, w.high, w.step) for w in graph.widths if w.independent}
