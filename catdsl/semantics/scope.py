"""Names in scope, and the names of nodes."""

from dataclasses import dataclass, field
from typing import Any

from catdsl.diagnostics import Span
from catdsl.semantics.report import Report
from catdsl.syntax import tree


@dataclass
class Scope:
    """Names of one block, generator or file; looked up here first, then in the parent."""

    parent: "Scope | None" = None
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)

    def define(self, name: str, value: Any, span: Span) -> None:
        self.values[name] = value
        self.places[name] = span

    def define_once(self, name: tree.Ident, value: Any, report: Report) -> None:
        """Define a name, after reporting where it has been defined in this scope before."""
        if name.text in self.values:
            report.error(
                "E203", f"`{name.text}` is defined twice", name.span,
                notes=(f"first at {self.places[name.text]}",), help="give it another name",
            )  # fmt: skip
        self.define(name.text, value, name.span)

    def lookup(self, name: str) -> tuple[bool, Any]:
        """Whether the name is known, and its value."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                return True, scope.values[name]
            scope = scope.parent
        return False, None

    def names(self) -> list[str]:
        here = list(self.values)
        return here + self.parent.names() if self.parent else here


class NodeNames:
    """Names of nodes: the path of statements, repeats and comprehensions, operator and ordinal."""

    def __init__(self) -> None:
        self._nodes: set[str] = set()
        self._prefixes: set[str] = set()
        self._next: dict[tuple[str, str], int] = {}

    def enter(self, path: str, part: str) -> str:
        """The path of a statement or step inside `path`; never one that an operator has."""
        name = f"{path}.{part}" if path else part
        while name in self._nodes:
            name += "_"
        self._prefixes.add(name)
        return name

    def operator(self, path: str, word: str) -> str:
        """A new name for an operator in `path`: the first free ordinal."""
        number = self._next.get((path, word), 0)
        stem = f"{path}.{word}" if path else word
        while f"{stem}{number}" in self._prefixes:
            number += 1
        self._next[path, word] = number + 1
        self._nodes.add(f"{stem}{number}")
        return f"{stem}{number}"

    def take(self, name: str) -> None:
        """Reserve the name of an input."""
        self._nodes.add(name)
