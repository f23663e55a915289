"""A Python file is run only once it is proved to hold nothing but what our writer writes.

The text is parsed and every node of it is held against a list of what may stand there: three kinds of
literals, operators of torch by name, classes and functions that the file itself defines. No other name is
read, no other function called, and outside of functions nothing is computed at all.
"""

import ast
import io
import tokenize
from collections.abc import Mapping, Sequence

from catdsl.diagnostics import CatError
from catdsl.export.source.definitions import OF_FILE, TAKEN
from catdsl.export.source.literals import is_identifier
from catdsl.export.source.program import ENDING
from catdsl.ops import ALL

IMPORTS = (
    "import sys",
    "from collections.abc import Sequence",
    "from pathlib import Path",
    "import torch",
    "from safetensors.torch import load_file",
    "from torch import Tensor, nn",
    "from torch.nn import functional as F",
)
"""What a file may import, in this order."""

_OURS = ("nn.ModuleList", "nn.Sequential", "range", "sum")
"""What our writer calls to hold operators together."""

_CALLED = frozenset((*_OURS, *(name for op in ALL if op.python for name in op.python.calls)))
_BASES = frozenset(name.split(".")[0] for name in _CALLED if "." in name[1:])
_TYPES = frozenset(("int", "Sequence", "Tensor"))
_RETURNS = {"__init__": "None", "forward": "Tensor"}
_WORDS = "abcdefghijklmnopqrstuvwxyz"


def prove(text: str, facts: Mapping[str, str], docstring: str) -> None:
    """Raise CatError E609 where a file is no such file, or where its ABOUT or its docstring are not those meant."""
    if not all(c == "\n" or " " <= c <= "~" for c in text):
        raise _refused("it has characters that we do not write")
    try:
        body = ast.parse(text).body
        comments = [token for token in tokenize.generate_tokens(io.StringIO(text).readline)
                    if token.type == tokenize.COMMENT]  # fmt: skip
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError) as error:
        raise _refused(f"it cannot be parsed: {error}") from None
    _demand(bool(body) and _is_text(body[0]), text)
    first = body[0]
    if ast.literal_eval(first.value) != docstring:  # type: ignore[attr-defined]
        raise _refused("its docstring is another than was meant")
    at = _imports(body)
    _about(body[at], facts)
    start = next((i for i, node in enumerate(body) if isinstance(node, ast.FunctionDef) and node.name == "load"), None)
    if start is None:
        raise _refused("it has no `load`")
    line = body[start].lineno
    ending = ENDING.fullmatch("\n".join(text.split("\n")[line - 1 :]))
    known: set[str] = set()
    for node in body[at + 1 : start]:
        known.add(_Definition(known, text).proved(node))
    if ending is None or ending["name"] not in known:
        raise _refused("its end is not the one that we write", body[start])
    stray = [token for token in comments if token.start[0] < line]
    if stray:
        raise _refused("it has a comment among its classes", stray[0].start[0])


def _imports(body: Sequence[ast.stmt]) -> int:
    """The place behind the imports."""
    rest = iter(IMPORTS)
    at = 1
    while at < len(body) and isinstance(body[at], ast.Import | ast.ImportFrom):
        if ast.unparse(body[at]) not in rest:
            raise _refused("it imports what we do not", body[at])
        at += 1
    if at == len(body):
        raise _refused("it holds nothing")
    return at


def _about(node: ast.stmt, facts: Mapping[str, str]) -> None:
    match node:
        case ast.Assign(targets=[ast.Name(id="ABOUT")], value=ast.Dict(keys=keys, values=values)):
            pairs = zip(keys, values, strict=True)
            if all(isinstance(each, ast.Constant) for pair in pairs for each in pair):
                if ast.literal_eval(node.value) == dict(facts):
                    return
                raise _refused("its ABOUT is another than was meant", node)
    raise _refused("it has no ABOUT of plain texts", node)


