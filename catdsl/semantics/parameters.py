"""Parameters of a spec: their defaults, and the values that are set from outside (`--set ngf=32`)."""

from collections.abc import Mapping, Sequence
from typing import Any

from catdsl.diagnostics import CatError, Span
from catdsl.diagnostics.suggest import did_you_mean
from catdsl.semantics.arithmetic import is_number
from catdsl.semantics.binding import Given
from catdsl.semantics.expressions import Evaluator, flatten
from catdsl.semantics.report import Report
from catdsl.semantics.scope import Scope
from catdsl.semantics.student import literal
from catdsl.semantics.values import POISON, describe, plain
from catdsl.syntax import tree
from catdsl.syntax.parse import parse


def constant_evaluator(report: Report, words: frozenset[str]) -> Evaluator:
    """For what stands outside networks: numbers, words, strings and lists, no tensors."""
    evaluator = Evaluator(report, floor=0, builder=None, words=words)
    evaluator.caller = _NoCalls(report)
    return evaluator


def parameter_values(
    params: Sequence[tree.Param],
    overrides: Mapping[str, str],
    scope: Scope,
    words: frozenset[str],
    report: Report,
) -> None:
    """Define every parameter in `scope`, with its default or its value from outside."""
    known = [p.name.text for p in params]
    for name in overrides:
        if name not in known:
            listed = f"it has {', '.join(known)}" if known else "it has no `param` at all"
            report.error(
                "E209", f"--set {name}: the spec has no parameter `{name}`", None,
                help=did_you_mean(name, known, otherwise=listed),
            )  # fmt: skip
    evaluator = constant_evaluator(report, words)
    for param in params:
        value = evaluator.value(param.default, scope, "", words)
        if param.name.text in overrides and value is not POISON:
            value = _override(param, value, overrides[param.name.text], scope, words, report)
        scope.define_once(param.name, value, report)


def _override(param: tree.Param, default: Any, text: str, scope: Scope, words: frozenset[str], report: Report) -> Any:
    """The value set from outside, of the default's kind."""
    name = param.name.text
    example = f"write for example --set {name}={literal(default)}"
    expr = _written(name, text)
    if expr is None:
        return report.error("E209", f"--set {name}={text}: this is no value", param.name.span, help=example)
    inner = Report()
    try:
        value = constant_evaluator(inner, words).value(expr, scope, "", words)
    except CatError:
        value = POISON
    if value is not POISON and _same_kind(default, value):
        return value
    problem = f"got {describe(value)}" if value is not POISON else f"and {inner.diagnostics[0].message}"
    return report.error(
        "E209", f"--set {name}={text}: the parameter is {describe(default)} by default, {problem}",
        param.name.span, help=example,
    )  # fmt: skip


def _written(name: str, text: str) -> tree.Expr | None:
    """The expression that `--set` gives, or None where it is none."""
    try:
        items = parse(f"param {name} = {text}", f"--set {name}").items
    except CatError:
        return None
    return items[0].default if len(items) == 1 and isinstance(items[0], tree.Param) else None


def _same_kind(default: Any, value: Any) -> bool:
    """`--set` takes values of the default's type; a whole number is a number too."""
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return True
    return type(default) is type(value)


class _NoCalls:
    """Settings and parameters are calculated without operators; `min` and `max` work."""

    def __init__(self, report: Report):
        self.report = report

    def words(self, callee: str, argument: str | None, scope: Scope) -> frozenset[str]:
        return frozenset()

    def call(self, callee: tree.Ident, given: Any, *, scope: Scope, path: str, span: Span) -> Any:
        values = [plain(v) for v in flatten(g.value for g in given)]
        if POISON in values:
            return POISON
        if callee.text in ("min", "max") and values and all(is_number(v) for v in values):
            return (min if callee.text == "min" else max)(values)
        return self.report.error(
            "E202", f"`{callee.text}` cannot be called here", callee.span,
            help="operators and blocks work inside generators; here stand numbers, words and lists",
        )  # fmt: skip

    def join(self, op: str, left: Given, right: Given, *, path: str, span: Span) -> Any:
        raise AssertionError("there are no tensors outside networks")
