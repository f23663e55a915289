"""How an operator is written in Python: pieces of code as values, which `catdsl/export/source` lays out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catdsl.ir.op import Site

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True, slots=True)
class Slot:
    """A number in which networks of one structure may differ; `role` says what it is."""

    role: str
    value: int


@dataclass(frozen=True, slots=True)
class Halved:
    """Half of a slot, rounded down: the padding that keeps the size."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Raw:
    """Code as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call; arguments whose keyword is None are given by place."""

    head: str
    args: tuple[tuple[str | None, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """A list display."""

    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class For:
    """A generator: an element and its loop, with a star where a call takes its elements one by one."""

    element: Call
    loop: str
    star: bool


def call(head: str, *values: Any, **named: Any) -> Call:
    return Call(head, (*((None, v) for v in values), *named.items()))


def flat(value: Any) -> str:
    """A value on one line."""
    match value:
        case Raw(text):
            return text
        case Slot(_, number):
            return str(number)
        case Halved(slot):
            return str(slot.value // 2)
        case Call(head, args):
            return f"{head}({', '.join(argument(k, flat(v)) for k, v in args)})"
        case str():
            return literal(value)
        case For(element, loop, star):
            return f"*({flat(element)} {loop})" if star else f"{flat(element)} {loop}"
        case Listed(items):
            return f"[{', '.join(flat(v) for v in items)}]"
        case tuple():
            inner = ", ".join(flat(v) for v in value)
            return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)


def given(**values: tuple[Any, Any]) -> dict[str, Any]:
    """Arguments that are not as they are by default, which is the second of each pair."""
    return {name: value for name, (value, default) in values.items() if value != default}


Expression = Callable[["Site", Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class Writing:
    """`module(site)` is what is constructed, None where it is not; `expression(site, names)` what is computed.

    What has weights has no expression. `calls` are the functions, classes and methods (`.clamp`) of torch
    and Python in either: no other is let into a file (`catdsl/export/source/proof.py`).
    """

    module: "Callable[[Site], Call | None] | None" = None
    expression: Expression | None = None
    calls: tuple[str, ...] = ()


def literal(text: str) -> str:
    """A string literal, in ASCII and on one line, of any text."""
    # As formatters have it: the quotes that need fewer escapes.
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(f"\\{c}" if c == quote else _escaped(c) for c in text) + quote


def _escaped(char: str) -> str:
    if " " <= char <= "~":
        return _ESCAPES.get(char, char)
    code = ord(char)
    if char in _ESCAPES:
        return _ESCAPES[char]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def argument(keyword: str | None, text: str) -> str:
    """An argument of a call, by keyword or by place."""
    return f"{keyword}={text}" if keyword else text
