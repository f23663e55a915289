"""Evaluation of expressions: names, arithmetic, lists, pipelines, repeats, width forms."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import islice
from typing import Any, Protocol

from catdsl.diagnostics import Span
from catdsl.diagnostics.suggest import did_you_mean
from catdsl.ir.builder import GraphBuilder
from catdsl.semantics.arithmetic import Uncountable, calculate, compare, is_number, whole
from catdsl.semantics.binding import Given, tensor_of
from catdsl.semantics.forms import width_form
from catdsl.semantics.meant import meant_name
from catdsl.semantics.report import Report
from catdsl.semantics.scope import NodeNames, Scope
from catdsl.semantics.values import (
    POISON,
    Count,
    Repeated,
    Share,
    Size,
    Tensor,
    Word,
    describe,
)  # fmt: skip
from catdsl.syntax import tree

MAX_ITEMS = 10_000
MAX_STEPS = 250_000
# Python's stack holds about a thousand calls, and each level of an expression takes several.
MAX_NESTING = 120


class Caller(Protocol):
    """Applies operators and blocks; the other half of evaluation, in calls.py."""

    def call(self, callee: tree.Ident, given: Sequence[Given], *, scope: Scope, path: str, span: Span) -> Any: ...
    def words(self, callee: str, argument: str | None, scope: Scope) -> frozenset[str]: ...
    def join(self, op: str, left: Given, right: Given, *, path: str, span: Span) -> Any: ...


class Evaluator:
    """Evaluates expressions of one network. Without a builder (settings, params) there are no tensors."""

    def __init__(self, report: Report, *, floor: int, builder: GraphBuilder | None, words: frozenset[str]):
        self.report, self.floor, self.builder, self.all_words = report, floor, builder, words
        self.names = NodeNames()
        self.caller: Caller | None = None
        self._steps = 0
        self._depth = 0

    # ---- values ----

    def value(self, expr: tree.Value, scope: Scope, path: str = "", words: frozenset[str] = frozenset()) -> Any:
        """The value of an expression. `words` are names that stand for themselves unless in scope."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            self.report.error(
                "E103", f"the spec takes more than {MAX_STEPS:,} steps to expand, the limit", expr.span,
                help="repeat fewer blocks, or shorten the lists that are expanded",
            )  # fmt: skip
            self.report.stop()
        if self._depth == MAX_NESTING:
            self.report.error(
                "E103", f"calls and brackets are nested more than {MAX_NESTING} deep, blocks included", expr.span,
                help="give the inner parts names of their own",
            )  # fmt: skip
            self.report.stop()
        self._depth += 1
        try:
            match expr:
                case tree.Number():
                    return Share(expr.value) if expr.unit == "%" else expr.value
                case tree.Text() | tree.Truth():
                    return expr.value
                case tree.Name():
                    return self._name(expr, scope, words)
                case tree.ListOf():
                    return self._items(expr, scope, path, words)
                case tree.Each():
                    return self.each(expr, scope, path)
                case tree.Binary():
                    return self._binary(expr, scope, path)
                case tree.Negate():
                    return self._negated(expr, scope, path)
                case tree.Choose():
                    chosen = self._chosen(expr, scope, path)
                    return POISON if chosen is None else self.value(chosen, scope, path, words)
                case tree.Attribute():
                    return self._attribute(expr, scope, path)
                case tree.Index():
                    return self._index(expr, scope, path)
                case tree.Call():
                    return self._call(expr, scope, path, None)
                case tree.Pipe():
                    return self._pipe(expr, scope, path)
                case tree.Bounded() | tree.Fixed() | tree.Tied():
                    return width_form(
                        expr, lambda part: self.value(part, scope, path), floor=self.floor, report=self.report
                    )
        finally:
            self._depth -= 1

    def each(self, expr: tree.Each, scope: Scope, path: str) -> Any:
        """`body for name in list`, expanded in place; nodes of item i are named `path.i`."""
        source = self.value(expr.source, scope, path)
        if source is POISON:
            return POISON
        if not isinstance(source, tuple):
            return self.report.error("E207", f"`for` takes a list, got {describe(source)}", expr.source.span)
        results = []
        for number, item in enumerate(source):
            inner = Scope(scope)
            inner.define(expr.name.text, item, expr.name.span)
            results.append(self.value(expr.body, inner, self.names.enter(path, str(number))))
        return POISON if POISON in results else tuple(results)

    def _name(self, expr: tree.Name, scope: Scope, words: frozenset[str]) -> Any:
        found, value = scope.lookup(expr.text)
        if found:
            return value
        if expr.text in words:
            return Word(expr.text)
        return self.report.error(
            "E201", f"`{expr.text}` is not defined", expr.span, help=meant_name(expr.text, scope, words)
        )

    def _items(self, expr: tree.ListOf, scope: Scope, path: str, words: frozenset[str]) -> Any:
        items = tuple(self.value(item, scope, path, words) for item in expr.items)
        return POISON if POISON in items else self._limited(items, expr)

    def _limited(self, items: tuple[Any, ...], expr: tree.Expr) -> Any:
        # Items of lists inside count too: lists of lists grow by doubling.
        if next(islice(_leaves(items), MAX_ITEMS, None), None) is not None:
            return self.report.error("E103", f"a list has more than {MAX_ITEMS:,} items, the limit", expr.span)
        return items

    def _binary(self, expr: tree.Binary, scope: Scope, path: str) -> Any:
        left = self.value(expr.left, scope, path, self.all_words)
        right = self.value(expr.right, scope, path, self.all_words)
        if left is POISON or right is POISON:
            return POISON
        tensors = [tensor_of(side) for side in (left, right)]
        if any(tensors) and expr.op in ("+", "*", "-", "/"):
            assert self.caller is not None
            sides = [Given(v, e.span, None, _text(e)) for v, e in ((left, expr.left), (right, expr.right))]
            return self.caller.join(expr.op, *sides, path=path, span=expr.span)
        try:
            if expr.op in ("==", "!=", "<", "<=", ">", ">="):
                return compare(expr.op, left, right)
            if is_number(left) and is_number(right):
                return calculate(expr.op, left, right)
        except Uncountable as error:
            return self.report.error(error.code, str(error), expr.op_span)
        if expr.op == "+" and isinstance(left, tuple) and isinstance(right, tuple):
            return self._limited(left + right, expr)
        kinds = f"{describe(left)} and {describe(right)}"
        return self.report.error("E207", f"`{expr.op}` does not take {kinds}", expr.span)

    def _negated(self, expr: tree.Negate, scope: Scope, path: str) -> Any:
        value = self.value(expr.operand, scope, path)
        if value is POISON or is_number(value):
            return value if value is POISON else calculate("-", 0, value)
        return self.report.error("E207", f"`-` takes a number, got {describe(value)}", expr.span)

    def _chosen(self, expr: tree.Choose, scope: Scope, path: str) -> tree.Expr | None:
        condition = self.value(expr.condition, scope, path, self.all_words)
        if isinstance(condition, bool):
            return expr.then if condition else expr.otherwise
        if condition is not POISON:
            self.report.error("E207", f"a condition is true or false, got {describe(condition)}", expr.condition.span)
        return None

    def _attribute(self, expr: tree.Attribute, scope: Scope, path: str) -> Any:
        target = self.value(expr.target, scope, path)
        if target is POISON:
            return POISON
        tensor = tensor_of(target)
        if tensor is None:
            return self.report.error(
                "E207", f"only tensors have `.{expr.name.text}`, this is {describe(target)}", expr.span
            )
        assert self.builder is not None
        type_ = self.builder.type_of(tensor.node)
        match expr.name.text:
            case "channels":
                return Count(Fraction(self.builder.count(type_.channels)), self.builder.widths.form(type_.channels))
            case "height" | "width" as side:
                return Size(type_.height if side == "height" else type_.width, (side, tensor.node))
        return self.report.error(
            "E201", f"a tensor has no `.{expr.name.text}`", expr.name.span,
            help=did_you_mean(
                expr.name.text, ("channels", "height", "width"), otherwise="it has channels, height, width"
            ),
        )  # fmt: skip

    def _index(self, expr: tree.Index, scope: Scope, path: str) -> Any:
        target, index = self.value(expr.target, scope, path), self.value(expr.index, scope, path)
        if target is POISON or index is POISON:
            return POISON
        items = target.steps if isinstance(target, Repeated) else target
        if not isinstance(items, tuple):
            return self.report.error(
                "E207", f"only lists and repeated statements can be indexed, this is {describe(target)}",
                expr.span,
                help="a statement is indexable where it repeats: body = stem -> 9 * inc_res",
            )  # fmt: skip
        number = whole(index)
        if number is not None and -len(items) <= number < len(items):
            return items[number]
        if not items:
            return self.report.error("E207", "there is nothing to index: it has no items", expr.index.span)
        got = describe(index) if number is None else number
        return self.report.error(
            "E207", f"the index must be a whole number from 0 to {len(items) - 1}, got {got}", expr.index.span
        )

    # ---- pipelines ----

    def _pipe(self, expr: tree.Pipe, scope: Scope, path: str) -> Any:
        value = self.value(expr.source, scope, path)
        text = _text(expr.source)
        repeated = None
        for stage in expr.stages:
            count = self._repeat(stage, scope, path)
            if count is not None and repeated is not None:
                return self.report.error(
                    "E207",
                    "a statement can hold one repeat",
                    stage.span,
                    help="give the second its own statement",
                )
            if count is not None:
                assert isinstance(stage, tree.Binary)
                repeated = self._times(count, stage.right, value, scope, path)
                value = repeated.last if isinstance(repeated, Repeated) else POISON
            else:
                value = self._stage(stage, Given(value, expr.source.span, None, text), scope, path)
            text = ""
        ends_with_repeat = isinstance(repeated, Repeated) and value is repeated.last
        if isinstance(repeated, Repeated) and isinstance(value, Tensor):
            return repeated if ends_with_repeat else Repeated(repeated.steps, value)
        return value

    def _repeat(self, stage: tree.Expr, scope: Scope, path: str) -> Any:
        """How often a stage `n * f(a)` repeats; None where it does not."""
        if not isinstance(stage, tree.Binary) or stage.op != "*" or not _is_call(stage.right):
            return None
        count = self.value(stage.left, scope, path)
        if count is POISON:
            return POISON
        number = whole(count)
        if number is not None and 0 <= number <= MAX_ITEMS:
            return number
        if number is not None and number > MAX_ITEMS:
            return self.report.error(
                "E103", f"a repeat of {number:,} is more than {MAX_ITEMS:,}, the limit", stage.left.span
            )
        return self.report.error(
            "E207",
            f"a repeat is a whole number from 0 to {MAX_ITEMS:,}, got {describe(count)}",
            stage.left.span,
        )

    def _times(self, count: Any, stage: tree.Expr, value: Any, scope: Scope, path: str) -> Any:
        tensor = tensor_of(value)
        if count is POISON or value is POISON:
            return POISON
        if tensor is None:
            return self.report.error("E207", f"a repeat is applied to a tensor, got {describe(value)}", stage.span)
        steps: list[Tensor] = []
        for number in range(count):
            inner = self.names.enter(path, str(number))
            result = tensor_of(self._stage(stage, Given(tensor, stage.span), scope, inner))
            if result is None:
                return POISON
            tensor = result
            steps.append(tensor)
        return Repeated(tuple(steps), tensor)

    def _stage(self, stage: tree.Expr, piped: Given, scope: Scope, path: str) -> Any:
        match stage:
            case tree.Name():
                call = tree.Call(tree.Ident(stage.text, stage.span), (), stage.span)
                return self._call(call, scope, path, piped)
            case tree.Call():
                return self._call(stage, scope, path, piped)
            case tree.Choose():
                chosen = self._chosen(stage, scope, path)
                return POISON if chosen is None else self._stage(chosen, piped, scope, path)
        help_text = "for example `x -> conv(64, 3)`, or `x -> 3 * block` to repeat"
        if isinstance(stage, tree.Binary) and _is_call(stage.left) and not isinstance(stage.right, tree.Number):
            called = _text(stage.left) or f"{stage.left.callee.text}(...)"  # type: ignore[union-attr]
            help_text = f"`->` binds loosest: write `(x -> {called}) {stage.op} ...`"
        return self.report.error("E207", "after `->` stands an operator or a block", stage.span, help=help_text)

    def _call(self, expr: tree.Call, scope: Scope, path: str, piped: Given | None) -> Any:
        assert self.caller is not None
        first = [piped] if piped is not None else []
        if isinstance(expr.arguments, tree.Each):
            items = self.each(expr.arguments, scope, path)
            given = [*first, Given(items, expr.arguments.span)]
        else:
            given = [*first, *(self._argument(expr.callee.text, a, scope, path) for a in expr.arguments)]
        return self.caller.call(expr.callee, given, scope=scope, path=path, span=expr.span)

    def _argument(self, callee: str, argument: tree.Argument, scope: Scope, path: str) -> Given:
        assert self.caller is not None
        name = argument.name.text if argument.name else None
        value = self.value(argument.value, scope, path, self.caller.words(callee, name, scope))
        place = argument.name.span if argument.name and value is not POISON else argument.value.span
        span = place.to(argument.value.span) if argument.name else argument.value.span
        return Given(value, span, name, _text(argument.value))


def _is_call(expr: tree.Expr) -> bool:
    return isinstance(expr, tree.Name | tree.Call)


def _text(expr: object) -> str:
    return expr.text if isinstance(expr, tree.Name) else ""


def _leaves(items: tuple[Any, ...]) -> Iterator[Any]:
    for item in items:
        if isinstance(item, tuple) and item:
            yield from _leaves(item)
        else:
            yield item


def flatten(values: Iterable[Any]) -> list[Any]:
    """Lists among the values opened, one level."""
    result: list[Any] = []
    for value in values:
        result.extend(value) if isinstance(value, tuple) else result.append(value)
    return result
