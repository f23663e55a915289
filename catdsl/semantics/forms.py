"""Width forms: `64 in 8..48 step 8`, `fixed 64`, `tied x.channels / 2`, and forms given on as arguments."""

from collections.abc import Callable
from typing import Any

from catdsl.diagnostics import Span
from catdsl.ir.shapes import WidthForm
from catdsl.ir.widths import Range
from catdsl.semantics.arithmetic import whole
from catdsl.semantics.report import Report
from catdsl.semantics.values import POISON, Count, Poison, Repeated, Tensor, describe
from catdsl.syntax import tree

Form = tree.Bounded | tree.Fixed | tree.Tied
Evaluate = Callable[[tree.Expr], Any]


def width_form(expr: Form, evaluate: Evaluate, *, floor: int, report: Report) -> WidthForm | Poison:
    """The form that stands at an argument.

    A form that was given on by a caller keeps its own bounds and tie, so that both hold.
    """
    count = evaluate(expr.count)
    if count is POISON:
        return POISON
    if isinstance(expr, tree.Tied):
        return _tied(expr, count, floor, report)
    form = count if isinstance(count, WidthForm) else _counted(count, expr.span, report)
    if not isinstance(form, WidthForm):
        return POISON
    if isinstance(expr, tree.Fixed):
        bounds: Range | None = Range(form.count, form.count, 1, expr.span, "fixed")
    else:
        bounds = _bounds(expr, evaluate, form, floor, report)
    return POISON if bounds is None else WidthForm(form.count, (*form.bounds, bounds), form.tie)


def _counted(value: Any, span: Span, report: Report) -> WidthForm | Poison:
    number = whole(value)
    if number is None or number < 0:
        return report.error("E207", f"a width is a whole number, got {describe(value)}", span)
    return WidthForm(number)


def _tied(expr: tree.Tied, value: Any, floor: int, report: Report) -> WidthForm | Poison:
    example = "write for example `tied x.channels / 2`"
    if isinstance(value, WidthForm):
        return value
    if isinstance(value, Tensor | Repeated):
        name = expr.count.text if isinstance(expr.count, tree.Name) else "x"
        return report.error(
            "E305", "`tied` needs the width of a tensor, got the tensor itself", expr.count.span,
            help=f"write `tied {name}.channels`",
        )  # fmt: skip
    if not isinstance(value, Count):
        sign, span = _forgetting(expr.count) or ("", expr.span)
        message = f"`{sign}` forgets the width that it is calculated from, and `tied` needs it"
        if not sign:
            message = f"`tied` needs the width of a tensor, got {describe(value)}"
        return report.error("E305", message, span, help=example)
    if value.value.denominator != 1:
        return report.error(
            "E305", f"`tied` would make {value.value} channels, which is no whole number", expr.span,
            help=f"give the width that is followed a multiple of {value.value.denominator} channels",
        )  # fmt: skip
    count = int(value.value)
    default = Range(min(floor, count), None, 1, expr.span, f"the floor of {floor}")
    return WidthForm(count, (default,), value.form)


def _forgetting(expr: tree.Expr) -> tuple[str, Span] | None:
    """The outermost operation that gives a plain number where a width was calculated with."""
    match expr:
        case tree.Binary(op="//" | "%"):
            return expr.op, expr.op_span
        case tree.Binary():
            return _forgetting(expr.left) or _forgetting(expr.right)
        case tree.Call() if expr.callee.text in ("min", "max"):
            return expr.callee.text, expr.callee.span
    return None


def _bounds(expr: tree.Bounded, evaluate: Evaluate, form: WidthForm, floor: int, report: Report) -> Range | None:
    parts = [_bound(part, evaluate, report) for part in (expr.low, expr.high, expr.step)]
    if POISON in parts:
        return None
    low, high, step = parts
    if expr.step is not None and step < 1:
        report.error("E307", f"a step is at least 1, got {step}", expr.step.span)
        return None
    if low is not None and high is not None and low > high:
        report.error("E303", f"the bounds {low}..{high} hold no number", expr.span, help=f"write {high}..{low}")
        return None
    shown = f"the bounds {'' if low is None else low}..{'' if high is None else high}"
    shown += f" step {step}" if step is not None else ""
    shown += f" with the floor of {floor}" if low is None else ""
    # A low bound above the teacher's count is the teacher's count: a small teacher stays legal.
    lowest = min(floor if low is None else low, form.count)
    return Range(lowest, high, step or 1, expr.span, shown)


def _bound(expr: tree.Expr | None, evaluate: Evaluate, report: Report) -> Any:
    if expr is None:
        return None
    value = evaluate(expr)
    number = None if value is POISON else whole(value)
    if value is POISON or (number is not None and number >= 0):
        return value if value is POISON else number
    return report.error("E207", f"a bound is a whole number, got {describe(value)}", expr.span)
