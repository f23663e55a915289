"""Grammar rules to tree nodes, from the leaves up and without recursion, so that depth costs no stack."""

from typing import Any

from lark import Token, v_args
from lark.tree import Meta
from lark.visitors import Transformer_NonRecursive

from catdsl.diagnostics import CatError, Span
from catdsl.syntax import tree

VERSION = 1
KEYWORDS = frozenset(
    [
        "param",
        "block",
        "generator",
        "discriminator",
        "input",
        "output",
        "return",
        "use",
        "from",
        "for",
        "in",
        "if",
        "else",
        "fixed",
        "tied",
        "step",
        "true",
        "false",
        "student",
    ]
)
# Deep enough for anything that a person writes; the recursive passes over the tree rely on it.
MAX_DEPTH = 100
# Larger than any count, size or cost that a network can have.
MAX_NUMBER = 10**18
_SCALE = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "ms": 1e-3, "us": 1e-6}


def number(text: str) -> tuple[int | float, str]:
    """Value and unit of a NUMBER; a value that is whole is an int. `%` stays a unit.

    Raises OverflowError beyond MAX_NUMBER.
    """
    digits = text.rstrip("KMGTmsu%")
    unit = text[len(digits) :]
    value = float(digits) * _SCALE.get(unit, 1)
    if value > MAX_NUMBER:
        raise OverflowError
    if not unit and digits.isdigit():
        return int(digits), unit
    return (round(value) if unit in ("K", "M", "G", "T") and value == round(value) else value), unit


