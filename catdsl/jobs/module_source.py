"""`module.py` of `build`: the generated forward function for reading, proved to be nothing else."""

import ast
import re

from catdsl import __version__
from catdsl.diagnostics import InternalError
from catdsl.diagnostics.printable import printable
from catdsl.ir.code import literal
from catdsl.project import Project

_HEAD = """\
# The forward function that catdsl generated; `catdsl.load(...)` makes the module itself.
# `self` holds one module per path of the graph; weights.safetensors holds their weights.
import torch

"""
# What the generated code may call and read by its own name, beside the inputs and what it has computed.
_NAMES = frozenset(("self", "torch", "getattr", "add", "mul", "concat", "modulate", "resize", "arrange", "inf", "nan"))
_KINDS = (
    ast.Assign, ast.Return, ast.Call, ast.Attribute, ast.Name, ast.Constant, ast.keyword, ast.Tuple, ast.List,
    ast.Starred, ast.UnaryOp, ast.USub, ast.BinOp, ast.operator, ast.Subscript, ast.Slice, ast.expr_context,
)  # fmt: skip


def module_source(project: Project, code: str) -> str:
    """The file's text. Names of the program are names that the generator has checked; all others are literals."""
    about = {
        "VERSION": __version__,
        "SPEC": printable(project.source.shown),
        "NETWORK": project.graph.name,
    }
    head = _HEAD + "".join(f"{name} = {literal(text)}\n" for name, text in about.items())
    text = head + code.replace("catdsl_backend_functions_", "").replace("\n\n\n", "\n\n")
    _prove(text, about)
    return text


def _prove(text: str, about: dict[str, str]) -> None:
    """Raise InternalError where the file would do more than define `forward` and the constants."""
    first, *rest = ast.parse(text).body
    *constants, forward = rest
    known = [f"{name} = {value!r}" for name, value in about.items()]
    if ast.unparse(first) != "import torch" or [ast.unparse(c) for c in constants] != known:
        raise InternalError("module.py would hold more than its constants")
    match forward:
        case ast.FunctionDef(name="forward", args=given, decorator_list=[], body=body):
            local = {a.arg for a in given.args} | {
                n.id for n in ast.walk(forward) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }
            types = {ast.unparse(a.annotation) for a in given.args if a.annotation is not None}
            plain = types <= {"torch.Tensor"} and not given.defaults and not given.kwonlyargs
            if plain and all(_is_ours(node, local) for part in body for node in ast.walk(part)):
                return
    raise InternalError("module.py would hold more than a forward function")


def _is_ours(node: ast.AST, local: set[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in local or node.id in _NAMES
    if isinstance(node, ast.Attribute) and re.fullmatch(r"__.*[^_]__", node.attr):
        # Names of Python's own; modules of such names have a `_` more behind.
        return False
    return isinstance(node, _KINDS)
