"""Arithmetic on the numbers of the language, keeping how counts and sizes came about."""

import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from catdsl.ir.linear import Linear
from catdsl.ir.size import MAX_SIZE_OPERATIONS, SizeExpr, operations
from catdsl.semantics.values import Count, Share, Size, describe, plain
from catdsl.syntax.build import MAX_NUMBER


class Uncountable(Exception):
    """A calculation that has no result; the message says why, and the code what kind of mistake it is."""

    def __init__(self, message: str, code: str = "E212"):
        super().__init__(message)
        self.code = code


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def is_number(value: Any) -> bool:
    return isinstance(value, int | float | Count | Size | Share) and not isinstance(value, bool)


def whole(value: Any) -> int | None:
    """A number of the language that is whole, `1e1` too; None for any other value."""
    number = plain(value)
    if not is_number(value) or number != number // 1:
        return None
    return int(number)


def compare(op: str, left: Any, right: Any) -> bool:
    """A comparison; equality holds for any two values, order for numbers."""
    a, b = plain(left), plain(right)
    if op in ("==", "!=") or (is_number(a) and is_number(b)):
        return bool(_COMPARE[op](a, b))
    raise Uncountable(f"only numbers can be ordered, got {describe(left)} and {describe(right)}")


def calculate(op: str, left: Any, right: Any) -> Any:
    """`left op right` for two numbers. Raises Uncountable for a division by 0 and for giants."""
    if isinstance(left, Count) or isinstance(right, Count):
        result = _counted(op, left, right)
        _bounded(result.value if isinstance(result, Count) else result)
        return result
    if isinstance(left, Size) or isinstance(right, Size):
        return _sized(op, left, right)
    return _bounded(_plain(op, plain(left), plain(right)))


def least(op: str, left: Any, right: Any) -> Any:
    """`min` or `max` of two numbers; of sizes it still follows the real input."""
    chosen = (min if op == "min" else max)(plain(left), plain(right))
    if isinstance(left, Size) or isinstance(right, Size):
        return _following(chosen, op, left, right)
    return chosen


def _plain(op: str, a: Any, b: Any) -> Any:
    match op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
    if b == 0:
        raise Uncountable("division by 0")
    match op:
        case "/":
            exact = isinstance(a, int) and isinstance(b, int) and a % b == 0
            return a // b if exact else a / b
        case "//":
            return a // b
        case "%":
            return a % b
    raise AssertionError(op)


def _bounded(value: Any) -> Any:
    if abs(value) > MAX_NUMBER:
        raise Uncountable(f"the result is larger than {MAX_NUMBER:,}")
    return value


def _fraction(value: Any) -> Fraction:
    """The number as it is written: 0.1 is a tenth, not the nearest binary fraction."""
    if isinstance(value, Count):
        return value.value
    if isinstance(value, Share):
        return Fraction(str(value.percent)) / 100
    return Fraction(str(plain(value)))


def _form(value: Any) -> Linear:
    return value.form if isinstance(value, Count) else Linear((), _fraction(value))


def _counted(op: str, left: Any, right: Any) -> Any:
    """Counts keep their linear form through + - * / by numbers, and decay to numbers elsewhere."""
    match op:
        case "+" | "-":
            sign = Fraction(1 if op == "+" else -1)
            return Count(_fraction(left) + sign * _fraction(right), _form(left).plus(_form(right), sign))
        case "*" if not (isinstance(left, Count) and isinstance(right, Count)):
            count, factor = (left, right) if isinstance(left, Count) else (right, left)
            return Count(count.value * _fraction(factor), count.form.times(_fraction(factor)))
        case "/" if isinstance(left, Count) and not isinstance(right, Count):
            if plain(right) == 0:
                raise Uncountable("division by 0")
            return Count(left.value / _fraction(right), left.form.times(1 / _fraction(right)))
    return _bounded(_plain(op, plain(left), plain(right)))


def _expr(value: Any) -> SizeExpr:
    if isinstance(value, Size):
        return value.expr
    number = plain(value)
    if not isinstance(number, int):
        raise Uncountable("a size is calculated with whole numbers")
    return number


def _sized(op: str, left: Any, right: Any) -> Any:
    """Sizes follow the input through + - * //; an exact / counts as //."""
    value = _plain(op, plain(left), plain(right))
    if op == "/" and isinstance(value, int):
        op = "//"
    if op not in ("+", "-", "*", "//"):
        return _bounded(value)
    return _following(_bounded(value), op, left, right)


def _following(value: int, op: str, left: Any, right: Any) -> Size:
    expr = (op, _expr(left), _expr(right))
    if operations(expr) > MAX_SIZE_OPERATIONS:
        raise Uncountable(f"a size takes more than {MAX_SIZE_OPERATIONS} operations, the limit", "E103")
    return Size(value, expr)
