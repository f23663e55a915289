"""What expressions evaluate to. Numbers, strings, truths and lists are Python's own."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from catdsl.ir.linear import Linear
from catdsl.ir.shapes import WidthForm
from catdsl.ir.size import SizeExpr


@dataclass(frozen=True, slots=True)
class Tensor:
    """A node's tensor. `label` is how the spec writes it (`body[2]`), where it has a name."""

    node: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Repeated:
    """The value of a statement with a repeat: the last tensor, and each step's for indexing."""

    steps: tuple[Tensor, ...]
    last: Tensor


@dataclass(frozen=True, slots=True)
class Word:
    """A name that is a choice of an argument or a setting: `reflect`, `paper`."""

    text: str


@dataclass(frozen=True, slots=True)
class Share:
    """`25%`"""

    percent: int | float

    @property
    def fraction(self) -> float:
        return self.percent / 100

    def __str__(self) -> str:
        return f"{self.percent:.16g}%"


@dataclass(frozen=True, slots=True)
class Count:
    """`x.channels` and what is calculated from it: the teacher's number, and its linear form."""

    value: Fraction
    form: Linear


@dataclass(frozen=True, slots=True)
class Size:
    """`t.height` and what is calculated from it: the declared number, and how it follows the input.

    References in `expr` are `("height" | "width", node name)`.
    """

    value: int
    expr: SizeExpr


class Poison:
    """What a mistake leaves behind: using it is no second mistake."""


POISON = Poison()


def plain(value: Any) -> Any:
    """A number without its history: the teacher's count, the declared size."""
    if isinstance(value, Count):
        return int(value.value) if value.value.denominator == 1 else float(value.value)
    if isinstance(value, Size):
        return value.value
    if isinstance(value, Share):
        return value.fraction
    return value


def describe(value: Any) -> str:
    """The kind of a value, for messages."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case Count() | Size():
            return f"the number {plain(value)}"
        case Share():
            return f"the share {value}"
        case str():
            return f'the string "{value[:40]}"'
        case Word():
            return f"the word `{value.text}`"
        case Tensor() | Repeated():
            return "a tensor"
        case tuple():
            return f"a list of {len(value)}"
        case WidthForm():
            return "a width form"
    return "a block"
