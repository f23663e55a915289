"""Programs to graphs: files and their names, parameters, settings, networks, in this order."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from catdsl.diagnostics import CatError, Diagnostic, Span
from catdsl.diagnostics.suggest import did_you_mean
from catdsl.ir.builder import GraphBuilder
from catdsl.ir.counts import with_counts
from catdsl.ir.graph import Graph, Tap
from catdsl.ops import BY_NAME
from catdsl.ops.sources import INPUT, INPUT_KINDS
from catdsl.semantics.arithmetic import is_number
from catdsl.semantics.binding import Given, bind, tensor_of
from catdsl.semantics.calls import ALL_WORDS, CALLABLES, BlockDefinition, Calls
from catdsl.semantics.expressions import Evaluator, flatten
from catdsl.semantics.library import SourceFile, read_used
from catdsl.semantics.report import Report
from catdsl.semantics.scope import Scope
from catdsl.semantics.settings import Settings, SpecSettings, StyleSettings
from catdsl.semantics.settings_blocks import SettingsReader
from catdsl.semantics.student import literal
from catdsl.semantics.unused import warn_of_unused, warn_of_unused_in_block
from catdsl.semantics.values import POISON, Poison, Repeated, Tensor, Word, describe, plain
from catdsl.syntax import tree
from catdsl.syntax.parse import parse

# Words that styles and settings know; a parameter may hold one.
_SETTING_WORDS = frozenset(("instance", "batch", "auto", "normal", "xavier", "kaiming"))
WORDS = ALL_WORDS | _SETTING_WORDS


@dataclass(frozen=True)
class Spec:
    """A checked spec: its main network, its settings, and everything they came from."""

    network: Graph
    others: tuple[Graph, ...]
    settings: SpecSettings
    parameters: Mapping[str, Any]
    files: tuple[SourceFile, ...]
    warnings: tuple[Diagnostic, ...]

    @property
    def sources(self) -> dict[str, str]:
        return {f.shown: f.text for f in self.files}


def elaborate(source: SourceFile, overrides: Mapping[str, str], *, need: str = "generator") -> Spec:
    """Check a spec whole. `overrides` are `--set` values as written. Raises CatError with every mistake.

    `need` is the kind of network that the file must hold exactly one of.
    """
    return _Elaborator(source, overrides, need).run()


class _Elaborator:
    def __init__(self, source: SourceFile, overrides: Mapping[str, str], need: str):
        self.source, self.overrides, self.need = source, overrides, need
        self.report = Report()
        self.files: dict[str, SourceFile] = {}
        self.settings: dict[str, Settings] = {}

    def run(self) -> Spec:
        program = self._parse(self.source)
        scope = self._file_scope(program, self.source, self.overrides, ())
        plain_evaluator = Evaluator(self.report, floor=0, builder=None, words=WORDS)
        plain_evaluator.caller = _NoCalls(self.report)
        reader = SettingsReader(plain_evaluator, scope)
        blocks = [i for i in program.items if isinstance(i, tree.SettingsBlock)]
        self._unique_blocks(blocks)
        for block in blocks:
            if block.name.text != "distill":
                self._read(reader, block)
        networks = [i for i in program.items if isinstance(i, tree.Network)]
        self._one_network(networks)
        made = [self._network(n, scope, blocks) for n in networks]
        warn_of_unused(program, self.report)
        self.report.stop_on_errors()
        graphs = [g for g in made if g is not None]
        settings = SpecSettings(**self.settings)
        main = next(g for g in graphs if g.kind == self.need)
        others = tuple(g for g in graphs if g is not main)
        parameters = {i.name.text: scope.values[i.name.text] for i in program.items if isinstance(i, tree.Param)}
        return Spec(main, others, settings, parameters, tuple(self.files.values()), self.report.warnings)

    # ---- files and names ----

    def _parse(self, source: SourceFile) -> tree.Program:
        self.files[source.shown] = source
        self.report.sources[source.shown] = source.text
        try:
            return parse(source.text, source.shown)
        except CatError as error:
            for diagnostic in error.diagnostics:
                self.report.add(diagnostic)
            self.report.stop()
            raise AssertionError from None

    def _file_scope(
        self, program: tree.Program, source: SourceFile, overrides: Mapping[str, str], users: tuple[str, ...]
    ) -> Scope:
        scope = Scope()
        for item in program.items:
            if isinstance(item, tree.Use):
                self._use(item, scope, source, (*users, source.shown))
        self._parameters([i for i in program.items if isinstance(i, tree.Param)], scope, overrides)
        for item in program.items:
            if isinstance(item, tree.Block):
                self._define(scope, item.name, BlockDefinition(item, scope))
                self._reserved(item.name)
                self._check_block(item)
        return scope

    def _check_block(self, block: tree.Block) -> None:
        """What can be said of a block without calling it."""
        seen: dict[str, Span] = {}
        for formal in block.formals:
            if formal.name.text in seen:
                self.report.error(
                    "E203", f"the argument `{formal.name.text}` stands twice", formal.name.span,
                    notes=(f"first at {seen[formal.name.text]}",), help="give it another name",
                )  # fmt: skip
            seen.setdefault(formal.name.text, formal.name.span)
        if not any(isinstance(s, tree.Return) for s in block.statements):
            self.report.error(
                "E205", f"block `{block.name.text}` returns nothing", block.name.span, help="end it with `return ...`"
            )
        warn_of_unused_in_block(block, self.report)

    def _reserved(self, name: tree.Ident) -> None:
        if name.text in CALLABLES:
            self.report.error(
                "E203", f"`{name.text}` is an operator and cannot be defined again", name.span,
                help=f"choose another name, for example `my_{name.text}`",
            )  # fmt: skip

    def _define(self, scope: Scope, name: tree.Ident, value: Any) -> None:
        if name.text in scope.values:
            self.report.error(
                "E203", f"`{name.text}` is defined twice", name.span,
                notes=(f"first at {scope.places[name.text]}",), help="give it another name",
            )  # fmt: skip
        scope.define(name.text, value, name.span)

    def _use(self, use: tree.Use, scope: Scope, user: SourceFile, users: tuple[str, ...]) -> None:
        try:
            used = read_used(use, user)
        except CatError as error:
            for diagnostic in error.diagnostics:
                self.report.add(diagnostic)
            for name in use.names:
                scope.define(name.text, POISON, name.span)
            return
        if used.shown in users:
            chain = " -> ".join((*users, used.shown))
            self.report.error(
                "E210", f"files use each other in a circle: {chain}", use.library_span,
                help="move what both need to a third file",
            )  # fmt: skip
            return
        definitions = self._file_scope(self._parse(used), used, {}, users)
        blocks = {n: v for n, v in definitions.values.items() if isinstance(v, BlockDefinition)}
        for name in use.names:
            if name.text not in blocks:
                self.report.error(
                    "E201", f"{used.shown} defines no block `{name.text}`", name.span,
                    help=did_you_mean(name.text, blocks, otherwise="it defines " + ", ".join(blocks)),
                )  # fmt: skip
            self._define(scope, name, blocks.get(name.text, POISON))

    # ---- parameters ----

    def _parameters(self, params: list[tree.Param], scope: Scope, overrides: Mapping[str, str]) -> None:
        evaluator = Evaluator(self.report, floor=0, builder=None, words=WORDS)
        evaluator.caller = _NoCalls(self.report)
        known = [p.name.text for p in params]
        for name in overrides:
            if name not in known:
                self.report.error(
                    "E209", f"--set {name}: the spec has no parameter `{name}`", None,
                    help=did_you_mean(name, known, otherwise="it has " + (", ".join(known) or "none")),
                )  # fmt: skip
        for param in params:
            value = evaluator.value(param.default, scope, "", WORDS)
            if param.name.text in overrides and value is not POISON:
                value = self._override(param, value, overrides[param.name.text], scope)
            self._define(scope, param.name, value)

    def _override(self, param: tree.Param, default: Any, text: str, scope: Scope) -> Any:
        """The value set from outside, of the default's kind."""
        name = param.name.text
        shown = f"--set {name}"
        try:
            program = parse(f"param {name} = {text}", shown)
        except CatError:
            program = None
        if program is None or len(program.items) != 1 or not isinstance(program.items[0], tree.Param):
            return self.report.error(
                "E209", f"--set {name}={text}: this is no value", param.name.span,
                help=f"write for example --set {name}={literal(default)}",
            )  # fmt: skip
        inner = Report()
        evaluator = Evaluator(inner, floor=0, builder=None, words=WORDS)
        evaluator.caller = _NoCalls(inner)
        value = evaluator.value(program.items[0].default, scope, "", WORDS)
        if value is POISON or not _same_kind(default, value):
            got = "an unknown name" if value is POISON else describe(value)
            return self.report.error(
                "E209", f"--set {name}={text}: the parameter is {describe(default)} by default, got {got}",
                param.name.span, help=f"write for example --set {name}={literal(default)}",
            )  # fmt: skip
        return value

    # ---- settings ----

    def _unique_blocks(self, blocks: list[tree.SettingsBlock]) -> None:
        seen: dict[str, Span] = {}
        for block in blocks:
            if block.name.text in seen:
                self.report.error(
                    "E203", f"`{block.name.text}` stands twice", block.name.span,
                    notes=(f"first at {seen[block.name.text]}",), help="write one block with all its settings",
                )  # fmt: skip
            seen.setdefault(block.name.text, block.name.span)

    def _read(self, reader: SettingsReader, block: tree.SettingsBlock) -> None:
        value = reader.read(block)
        if value is not None:
            self.settings[block.name.text] = value

    # ---- networks ----

    def _one_network(self, networks: list[tree.Network]) -> None:
        wanted = [n for n in networks if n.kind == self.need]
        if len(wanted) == 1:
            return
        if not wanted:
            self.report.error(
                "E211", f"the file holds no {self.need}", Span(self.source.shown, 1, 1, 1, 1),
                help=f"write `{self.need} name {{ input x: image(3, 256, 256) ... output y }}`",
            )  # fmt: skip
            self.report.stop()
        self.report.error(
            "E211", f"the file holds {len(wanted)} networks of kind {self.need}", wanted[1].name.span,
            notes=(f"the first is at {wanted[0].name.span}",), help="keep one per file",
        )  # fmt: skip

    def _network(self, network: tree.Network, scope: Scope, blocks: list[tree.SettingsBlock]) -> Graph | None:
        style = self.settings.get("style", StyleSettings())
        search = self.settings.get("search", SpecSettings().search)
        floor = search.floor  # type: ignore[attr-defined]
        builder = GraphBuilder(network.name.text, network.kind, floor=floor)
        evaluator = Evaluator(self.report, floor=floor, builder=builder, words=WORDS)
        calls = Calls(evaluator, builder, style.model_dump())
        evaluator.caller = calls
        local = Scope(scope)
        output: Tensor | None = None
        for member in network.members:
            match member:
                case tree.Input():
                    self._input(member, local, builder, evaluator)
                case tree.Assign():
                    calls.assign(member, local, "")
                    _label(local, member)
                case tree.Output():
                    output = self._output(member, output, local, evaluator)
        outputs = [m for m in network.members if isinstance(m, tree.Output)]
        if not outputs:
            self.report.error(
                "E205", f"{network.kind} `{network.name.text}` has no output", network.name.span,
                help="end it with `output name`",
            )  # fmt: skip
        taps: tuple[Tap, ...] = ()
        if network.kind == self.need:
            taps = self._taps(blocks, local, evaluator)
        self.report.stop_on_errors()
        assert output is not None
        return self._finish(builder, output, taps, network)

    def _finish(self, builder: GraphBuilder, output: Tensor, taps: tuple[Tap, ...], network: tree.Network) -> Graph:
        try:
            graph, _ = builder.finish(output.node, taps)
            # A width of 0 is legal in a teacher: what is absent there is gone from the start.
            if any(w.count == 0 for w in graph.widths):
                graph = with_counts(graph, {}, arrange=BY_NAME["arrange"])
        except CatError as error:
            for diagnostic in error.diagnostics:
                span = diagnostic.span or network.name.span
                self.report.add(replace(diagnostic, span=span))
            self.report.stop()
            raise AssertionError from None
        return graph

    def _input(self, member: tree.Input, scope: Scope, builder: GraphBuilder, evaluator: Evaluator) -> None:
        kind = INPUT_KINDS.get(member.kind.text)
        if kind is None:
            self.report.error(
                "E202", f"there is no input of kind `{member.kind.text}`", member.kind.span,
                help=did_you_mean(member.kind.text, INPUT_KINDS, otherwise="the kinds are " + ", ".join(INPUT_KINDS)),
            )  # fmt: skip
        given = [
            Given(evaluator.value(a.value, scope), a.value.span, a.name.text if a.name else None)
            for a in member.arguments
        ]
        attrs: dict[str, Any] | Poison = POISON
        if kind is not None and not any(g.value is POISON for g in given):
            attrs = bind(member.kind.text, kind, given, {}, span=member.kind.span, report=self.report)
        if member.name.text in scope.values:
            self.report.error(
                "E203", f"`{member.name.text}` is defined twice", member.name.span,
                notes=(f"first at {scope.places[member.name.text]}",), help="give it another name",
            )  # fmt: skip
        if not isinstance(attrs, dict):
            scope.define(member.name.text, POISON, member.name.span)
            return
        channels = attrs["channels"] if "channels" in attrs else attrs["classes"] + bool(attrs["edges"])
        evaluator.names.take(member.name.text)
        node = builder.input(
            member.name.text, INPUT, {**attrs, "kind": member.kind.text, "channels": channels}, span=member.span
        )
        scope.define(member.name.text, Tensor(node, member.name.text), member.name.span)

    def _output(self, member: tree.Output, before: Tensor | None, scope: Scope, evaluator: Evaluator) -> Tensor | None:
        if before is not None:
            self.report.error("E203", "a network has one output", member.span, help="remove one of them")
        value = evaluator.value(member.value, scope, evaluator.names.enter("", "output"))
        tensor = tensor_of(value)
        if tensor is None and value is not POISON:
            self.report.error("E207", f"an output is a tensor, got {describe(value)}", member.value.span)
        return tensor

    def _taps(self, blocks: list[tree.SettingsBlock], scope: Scope, evaluator: Evaluator) -> tuple[Tap, ...]:
        """Read `distill`, whose taps are names of the generator."""
        reader = SettingsReader(evaluator, scope)
        for block in blocks:
            if block.name.text == "distill":
                self._read(reader, block)
        distill = self.settings.get("distill")
        if distill is None:
            return ()
        labels = distill.taps  # type: ignore[attr-defined]
        return tuple(Tap(label, _tensor_labelled(scope, label).node) for label in labels)


class _NoCalls:
    """Settings and parameters are calculated without operators; `min`, `max` and the like work."""

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


def _label(scope: Scope, statement: tree.Assign) -> None:
    """Give the tensors of a generator's statement the name that taps use."""
    for name in statement.names:
        value = scope.values[name.text]
        if isinstance(value, Tensor):
            scope.values[name.text] = Tensor(value.node, name.text)
        if isinstance(value, Repeated):
            steps = tuple(Tensor(t.node, f"{name.text}[{i}]") for i, t in enumerate(value.steps))
            scope.values[name.text] = Repeated(steps, Tensor(value.last.node, name.text))


def _tensor_labelled(scope: Scope, label: str) -> Tensor:
    name, _, index = label.partition("[")
    value = scope.values[name]
    if isinstance(value, Repeated):
        return value.steps[int(index[:-1])] if index else value.last
    return value


def _same_kind(default: Any, value: Any) -> bool:
    """`--set` takes values of the default's type; a whole number is a number too."""
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return True
    if isinstance(default, Word) and isinstance(value, Word):
        return True
    return type(default) is type(value)
