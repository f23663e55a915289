"""Calls: operators become nodes, blocks are expanded, a few functions work on lists and numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from catdsl.diagnostics import Span
from catdsl.diagnostics.suggest import did_you_mean
from catdsl.ir.builder import GraphBuilder, diagnostic
from catdsl.ir.op import Arg, Kind, Op
from catdsl.ir.shapes import ShapeError
from catdsl.ir.size import indexed
from catdsl.ops import BY_NAME
from catdsl.ops.joins import ADD, MUL
from catdsl.ops.norm import BY_STYLE
from catdsl.ops.pointwise import SCALE
from catdsl.ops.resample import RESIZE
from catdsl.semantics.arithmetic import Uncountable, calculate, is_number, least, whole
from catdsl.semantics.binding import Given, bind, tensor_of
from catdsl.semantics.expressions import MAX_ITEMS, Evaluator, flatten
from catdsl.semantics.meant import meant_call
from catdsl.semantics.report import Report
from catdsl.semantics.scope import Scope
from catdsl.semantics.values import POISON, Poison, Size, Tensor, describe, plain
from catdsl.syntax import tree

MAX_CALL_DEPTH = 32
MAX_PARTS = 128

OPERATORS = tuple(op.name for op in BY_NAME.values() if op.in_language)
FUNCTIONS = ("sum", "min", "max", "len", "range")
CALLABLES = (*OPERATORS, "norm", *FUNCTIONS)


@dataclass(frozen=True, slots=True)
class BlockDefinition:
    """A block, and the names of the file that defines it."""

    block: tree.Block
    scope: Scope


class Calls:
    """Applies operators, blocks and functions for an evaluator that has a builder."""

    def __init__(self, evaluator: Evaluator, builder: GraphBuilder, style: Mapping[str, Any]):
        self.evaluator, self.builder, self.style = evaluator, builder, style
        self.report: Report = evaluator.report
        self._active: list[tree.Block] = []
        self._functions: dict[str, Callable[..., Any]] = {
            "sum": self._sum, "min": self._least, "max": self._least, "len": self._len, "range": self._range,
        }  # fmt: skip

    def words(self, callee: str, argument: str | None, scope: Scope) -> frozenset[str]:
        """Names that stand for themselves in an argument of `callee`; None is one given by place.

        A block takes any word: whether it fits is seen where the block uses it.
        """
        known, value = scope.lookup(callee)
        if known and isinstance(value, BlockDefinition):
            return self.evaluator.all_words
        op = self._operator(callee)
        if op is None:
            return frozenset()
        named = [a for a in op.args if a.name == argument]
        return frozenset(w for a in named or op.args for w in _words(a))

    def call(self, callee: tree.Ident, given: Sequence[Given], *, scope: Scope, path: str, span: Span) -> Any:
        """The value of a call; poison where an argument is."""
        known, value = scope.lookup(callee.text)
        if value is POISON:
            return POISON
        poisoned = any(g.value is POISON for g in given)
        if known and isinstance(value, BlockDefinition):
            return POISON if poisoned else self._block(value, given, path, callee.span)
        if callee.text in self._functions:
            return POISON if poisoned else self._function(callee, given, path, span)
        op = self._operator(callee.text)
        if op is not None and poisoned:
            return self._mistakes(callee, op, given)
        if op is not None:
            return self._apply(callee, op, given, path, span)
        if known:
            return self.report.error("E202", f"`{callee.text}` is {describe(value)}, not a block", callee.span)
        blocks = [n for n in scope.names() if isinstance(scope.lookup(n)[1], BlockDefinition)]
        return self.report.error(
            "E202", f"there is no operator or block `{callee.text}`", callee.span,
            help=meant_call(callee.text, [*CALLABLES, *blocks]),
        )  # fmt: skip

    def _mistakes(self, callee: tree.Ident, op: Op, given: Sequence[Given]) -> Poison:
        """Of a call that cannot be made, what is wrong with its arguments besides."""
        if op.tensors == (1, 1):
            rest = given[1:] if given and given[0].name is None else given
            bind(callee.text, op.args, rest, self.style, span=callee.span, report=self.report)
        return POISON

    def join(self, op: str, left: Given, right: Given, *, path: str, span: Span) -> Any:
        """`+` and `*` of tensors, and of a tensor with a number where that has a meaning."""
        sides = [left, right]
        tensors = [tensor_of(g.value) for g in sides]
        if all(tensors) and op in ("+", "*"):
            return self._node(ADD if op == "+" else MUL, f"{op}", sides, {}, path, span)
        numbers = [g for g in sides if is_number(g.value)]
        if len(numbers) == 1 and (op == "*" or (op == "/" and numbers[0] is right)):
            tensor = left if numbers[0] is right else right
            try:
                factor = plain(calculate(op, 1, numbers[0].value))
            except Uncountable as error:
                return self.report.error(error.code, str(error), numbers[0].span)
            return self._node(SCALE, "scale", [tensor], {"factor": factor}, path, span)
        kinds = f"{describe(left.value)} and {describe(right.value)}"
        advice = "write `a + b * -1`" if op == "-" and all(tensors) else "tensors take +, *, and a number as factor"
        return self.report.error("E207", f"`{op}` does not take {kinds}", span, help=advice)

    # ---- operators ----

    def _operator(self, word: str) -> Op | None:
        if word == "norm":
            return BY_STYLE[self.style["norm"]]
        op = BY_NAME.get(word)
        return op if op is not None and op.in_language else None

    def _apply(self, callee: tree.Ident, op: Op, given: Sequence[Given], path: str, span: Span) -> Any:
        least_tensors, most = op.tensors
        items = list(given)
        if most is None:
            opened = [Given(v, g.span, g.name, g.text) for g in items for v in flatten([g.value])]
            tensors, rest = (
                [g for g in opened if tensor_of(g.value) and g.name is None],
                [g for g in opened if not (tensor_of(g.value) and g.name is None)],
            )
        else:
            positional = [g for g in items if g.name is None][:most]
            tensors = [g for g in positional if tensor_of(g.value)]
            rest = [g for g in items if g not in tensors]
        if len(tensors) < least_tensors:
            count = "a tensor" if least_tensors == 1 else f"{least_tensors} tensors"
            got = describe(given[0].value) if given else "nothing"
            return self.report.error(
                "E205", f"`{callee.text}` needs {count}, got {got}" if len(tensors) == 0 else
                f"`{callee.text}` needs {count}, got {len(tensors)}", callee.span,
                help=f"write `x -> {callee.text}(...)`" if least_tensors == 1
                else f"`{callee.text}` is {op.summary}",
            )  # fmt: skip
        bound = bind(callee.text, op.args, rest, self.style, span=callee.span, report=self.report)
        if not isinstance(bound, dict):
            return POISON
        if op.name == "split":
            return self._parts(op, tensors[0], bound, path, callee)
        if op is RESIZE:
            tensors = self._sized(tensors[0], bound)
        return self._node(op, callee.text, tensors, bound, path, callee.span)

    def _node(
        self, op: Op, word: str, tensors: Sequence[Given], attrs: Mapping[str, Any], path: str, span: Span
    ) -> Any:
        nodes = [tensor_of(g.value).node for g in tensors]  # type: ignore[union-attr]
        name = self.evaluator.names.operator(path, op.name if word in ("+", "*") else word)
        try:
            self.builder.add(
                name, op, nodes, attrs, word=word, operands=[g.text for g in tensors], span=span
            )  # fmt: skip
        except ShapeError as error:
            self.report.add(diagnostic(error, span))
            if error.code == "E103":
                self.report.stop()
            return POISON
        return Tensor(name)

    def _parts(self, op: Op, source: Given, bound: dict[str, Any], path: str, callee: tree.Ident) -> Any:
        """One node for each part of a split."""
        parts = bound["parts"]
        if parts > MAX_PARTS:
            return self.report.error(
                "E103",
                f"`{callee.text}` into {parts:,} parts is more than {MAX_PARTS}, the limit",
                callee.span,
            )
        whole = self.builder.count(self.builder.type_of(tensor_of(source.value).node).channels)  # type: ignore[union-attr]
        results: list[Any] = []
        for index in range(parts):
            attrs = {"parts": parts, "index": index, "start": index * (whole // parts)}
            results.append(self._node(op, callee.text, [source], attrs, path, callee.span))
        return POISON if POISON in results else tuple(results)

    def _sized(self, source: Given, bound: dict[str, Any]) -> list[Given]:
        """Inputs of a resize: its tensor, and the tensors whose sizes its target follows."""
        like = bound["like"]
        if like is not None and bound["to"] is None and bound["scale"] is None:
            bound["to"] = tuple(Size(0, (side, like.node)) for side in ("height", "width"))
        elif like is not None:
            # Two targets: the shape rule sees both and refuses.
            bound["to"], bound["scale"] = (1, 1), bound["scale"] or 1
        if bound["to"] is None:
            return [source]
        nodes: list[str] = [tensor_of(source.value).node]  # type: ignore[union-attr]
        exprs = [size.expr if isinstance(size, Size) else size for size in bound["to"]]
        bound["to"] = tuple(indexed(expr, nodes) for expr in exprs)
        return [source, *(Given(Tensor(n), source.span) for n in nodes[1:])]

    # ---- blocks ----

    def _block(self, definition: BlockDefinition, given: Sequence[Given], path: str, span: Span) -> Any:
        block = definition.block
        # By identity: comparing blocks as values would walk their trees.
        if any(block is active for active in self._active):
            chain = " -> ".join([*(b.name.text for b in self._active), block.name.text])
            return self.report.error(
                "E206", f"the block `{block.name.text}` calls itself: {chain}", span,
                help="blocks are expanded where they are called; use a repeat `n * block` instead",
            )  # fmt: skip
        if len(self._active) >= MAX_CALL_DEPTH:
            return self.report.error("E103", f"blocks are nested more than {MAX_CALL_DEPTH} deep", span)
        scope = self._arguments(definition, given, path, span)
        if scope is None:
            return POISON
        self._active.append(block)
        self.report.enter(block.name.text, span)
        try:
            return self._body(block, scope, path)
        finally:
            self.report.leave()
            self._active.pop()

    def _arguments(self, definition: BlockDefinition, given: Sequence[Given], path: str, span: Span) -> Scope | None:
        block = definition.block
        formals = {f.name.text: f for f in block.formals}
        scope = Scope(definition.scope)
        free = [f for f in block.formals if f.name.text not in {g.name for g in given}]
        for item in given:
            formal = formals.get(item.name) if item.name else (free.pop(0) if free else None)
            if formal is None or formal.name.text in scope.values:
                self._no_formal(block, item)
                return None
            scope.define(formal.name.text, item.value, formal.name.span)
        for formal in block.formals:
            if formal.name.text in scope.values:
                continue
            if formal.default is None:
                self.report.error(
                    "E205", f"block `{block.name.text}` needs its argument `{formal.name.text}`", span,
                    notes=(f"it is defined at {block.name.span}",),
                )  # fmt: skip
                return None
            value = self.evaluator.value(formal.default, scope, path, self.evaluator.all_words)
            scope.define(formal.name.text, value, formal.name.span)
        return scope

    def _no_formal(self, block: tree.Block, item: Given) -> None:
        names = [f.name.text for f in block.formals]
        what = f"no argument `{item.name}`" if item.name and item.name not in names else "no further argument"
        self.report.error(
            "E204", f"block `{block.name.text}` takes {what}", item.span,
            help=did_you_mean(item.name or "", names, otherwise=f"it takes ({', '.join(names)})"),
        )  # fmt: skip

    def _body(self, block: tree.Block, scope: Scope, path: str) -> Any:
        local = Scope(scope)
        for statement in block.statements:
            if isinstance(statement, tree.Return):
                return self.evaluator.value(statement.value, local, path)
            self.assign(statement, local, path)
        return POISON  # a block without `return` was reported where it is defined

    def assign(self, statement: tree.Assign, scope: Scope, path: str) -> None:
        """A statement: evaluate and define its name or names. A name is defined once."""
        inner = self.evaluator.names.enter(path, "_".join(n.text for n in statement.names))
        value = self.evaluator.value(statement.value, scope, inner)
        if len(statement.names) == 1:
            scope.define_once(statement.names[0], value, self.report)
            return
        values = value if isinstance(value, tuple) else ()
        if value is not POISON and len(values) != len(statement.names):
            got = f"a list of {len(values)}" if isinstance(value, tuple) else describe(value)
            places = statement.names[0].span.to(statement.names[-1].span)
            self.report.error("E207", f"{len(statement.names)} names need as many values, got {got}", places)
            value = POISON
        for number, name in enumerate(statement.names):
            scope.define_once(name, POISON if value is POISON else values[number], self.report)

    # ---- functions ----

    def _function(self, callee: tree.Ident, given: Sequence[Given], path: str, span: Span) -> Any:
        named = next((g for g in given if g.name is not None), None)
        if named is not None:
            return self.report.error("E204", f"`{callee.text}` takes no argument `{named.name}`", named.span)
        try:
            return self._functions[callee.text](callee.text, given, path, span)
        except Uncountable as error:
            return self.report.error(error.code, str(error), span)

    def _sum(self, word: str, given: Sequence[Given], path: str, span: Span) -> Any:
        values = flatten(g.value for g in given)
        if POISON in values:
            return POISON
        if not values:
            return self.report.error("E207", "`sum` of nothing", span, help="give it a list with at least one item")
        if all(tensor_of(v) for v in values):
            if len(values) == 1:
                return values[0]
            return self._node(ADD, "+", [Given(v, span) for v in values], {}, path, span)
        if all(is_number(v) for v in values):
            return reduce(lambda a, b: calculate("+", a, b), values)
        odd = [v for v in values if not (is_number(v) or tensor_of(v))]
        got = describe(odd[0]) if odd else "both"
        return self.report.error("E207", f"`sum` takes tensors or numbers, got {got}", span)

    def _least(self, word: str, given: Sequence[Given], path: str, span: Span) -> Any:
        values = flatten(g.value for g in given)
        if not values or not all(is_number(v) for v in values):
            return self.report.error("E207", f"`{word}` takes numbers", span)
        return reduce(lambda a, b: least(word, a, b), values)

    def _len(self, word: str, given: Sequence[Given], path: str, span: Span) -> Any:
        if len(given) == 1 and isinstance(given[0].value, tuple):
            return len(given[0].value)
        return self.report.error("E207", "`len` takes one list", span)

    def _range(self, word: str, given: Sequence[Given], path: str, span: Span) -> Any:
        numbers = [n for n in (whole(g.value) for g in given) if n is not None]
        if len(numbers) != len(given) or not 1 <= len(numbers) <= 2:
            return self.report.error("E207", "`range` takes one or two whole numbers", span)
        items = range(*numbers)
        if len(items) > MAX_ITEMS:
            return self.report.error("E103", f"a list has more than {MAX_ITEMS:,} items, the limit", span)
        return tuple(items)


def _words(arg: Arg) -> tuple[str, ...]:
    return ("auto",) if arg.style == "bias" else arg.choices


ALL_WORDS = frozenset(w for op in BY_NAME.values() for a in op.args for w in a.choices if a.kind is Kind.WORD)
