"""Programs to graphs: files and their names, parameters, settings, networks, in this order."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from catdsl.diagnostics import CatError, Diagnostic, Span
from catdsl.diagnostics.suggest import did_you_mean
from catdsl.ir.builder import GraphBuilder
from catdsl.ir.collecting import gc_paused
from catdsl.ir.counts import with_counts
from catdsl.ir.graph import Graph, Tap
from catdsl.ops import BY_NAME
from catdsl.ops.sources import INPUT, INPUT_KINDS
from catdsl.semantics.binding import Given, bind, tensor_of
from catdsl.semantics.calls import ALL_WORDS, CALLABLES, BlockDefinition, Calls
from catdsl.semantics.expressions import Evaluator
from catdsl.semantics.library import SourceFile, read_used
from catdsl.semantics.parameters import constant_evaluator, parameter_values
from catdsl.semantics.report import Report
from catdsl.semantics.scope import Scope
from catdsl.semantics.settings import Settings, SpecSettings, StyleSettings
from catdsl.semantics.settings_blocks import SETTING_WORDS, SettingsReader
from catdsl.semantics.unused import warn_of_unused, warn_of_unused_in_block
from catdsl.semantics.values import POISON, Poison, Repeated, Tensor, describe
from catdsl.syntax import tree
from catdsl.syntax.parse import parse

# Words that operators, styles and settings know; a parameter may hold one.
WORDS = ALL_WORDS | SETTING_WORDS
MAX_USE_DEPTH = 32


@dataclass(frozen=True)
class Spec:
    """A checked spec: its main network, its settings, and everything they came from."""

    network: Graph
    settings: SpecSettings
    parameters: Mapping[str, Any]
    files: tuple[SourceFile, ...]
    warnings: tuple[Diagnostic, ...]

    @property
    def sources(self) -> dict[str, str]:
        return {f.shown: f.text for f in self.files}


@gc_paused
def elaborate(source: SourceFile, overrides: Mapping[str, str], *, need: str | None = None) -> Spec:
    """Check a spec whole. `overrides` are `--set` values as written. Raises CatError with every mistake.

    `need` is the kind of network that the file must hold exactly one of: by default a generator, or
    a discriminator in a file that holds no generator.
    """
    return _Elaborator(source, overrides, need).run()


class _Elaborator:
    def __init__(self, source: SourceFile, overrides: Mapping[str, str], need: str | None):
        self.source, self.overrides, self.need = source, overrides, need or "generator"
        self.either = need is None
        self.report = Report()
        self.files: dict[str, SourceFile] = {}
        self._scopes: dict[Path, Scope] = {}
        self.settings: dict[str, Settings] = {}

    def run(self) -> Spec:
        program = self._parse(self.source)
        scope = self._file_scope(program, self.source, self.overrides, ())
        reader = SettingsReader(constant_evaluator(self.report, WORDS), scope)
        blocks = [i for i in program.items if isinstance(i, tree.SettingsBlock)]
        self._unique_blocks(blocks)
        for block in blocks:
            if block.name.text != "distill":
                self._read(reader, block)
        networks = [i for i in program.items if isinstance(i, tree.Network)]
        if self.either and {n.kind for n in networks} == {"discriminator"}:
            self.need = "discriminator"
        self._one_network(networks)
        made = [self._network(n, scope, blocks) for n in networks]
        warn_of_unused(program, self.report)
        self.report.stop_on_errors()
        graphs = [g for g in made if g is not None]
        settings = SpecSettings(**self.settings)
        main = next(g for g in graphs if g.kind == self.need)
        parameters = {i.name.text: scope.values[i.name.text] for i in program.items if isinstance(i, tree.Param)}
        return Spec(main, settings, parameters, tuple(self.files.values()), self.report.warnings)

    # ---- files and names ----

    def _parse(self, source: SourceFile) -> tree.Program:
        self.files[source.shown] = source
        self.report.sources[source.shown] = source.text
        try:
            return parse(source.text, source.shown)
        except CatError as error:
            self.report.take(error)
            self.report.stop()

    def _file_scope(
        self,
        program: tree.Program,
        source: SourceFile,
        overrides: Mapping[str, str],
        users: tuple[SourceFile, ...],
    ) -> Scope:
        scope = Scope()
        for item in program.items:
            if isinstance(item, tree.Use):
                self._use(item, scope, (*users, source))
        params = [i for i in program.items if isinstance(i, tree.Param)]
        parameter_values(params, overrides, scope, WORDS, self.report)
        for item in program.items:
            if isinstance(item, tree.Block):
                scope.define_once(item.name, BlockDefinition(item, scope), self.report)
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
                "E205",
                f"block `{block.name.text}` returns nothing",
                block.name.span,
                help="end it with `return ...`",
            )
        warn_of_unused_in_block(block, self.report)

    def _reserved(self, name: tree.Ident) -> None:
        if name.text in CALLABLES:
            self.report.error(
                "E203", f"`{name.text}` is an operator and cannot be defined again", name.span,
                help=f"choose another name, for example `my_{name.text}`",
            )  # fmt: skip

    def _use(self, use: tree.Use, scope: Scope, users: tuple[SourceFile, ...]) -> None:
        definitions = self._definitions(use, users)
        if definitions is None:
            for name in use.names:
                scope.define(name.text, POISON, name.span)
            return
        used, values = definitions
        blocks = {n: v for n, v in values.items() if isinstance(v, BlockDefinition | Poison)}
        for name in use.names:
            if name.text not in blocks:
                self.report.error(
                    "E201", f"{used} defines no block `{name.text}`", name.span,
                    help=did_you_mean(name.text, blocks, otherwise="it defines " + ", ".join(blocks)),
                )  # fmt: skip
            scope.define_once(name, blocks.get(name.text, POISON), self.report)

    def _definitions(self, use: tree.Use, users: tuple[SourceFile, ...]) -> tuple[str, Mapping[str, Any]] | None:
        """The name of the file behind a `use`, and what it defines; each file is read into names once."""
        try:
            used = read_used(use, users[-1])
        except CatError as error:
            self.report.take(error)
            return None
        if used.path in [user.path for user in users]:
            chain = " -> ".join((*(user.shown for user in users), used.shown))
            self.report.error(
                "E210", f"files use each other in a circle: {chain}", use.library_span,
                help="move what both need to a third file",
            )  # fmt: skip
            return None
        if len(users) > MAX_USE_DEPTH:
            self.report.error("E103", f"files use files more than {MAX_USE_DEPTH} deep, the limit", use.library_span)
            return None
        assert used.path is not None
        if used.path not in self._scopes:
            self._scopes[used.path] = self._file_scope(self._parse(used), used, {}, users)
        return used.shown, self._scopes[used.path].values

    # ---- settings ----

    def _unique_blocks(self, blocks: list[tree.SettingsBlock]) -> None:
        seen: dict[str, Span] = {}
        for block in blocks:
            if block.name.text in seen:
                self.report.error(
                    "E203", f"`{block.name.text}` stands twice", block.name.span,
                    notes=(f"first at {seen[block.name.text]}",),
                    help="write one block with all its settings",
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
        before = self.report.errors
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
        if self.report.errors > before or output is None:
            return None
        return self._finish(builder, output, taps, network)

    def _finish(
        self, builder: GraphBuilder, output: Tensor, taps: tuple[Tap, ...], network: tree.Network
    ) -> Graph | None:
        try:
            graph = builder.finish(output.node, taps)
            # A width of 0 is legal in a teacher: what is absent there is gone from the start.
            if any(w.count == 0 for w in graph.widths):
                graph = with_counts(graph, {}, arrange=BY_NAME["arrange"])
        except CatError as error:
            for diagnostic in error.diagnostics:
                self.report.add(replace(diagnostic, span=diagnostic.span or network.name.span))
            return None
        return graph

    def _input(self, member: tree.Input, scope: Scope, builder: GraphBuilder, evaluator: Evaluator) -> None:
        kind = INPUT_KINDS.get(member.kind.text)
        if kind is None:
            self.report.error(
                "E202", f"there is no input of kind `{member.kind.text}`", member.kind.span,
                help=did_you_mean(
                    member.kind.text, INPUT_KINDS, otherwise="the kinds are " + ", ".join(INPUT_KINDS)
                ),
            )  # fmt: skip
        given = [
            Given(evaluator.value(a.value, scope), a.value.span, a.name.text if a.name else None)
            for a in member.arguments
        ]
        attrs: dict[str, Any] | Poison = POISON
        if kind is not None and not any(g.value is POISON for g in given):
            attrs = bind(member.kind.text, kind, given, {}, span=member.kind.span, report=self.report)
        if not isinstance(attrs, dict):
            scope.define_once(member.name, POISON, self.report)
            return
        channels = attrs["channels"] if "channels" in attrs else attrs["classes"] + bool(attrs["edges"])
        evaluator.names.take(member.name.text)
        node = builder.input(
            member.name.text,
            INPUT,
            {**attrs, "kind": member.kind.text, "channels": channels},
            span=member.span,
        )
        scope.define_once(member.name, Tensor(node, member.name.text), self.report)

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