class _Definition:
    """A class or a function of the file; `known` are those before it."""

    def __init__(self, known: set[str], text: str):
        self._known, self._text = known, text
        self._attributes: set[str] = set()
        self._local: set[str] = set()

    def proved(self, node: ast.stmt) -> str:
        match node:
            case ast.ClassDef(name=name, bases=[base], keywords=[], decorator_list=[], body=[about, *methods]):
                self._demand(ast.unparse(base) == "nn.Module" and _is_text(about), node)
                self._demand([getattr(m, "name", "") for m in methods] == list(_RETURNS), node)
                for method in methods:
                    self._function(method, method=True)
            case ast.FunctionDef(name=name):
                self._function(node, method=False)
            case _:
                raise _refused("outside of its functions it does something", node)
        self._demand(is_identifier(name) and name not in OF_FILE and name not in self._known, node)
        return name

    def _function(self, node: ast.stmt, *, method: bool) -> None:
        self._demand(isinstance(node, ast.FunctionDef), node)
        assert isinstance(node, ast.FunctionDef)
        given, args = node.args, list(node.args.args)
        more = (given.posonlyargs, given.kwonlyargs, given.defaults, given.kw_defaults, given.vararg, given.kwarg)
        self._demand(not any(more) and not node.decorator_list, node)
        if method:
            self._demand(bool(args) and args[0].arg == "self" and args.pop(0).annotation is None, node)
        self._demand(all(a.annotation is not None and ast.unparse(a.annotation) in _TYPES for a in args), node)
        returned = "" if node.returns is None else ast.unparse(node.returns)
        self._demand(returned == (_RETURNS[node.name] if method else "nn.Sequential"), node)
        body = node.body
        if not method:
            self._demand(_is_text(body[0]), node)
            body = body[1:]
        if node.name == "__init__":
            self._demand(ast.unparse(body[0]) == "super().__init__()", node)
            body = body[1:]
        self._local = set()
        for argument in args:
            self._new(argument.arg, node)
        for statement in body:
            self._statement(statement, making=node.name == "__init__")

    def _statement(self, node: ast.stmt, *, making: bool) -> None:
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value) if making:
                self._expression(value)
                self._demand(is_identifier(name) and not name.startswith("__") and name not in TAKEN, node)
                self._attributes.add(name)
            case ast.Assign(targets=[target], value=value):
                self._expression(value)
                self._target(target)
            case ast.Return(value=value) if value is not None:
                self._expression(value)
            case ast.For(target=target, iter=over, body=body, orelse=[]):
                self._expression(over)
                self._target(target)
                for inner in body:
                    self._statement(inner, making=False)
            case _:
                raise _refused("it does what we do not write", node)

    def _target(self, node: ast.expr) -> None:
        match node:
            case ast.Name(id=name):
                self._new(name, node)
            case ast.Tuple(elts=parts):
                for part in parts:
                    self._target(part)
            case _:
                raise _refused("it assigns to what we do not", node)

    def _new(self, name: str, node: ast.AST) -> None:
        # `block` and `branch` are the loops' own.
        self._demand(is_identifier(name) and (name not in OF_FILE or name in ("block", "branch")), node)
        self._local.add(name)

    def _expression(self, node: ast.expr | ast.keyword | ast.comprehension) -> None:
        match node:
            case ast.Constant(value=value):
                plain = value is None or type(value) in (bool, int, float)
                self._demand(plain or (type(value) is str and not value.strip(_WORDS)), node)
            case ast.Name(id=name):
                self._demand(name in self._local, node)
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                self._demand(name in self._attributes, node)
            case ast.Attribute(value=value, attr="shape"):
                self._expression(value)
            case ast.Call(func=func, args=args, keywords=keywords):
                self._called(func)
                for argument in (*args, *(k.value for k in keywords)):
                    self._expression(argument)
                self._demand(all(k.arg is not None for k in keywords), node)
            case ast.GeneratorExp(elt=element, generators=[ast.comprehension(target, over, [], 0)]):
                self._expression(over)
                before = set(self._local)
                self._target(target)
                self._expression(element)
                self._local = before
            case ast.Subscript(value=value, slice=part):
                self._expression(value)
                self._expression(part)
            case ast.BinOp() | ast.UnaryOp(op=ast.USub()) | ast.Starred() | ast.Tuple() | ast.List() | ast.Slice():
                for inner in ast.iter_child_nodes(node):
                    if isinstance(inner, ast.expr):
                        self._expression(inner)
            case _:
                raise _refused("it computes what we do not", node)

    def _called(self, func: ast.expr) -> None:
        match func:
            case ast.Name(id=name):
                self._demand(name in self._known or name in _CALLED or name in self._local, func)
            case ast.Attribute(value=ast.Name(id=base), attr=name) if base in _BASES:
                self._demand(f"{base}.{name}" in _CALLED, func)
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                self._demand(name in self._attributes, func)
            case ast.Attribute(value=value, attr=name):
                self._demand(f".{name}" in _CALLED, func)
                self._expression(value)
            case _:
                raise _refused("it calls what we do not", func)

    def _demand(self, holds: bool, node: ast.AST) -> None:
        if not holds:
            raise _refused(f"`{ast.get_source_segment(self._text, node) or ast.unparse(node)}` is not ours", node)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _demand(holds: bool, text: str) -> None:
    if not holds:
        raise _refused("it does not begin with a docstring")


def _refused(why: str, place: ast.AST | int | None = None) -> CatError:
    line = place if isinstance(place, int) else getattr(place, "lineno", None)
    where = "" if line is None else f" (line {line})"
    return CatError.one(
        "E609", f"the Python file was not run: {why.splitlines()[0][:200]}{where}",
        notes=("before it is run it is proved to hold nothing but a network; no file has been written",),
        help="export to another format, and please report this with the spec",
    )  # fmt: skip
