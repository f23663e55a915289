"""Arguments of a call against the table of an operator: names, kinds, ranges, words, defaults."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catdsl.diagnostics import Span
from catdsl.diagnostics.suggest import did_you_mean
from catdsl.ir.op import REQUIRED, Arg, Kind
from catdsl.ir.shapes import WidthForm
from catdsl.semantics.arithmetic import is_number, whole
from catdsl.semantics.report import Report
from catdsl.semantics.values import POISON, Poison, Repeated, Size, Tensor, Word, describe, plain


@dataclass(frozen=True, slots=True)
class Given:
    """One argument as evaluated, with its place; `name` where it was given by keyword."""

    value: Any
    span: Span
    name: str | None = None
    text: str = ""


def bind(
    word: str,
    args: Sequence[Arg],
    given: Sequence[Given],
    style: Mapping[str, Any],
    *,
    span: Span,
    report: Report,
) -> dict[str, Any] | Poison:
    """Values of all arguments of operator `word`, or poison after reporting what is wrong."""
    if not args and not given:
        return {}
    table = {a.name: a for a in args}
    positional = [a for a in args if not a.keyword_only]
    bound: dict[str, Any] = {}
    failed = misplaced = False
    for item in given:
        arg = _target(word, item, table, positional, bound, report)
        value = POISON if arg is None else _checked(word, arg, item, report)
        failed |= value is POISON
        misplaced |= arg is None
        if arg is not None:
            bound[arg.name] = value
    for arg in args:
        if arg.name in bound:
            continue
        default = style[arg.style] if arg.style else arg.default
        if default is REQUIRED:
            failed = True
            # What was given under a wrong name is not missing besides.
            if not misplaced:
                report.error(
                    "E205", f"`{word}` needs its argument `{arg.name}`: {arg.summary or arg.kind.value}",
                    span, help=f"write {_usage(word, args)}",
                )  # fmt: skip
        bound[arg.name] = default
    return POISON if failed else bound


def _target(
    word: str,
    item: Given,
    table: Mapping[str, Arg],
    positional: Sequence[Arg],
    bound: Mapping[str, Any],
    report: Report,
) -> Arg | None:
    """Which argument an item is for."""
    if item.name is not None:
        arg = table.get(item.name)
        if arg is None:
            names = ", ".join(f"`{n}`" for n in table)
            known = f"its arguments are {names}" if table else "it takes none by name"
            report.error(
                "E204", f"`{word}` has no argument `{item.name}`", item.span,
                help=did_you_mean(item.name, table, otherwise=known),
            )  # fmt: skip
            return None
        if item.name in bound:
            report.error("E204", f"`{item.name}` is given twice to `{word}`", item.span, help="remove one")
            return None
        return arg
    # Only a word, or a string that was meant as one, is for an argument that takes words.
    wordlike = isinstance(item.value, Word | str | Poison)
    free = [a for a in positional if a.name not in bound and (wordlike or a.kind is not Kind.WORD)]
    if isinstance(item.value, Word):
        taking = [a for a in table.values() if a.name not in bound and item.value.text in a.choices]
        free = taking or free
    if not free and item.value is POISON:
        return None
    if not free:
        report.error(
            "E204", f"`{word}` takes no further argument by place, got {describe(item.value)}", item.span,
            help=f"write {_usage(word, tuple(table.values()))}",
        )  # fmt: skip
        return None
    return free[0]


def _usage(word: str, args: Sequence[Arg]) -> str:
    parts = [f"{a.name} = ..." if a.keyword_only else a.name for a in args]
    return f"{word}({', '.join(parts)})" if parts else f"`{word}` alone"


def _checked(word: str, arg: Arg, item: Given, report: Report) -> Any:
    """The value as the argument's kind wants it, or poison."""
    value = item.value
    if value is POISON or (isinstance(value, tuple) and POISON in value):
        return POISON
    if value is None:
        return None
    taken = _TAKE[arg.kind](arg, value)
    if taken is None:
        return report.error(
            "E207", f"`{arg.name}` of `{word}` takes {_wanted(arg)}, got {describe(value)}", item.span,
            help=_instead(arg, value),
        )  # fmt: skip
    number = taken.count if isinstance(taken, WidthForm) else taken
    low = 0 if arg.kind is Kind.WIDTH else arg.low
    if arg.kind in (Kind.INT, Kind.NUMBER, Kind.WIDTH) and not _within(number, low, arg.high):
        return report.error(
            "E307", f"`{arg.name}` of `{word}` must be {_range(low, arg.high)}, got {number}", item.span
        )
    return taken


def _instead(arg: Arg, value: Any) -> str:
    """What to write in place of a value of the wrong kind."""
    if isinstance(value, Word):
        return did_you_mean(value.text, arg.choices)
    if isinstance(value, str) and value in arg.choices:
        return f"write {value} without quotes"
    if isinstance(value, str) and _is_written_number(value):
        return f"write {value} without quotes"
    if arg.kind is Kind.WIDTH and isinstance(value, Tensor | Repeated):
        return "the width of a tensor `x` is `x.channels`"
    return ""


def _is_written_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _within(number: float, low: float | None, high: float | None) -> bool:
    return (low is None or number >= low) and (high is None or number <= high)


def _range(low: float | None, high: float | None) -> str:
    if high is None:
        return f"at least {low:g}"
    return f"at most {high:g}" if low is None else f"between {low:g} and {high:g}"


def _wanted(arg: Arg) -> str:
    if arg.kind is Kind.WORD:
        return "one of " + ", ".join(arg.choices)
    if arg.kind is Kind.WIDTH:
        return "a whole number or a width form such as `64 in 8..48`"
    return arg.kind.value


def _width(arg: Arg, value: Any) -> WidthForm | None:
    if isinstance(value, WidthForm):
        return value
    whole = _int(arg, value)
    return None if whole is None else WidthForm(whole)


def _int(arg: Arg, value: Any) -> int | None:
    if isinstance(value, WidthForm):
        return value.count
    return whole(value)


def _number(arg: Arg, value: Any) -> float | None:
    return plain(value) if is_number(value) else None


def _bool(arg: Arg, value: Any) -> bool | str | None:
    if isinstance(value, Word) and value.text == "auto" and arg.name == "bias":
        return "auto"
    return value if isinstance(value, bool) else None


def _word(arg: Arg, value: Any) -> str | None:
    return value.text if isinstance(value, Word) and value.text in arg.choices else None


def _sizes(arg: Arg, value: Any) -> tuple[Any, Any] | None:
    if not isinstance(value, tuple) or len(value) != 2:
        return None
    height, width = (v if isinstance(v, Size) else _int(arg, v) for v in value)
    return None if height is None or width is None else (height, width)


def _tensor(arg: Arg, value: Any) -> Tensor | None:
    return tensor_of(value)


def tensor_of(value: Any) -> Tensor | None:
    """A tensor value; of a repeat, its last tensor."""
    if isinstance(value, Repeated):
        return value.last
    return value if isinstance(value, Tensor) else None


_TAKE: dict[Kind, Callable[[Arg, Any], Any]] = {
    Kind.WIDTH: _width, Kind.INT: _int, Kind.NUMBER: _number, Kind.BOOL: _bool,
    Kind.WORD: _word, Kind.SIZES: _sizes, Kind.TENSOR: _tensor,
}  # fmt: skip
