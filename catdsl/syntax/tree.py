"""The syntax tree: frozen dataclasses, one per construct, each with its span."""

from dataclasses import dataclass

from catdsl.diagnostics import Span


@dataclass(frozen=True, slots=True)
class Ident:
    text: str
    span: Span


# ---- expressions ----


@dataclass(frozen=True, slots=True)
class Number:
    """`64`, `2.6G`, `12ms`; a share such as `25%` has `unit == "%"` and its value in percent."""

    value: int | float
    unit: str
    span: Span


@dataclass(frozen=True, slots=True)
class Text:
    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Truth:
    value: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Name:
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class ListOf:
    items: tuple["Expr", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Each:
    """`body for name in source`, in brackets or as the only argument of a call."""

    body: "Expr"
    name: Ident
    source: "Expr"
    span: Span


@dataclass(frozen=True, slots=True)
class Argument:
    name: Ident | None
    value: "Value"
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    callee: Ident
    arguments: tuple[Argument, ...] | Each
    span: Span


@dataclass(frozen=True, slots=True)
class Pipe:
    """`source -> stages[0] -> stages[1] ...`"""

    source: "Expr"
    stages: tuple["Expr", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic and comparisons; `op_span` is the operator itself."""

    op: str
    left: "Expr"
    right: "Expr"
    op_span: Span
    span: Span


@dataclass(frozen=True, slots=True)
class Negate:
    operand: "Expr"
    span: Span


@dataclass(frozen=True, slots=True)
class Choose:
    """`then if condition else otherwise`"""

    then: "Expr"
    condition: "Expr"
    otherwise: "Expr"
    span: Span


@dataclass(frozen=True, slots=True)
class Attribute:
    target: "Expr"
    name: Ident
    span: Span


@dataclass(frozen=True, slots=True)
class Index:
    target: "Expr"
    index: "Expr"
    span: Span


Expr = (
    Number | Text | Truth | Name | ListOf | Each | Call | Pipe
    | Binary | Negate | Choose | Attribute | Index
)  # fmt: skip


# ---- width forms, where an argument stands ----


@dataclass(frozen=True, slots=True)
class Bounded:
    """`count in low..high step n`"""

    count: Expr
    low: Expr | None
    high: Expr | None
    step: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Fixed:
    count: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Tied:
    count: Expr
    span: Span


Value = Expr | Bounded | Fixed | Tied


# ---- statements ----


@dataclass(frozen=True, slots=True)
class Assign:
    names: tuple[Ident, ...]
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Return:
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Input:
    name: Ident
    kind: Ident
    arguments: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Output:
    value: Expr
    span: Span


# ---- items ----


@dataclass(frozen=True, slots=True)
class Use:
    names: tuple[Ident, ...]
    library: str
    is_file: bool
    library_span: Span
    span: Span


@dataclass(frozen=True, slots=True)
class Param:
    name: Ident
    default: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Formal:
    name: Ident
    default: Value | None
    span: Span


@dataclass(frozen=True, slots=True)
class Block:
    name: Ident
    formals: tuple[Formal, ...]
    statements: tuple[Assign | Return, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Network:
    """A `generator` or a `discriminator`: `kind` says which."""

    kind: str
    name: Ident
    members: tuple[Input | Assign | Output, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Pair:
    key: Ident
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class SettingsBlock:
    name: Ident
    pairs: tuple[Pair, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class WidthCount:
    path: Ident
    count: int
    span: Span


@dataclass(frozen=True, slots=True)
class Student:
    """The result of a search: which spec, with which parameters, and every width it chose."""

    spec: Text
    digest: Text | None
    parameters: tuple[Pair, ...]
    widths: tuple[WidthCount, ...]
    budget: tuple[Pair, ...]
    span: Span


Item = Use | Param | Block | Network | SettingsBlock | Student


@dataclass(frozen=True, slots=True)
class Program:
    items: tuple[Item, ...]
    span: Span
