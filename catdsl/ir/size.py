"""Sizes that follow the real input: `seg.height // 64` as a small expression over a node's inputs.

An expression is an int, a reference `("height" | "width", input index)`, or an operation
`(op, left, right)` with op among `+ - * // min max`: plain tuples, so that they live in JSON.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

SizeExpr = int | tuple[Any, ...]

OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "min": min,
    "max": max,
}


def evaluate(expr: SizeExpr, sizes: Sequence[tuple[Any, Any]]) -> Any:
    """The value where input i has `sizes[i] == (height, width)`. Works on ints and on fx proxies."""
    if isinstance(expr, int):
        return expr
    head, *rest = expr
    if head in ("height", "width"):
        return sizes[rest[0]][0 if head == "height" else 1]
    left, right = (evaluate(part, sizes) for part in rest)
    return OPERATIONS[head](left, right)


def operations(expr: SizeExpr) -> int:
    """How many operations an expression holds, shared parts counted as often as they are used."""
    if isinstance(expr, int) or expr[0] in ("height", "width"):
        return 0
    return 1 + sum(map(operations, expr[1:]))
