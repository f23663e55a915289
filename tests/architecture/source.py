"""A module of the package as the guards see it: its dotted name, its text, its syntax tree."""

import ast
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "catdsl"


@dataclass(frozen=True, slots=True)
class Module:
    """`path` is relative to the root of the checkout, with `/`, and is what a report names."""

    path: str
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """The dotted name that an import statement would use."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def module(path: str, text: str) -> Module:
    """A module that need not exist: planted faults are made with this."""
    return Module(path, text, ast.parse(text, filename=path))


def package_modules() -> tuple[Module, ...]:
    """Every module of catdsl, in order of their paths."""
    paths = sorted(PACKAGE.rglob("*.py"))
    return tuple(module(p.relative_to(ROOT).as_posix(), p.read_text(encoding="utf-8")) for p in paths)
