"""Sizes that follow the real input: `seg.height // 64` as a small expression over a node's inputs.

An expression is a number, a reference `("height" | "width", input)`, or an operation
`(op, left, right)` with op among `OPERATIONS`: plain tuples, so that they live in JSON. A node refers
to its inputs by index; where no node has them yet, a reference holds the name of a node.
"""

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

SizeExpr = int | float | tuple[Any, ...]
Size = tuple[SizeExpr, SizeExpr]

# The most operations that a size may take: each is carried out when an image is translated.
MAX_SIZE_OPERATIONS = 100

# Floats below this are divided by whole numbers alone; a side times the other stays exact.
_SMALL = 2**20


def scaled(size: Any, factor: float) -> Any:
    """`int(size * factor)`; by whole numbers where that is the same, so that a traced size stays a symbol."""
    above, below = float(factor).as_integer_ratio()
    if max(above, below) < _SMALL:
        return size * above // below
    return math.trunc(size * factor)


OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "min": min,
    "max": max,
    "scaled": scaled,
}
_NEUTRAL = {"+": 0, "-": 0, "*": 1, "//": 1, "scaled": 1}


def evaluate(expr: SizeExpr, sizes: Sequence[tuple[Any, Any]]) -> Any:
    """The value where input i has `sizes[i] == (height, width)`: numbers, expressions or fx proxies."""
    if not isinstance(expr, tuple):
        return expr
    head, *rest = expr
    if head in ("height", "width"):
        return sizes[rest[0]][0 if head == "height" else 1]
    left, right = (evaluate(part, sizes) for part in rest)
    return combine(head, left, right)


def combine(op: str, left: Any, right: Any) -> Any:
    """`left op right`: carried out where both are known, an expression where one is."""
    if not isinstance(left, tuple) and not isinstance(right, tuple):
        return OPERATIONS[op](left, right)
    if op == "+" and isinstance(left, tuple) and left[0] == "+" and isinstance(left[2], int) and isinstance(right, int):
        return combine("+", left[1], left[2] + right)
    return left if right == _NEUTRAL.get(op) else (op, left, right)


def slide(size: SizeExpr, padding: int, reach: int, stride: int) -> Any:
    """Places of a window that covers `reach` pixels, `padding` more on each side."""
    return combine("+", combine("//", combine("+", size, 2 * padding - reach), stride), 1)


def indexed(expr: SizeExpr, nodes: list[str]) -> SizeExpr:
    """References by node name become indices into a node's inputs, which grow as needed."""
    if not isinstance(expr, tuple):
        return expr
    head, *rest = expr
    if head in ("height", "width"):
        if rest[0] not in nodes:
            nodes.append(rest[0])
        return (head, nodes.index(rest[0]))
    return (head, *(indexed(part, nodes) for part in rest))


def operations(expr: SizeExpr) -> int:
    """How many operations an expression holds, shared parts counted as often as they are used."""
    if not isinstance(expr, tuple) or expr[0] in ("height", "width"):
        return 0
    return 1 + sum(map(operations, expr[1:]))
