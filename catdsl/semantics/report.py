"""Where mistakes are collected while a spec is elaborated: each once, without consequences."""

from dataclasses import replace
from typing import Any, NoReturn

from catdsl.diagnostics import CatError, Diagnostic, Severity, Span
from catdsl.semantics.values import POISON, Poison

MAX_PROBLEMS = 50
# Mistakes that may lie in what a block was given rather than in the block.
_DEPEND_ON_ARGUMENTS = frozenset(("E205", "E207", "E212", "E302", "E304", "E305", "E306", "E307"))
_CALLS_SHOWN = 3


class Report:
    """Diagnostics of one spec and the texts they point into."""

    def __init__(self) -> None:
        self.sources: dict[str, str] = {}
        self.errors = 0
        """How many errors were found, warnings not counted."""
        self._found: dict[tuple[str, str, Span | None], Diagnostic] = {}
        self._calls: list[tuple[str, Span]] = []

    def enter(self, block: str, call: Span) -> None:
        """A block is being expanded: mistakes in it name the place of the call, until `leave`."""
        self._calls.append((block, call))

    def leave(self) -> None:
        self._calls.pop()

    def error(self, code: str, message: str, span: Span | None, **more: Any) -> Poison:
        """Note a mistake; the value in its place is poison. The same mistake counts once."""
        self.add(Diagnostic(code, message, span, **more))
        return POISON

    def warning(self, code: str, message: str, span: Span | None, **more: Any) -> None:
        self.add(Diagnostic(code, message, span, severity=Severity.WARNING, **more))

    def add(self, diagnostic: Diagnostic) -> None:
        if self._calls and not diagnostic.notes and diagnostic.code in _DEPEND_ON_ARGUMENTS:
            diagnostic = replace(diagnostic, notes=self._called())
        key = (diagnostic.code, "" if diagnostic.span else diagnostic.message, diagnostic.span)
        if key in self._found:
            return
        self._found[key] = diagnostic
        self.errors += diagnostic.severity is Severity.ERROR
        if self.errors >= MAX_PROBLEMS:
            self.stop()

    def take(self, error: CatError) -> None:
        """Note everything that `error` carries."""
        for diagnostic in error.diagnostics:
            self.add(diagnostic)

    def _called(self) -> tuple[str, ...]:
        innermost = self._calls[: -_CALLS_SHOWN - 1 : -1]
        return tuple(f"in block `{block}`, called at {span}" for block, span in innermost)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All that was found, in the order of the text.

        Beside errors no warnings of unused names: a mistyped use leaves its name unused.
        """
        found = (d for d in self._found.values() if not (self.errors and d.code == "E208"))
        return tuple(sorted(found, key=lambda d: (d.span is None, d.span)))

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.diagnostics if d.severity is Severity.WARNING)

    def stop_on_errors(self) -> None:
        """Raise CatError where there are errors."""
        if self.errors:
            self.stop()

    def stop(self) -> NoReturn:
        """Raise CatError with all that was found."""
        raise CatError(self.diagnostics, self.sources)