@v_args(meta=True)
class TreeBuilder(Transformer_NonRecursive):
    """One method per rule or alias of `grammars/cat.lark`."""

    def __init__(self, file: str):
        super().__init__()
        self.file = file
        # Depth of each expression by identity of its node; nodes live as long as the parse.
        self._depths: dict[int, int] = {}
        self._kept: list[object] = []

    # ---- places ----

    def _span(self, meta: Meta) -> Span:
        if meta.empty:
            return Span(self.file, 1, 1, 1, 1)
        return Span(self.file, meta.line, meta.column, meta.end_line, meta.end_column)

    def _token_span(self, token: Token) -> Span:
        return Span(self.file, token.line, token.column, token.end_line, token.end_column)  # type: ignore[arg-type]

    def _ident(self, token: Token) -> tree.Ident:
        return tree.Ident(str(token), self._token_span(token))

    def _amount(self, token: Token) -> tuple[int | float, str]:
        """Value and unit of a number, after checking that it is no giant."""
        try:
            return number(str(token))
        except OverflowError:
            raise CatError.one(
                "E102", f"a number is larger than {MAX_NUMBER:,}, the limit", self._token_span(token)
            ) from None

    def _new_name(self, token: Token) -> tree.Ident:
        """A name that is being defined: keywords cannot be."""
        if str(token) in KEYWORDS:
            raise CatError.one(
                "E104", f"`{token}` is a keyword and cannot be a name",
                self._token_span(token), help=f"choose another name, for example `{token}_`",
            )  # fmt: skip
        return self._ident(token)

    def _nested(self, node: Any, *parts: object) -> Any:
        """`node`, after checking how deep its parts make it."""
        depth = 1 + max((self._depths.get(id(part), 0) for part in parts), default=0)
        if depth > MAX_DEPTH:
            raise CatError.one(
                "E103", f"an expression is nested more than {MAX_DEPTH} deep", node.span,
                help="split it into statements of their own",
            )  # fmt: skip
        self._depths[id(node)] = depth
        self._kept.append(node)
        return node

    # ---- expressions ----

    def number(self, meta, children):
        value, unit = self._amount(children[0])
        return tree.Number(value, unit, self._span(meta))

    def string(self, meta, children):
        return tree.Text(str(children[0])[1:-1], self._span(meta))

    def true(self, meta, _):
        return tree.Truth(True, self._span(meta))

    def false(self, meta, _):
        return tree.Truth(False, self._span(meta))

    def name(self, meta, children):
        return tree.Name(str(children[0]), self._span(meta))

    def group(self, meta, children):
        return self._nested(children[0], *children)  # no node of its own, but as deep as one

    def list(self, meta, children):
        items = tuple(children[0] or ())
        return self._nested(tree.ListOf(items, self._span(meta)), *items)

    def list_each(self, meta, children):
        return children[0]

    def comprehension(self, meta, children):
        body, name, source = children
        node = tree.Each(body, self._new_name(name), source, self._span(meta))
        return self._nested(node, body, source)

    def items(self, meta, children):
        return children

    def arguments(self, meta, children):
        return children

    def each_argument(self, meta, children):
        return children[0]

    def positional(self, meta, children):
        return self._nested(tree.Argument(None, children[0], self._span(meta)), children[0])

    def keyword(self, meta, children):
        name, value = children
        return self._nested(tree.Argument(self._ident(name), value, self._span(meta)), value)

    def call(self, meta, children):
        callee, arguments = children
        given = arguments if isinstance(arguments, tree.Each) else tuple(arguments or ())
        parts = (given,) if isinstance(given, tree.Each) else given
        return self._nested(tree.Call(self._ident(callee), given, self._span(meta)), *parts)

    def pipe(self, meta, children):
        source, *stages = children
        return self._nested(tree.Pipe(source, tuple(stages), self._span(meta)), *children)

    def binary(self, meta, children):
        left, op, right = children
        node = tree.Binary(str(op), left, right, self._token_span(op), self._span(meta))
        return self._nested(node, left, right)

    compare = binary

    def negate(self, meta, children):
        return self._nested(tree.Negate(children[1], self._span(meta)), children[1])

    def choose(self, meta, children):
        return self._nested(tree.Choose(*children, self._span(meta)), *children)

    def attribute(self, meta, children):
        target, name = children
        return self._nested(tree.Attribute(target, self._ident(name), self._span(meta)), target)

    def index(self, meta, children):
        return self._nested(tree.Index(*children, self._span(meta)), *children)

    def bounded(self, meta, children):
        count, low, _, high, step = children
        return self._nested(tree.Bounded(count, low, high, step, self._span(meta)), count, low, high, step)

    def fixed(self, meta, children):
        return self._nested(tree.Fixed(children[0], self._span(meta)), children[0])

    def tied(self, meta, children):
        return self._nested(tree.Tied(children[0], self._span(meta)), children[0])

    # ---- statements and items ----

    def assign(self, meta, children):
        *names, value = children
        return tree.Assign(tuple(self._new_name(n) for n in names), value, self._span(meta))

    def return_(self, meta, children):
        return tree.Return(children[0], self._span(meta))

    def input(self, meta, children):
        name, kind, arguments = children
        if isinstance(arguments, tree.Each):
            raise CatError.one("E207", "an input takes sizes, not a comprehension", arguments.span)
        return tree.Input(self._new_name(name), self._ident(kind), tuple(arguments or ()), self._span(meta))

    def output(self, meta, children):
        return tree.Output(children[0], self._span(meta))

    def names(self, meta, children):
        return tuple(self._new_name(n) for n in children)

    def library_file(self, meta, children):
        return str(children[0])[1:-1], True, self._span(meta)

    def library_module(self, meta, children):
        return children[0], False, self._span(meta)

    def dotted(self, meta, children):
        return ".".join(children)

    def use(self, meta, children):
        names, (library, is_file, span) = children
        return tree.Use(names, library, is_file, span, self._span(meta))

    def param(self, meta, children):
        name, default = children
        return tree.Param(self._new_name(name), default, self._span(meta))

    def formal(self, meta, children):
        name, default = children
        return tree.Formal(self._new_name(name), default, self._span(meta))

    def formals(self, meta, children):
        return tuple(children)

    def block(self, meta, children):
        name, formals, *statements = children
        return tree.Block(self._new_name(name), formals or (), tuple(statements), self._span(meta))

    def generator(self, meta, children):
        return tree.Network("generator", self._new_name(children[0]), tuple(children[1:]), self._span(meta))

    def discriminator(self, meta, children):
        return tree.Network("discriminator", self._new_name(children[0]), tuple(children[1:]), self._span(meta))

    def pair(self, meta, children):
        return tree.Pair(self._ident(children[0]), children[1], self._span(meta))

    def pairs(self, meta, children):
        return tuple(children)

    def settings(self, meta, children):
        return tree.SettingsBlock(self._ident(children[0]), children[1] or (), self._span(meta))

    def count(self, meta, children):
        path, amount = children
        count, _ = self._amount(amount)
        if not isinstance(count, int):
            raise CatError.one("E207", f"a width is a whole number, got {amount}", self._token_span(amount))
        return tree.WidthCount(self._ident(path), count, self._span(meta))

    def counts(self, meta, children):
        return tuple(children)

    def student_set(self, meta, children):
        return "parameters", children[0] or ()

    def student_widths(self, meta, children):
        return "widths", children[0] or ()

    def student_budget(self, meta, children):
        return "budget", children[0] or ()

    def student(self, meta, children):
        spec, digest, *sections = children
        parts: dict[str, tuple] = {"parameters": (), "widths": (), "budget": ()}
        for key, value in sections:
            parts[key] += value
        return tree.Student(
            self._text(spec), self._text(digest) if digest else None,
            parts["parameters"], parts["widths"], parts["budget"], self._span(meta),
        )  # fmt: skip

    def _text(self, token: Token) -> tree.Text:
        return tree.Text(str(token)[1:-1], self._token_span(token))

    def version(self, meta, children):
        token = children[0]
        if str(token) != str(VERSION):
            raise CatError.one(
                "E105",
                f"language version {token} is not known to this catdsl, which reads version {VERSION}",
                self._token_span(token), help=f"write `cat {VERSION}`, or use a newer catdsl",
            )  # fmt: skip
        return None

    def program(self, meta, children):
        return tree.Program(tuple(c for c in children if c is not None), self._span(meta))


# `return` is a Python keyword, so the rule's method has another name.
setattr(TreeBuilder, "return", TreeBuilder.return_)
