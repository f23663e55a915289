"""Warnings for what a text defines and nothing uses, from the text alone.

What is used may lie in a branch that is not taken or in a repeat of 0, so evaluation cannot tell.
"""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass

from catdsl.semantics.report import Report
from catdsl.syntax import tree


def warn_of_unused(program: tree.Program, report: Report) -> None:
    """Parameters, blocks and taken names of a spec's own file that nothing in it mentions."""
    mentioned = mentions(program.items)
    for item in program.items:
        match item:
            case tree.Param():
                _warn(f"the parameter `{item.name.text}`", item.name, mentioned, report)
            case tree.Block():
                _warn(f"the block `{item.name.text}`", item.name, mentioned, report)
            case tree.Use():
                for name in item.names:
                    _warn(f"`{name.text}` of {item.library}", name, mentioned, report)
            case tree.Network():
                taps = [i for i in program.items if isinstance(i, tree.SettingsBlock)]
                _warn_of_names(item.members, mentions((*item.members, *taps)), report)


def warn_of_unused_in_block(block: tree.Block, report: Report) -> None:
    """Arguments and statements of a block that nothing in it mentions or reaches."""
    mentioned = mentions((*block.formals, *block.statements))
    for formal in block.formals:
        _warn(f"the argument `{formal.name.text}`", formal.name, mentioned, report)
    ends = next((i for i, s in enumerate(block.statements) if isinstance(s, tree.Return)), len(block.statements))
    _warn_of_names(block.statements[:ends], mentioned, report)
    for statement in block.statements[ends + 1 :]:
        report.warning(
            "E208", "a block ends with its `return`, nothing behind it is used", statement.span,
            help="put it before the `return`, or remove it",
        )  # fmt: skip


def mentions(nodes: Iterable[object]) -> set[str]:
    """Every name that is read or called in some syntax."""
    found: set[str] = set()
    stack: list[object] = list(nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            stack.extend(node)
            continue
        if isinstance(node, tree.Name):
            found.add(node.text)
        elif isinstance(node, tree.Call):
            found.add(node.callee.text)
            stack.append(node.arguments)
        elif is_dataclass(node) and not isinstance(node, tree.Ident | tree.Number):
            stack.extend(getattr(node, field.name) for field in fields(node) if field.name not in _NO_SYNTAX)
    return found


_NO_SYNTAX = frozenset(("span", "op_span", "library_span", "op"))


def _warn_of_names(
    statements: Iterable[tree.Input | tree.Assign | tree.Output | tree.Return],
    mentioned: set[str],
    report: Report,
) -> None:
    for statement in statements:
        match statement:
            case tree.Assign():
                for name in statement.names:
                    _warn(f"`{name.text}`", name, mentioned, report)
            case tree.Input():
                _warn(f"the input `{statement.name.text}`", statement.name, mentioned, report)


def _warn(what: str, name: tree.Ident, mentioned: set[str], report: Report) -> None:
    if name.text not in mentioned:
        report.warning("E208", f"nothing uses {what}", name.span, help="remove it, or use its value")
