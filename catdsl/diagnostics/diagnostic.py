"""One mistake, as a value; and the two exceptions that carry mistakes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from catdsl.diagnostics.codes import CODES
from catdsl.diagnostics.span import Span


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A mistake: its code, what is wrong, where, and what to do.

    `label` stands beside the caret; `notes` give the other places that matter; `help` says what
    to write instead. A mistake outside any text (a folder, a flag) has no span.
    """

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    notes: tuple[str, ...] = ()
    help: str = ""
    severity: Severity = Severity.ERROR

    def __post_init__(self) -> None:
        assert self.code in CODES, f"undocumented code {self.code}"

    def __str__(self) -> str:
        """Place and message in one line, and the help in a second."""
        place = f"{self.span}: " if self.span else ""
        return f"{place}{self.severity.value}[{self.code}]: {self.message}" + (
            f"\n  help: {self.help}" if self.help else ""
        )


class CatError(Exception):
    """What the user gave is wrong. Carries every diagnostic found, and the texts they point into."""

    def __init__(self, diagnostics: Iterable[Diagnostic], sources: Mapping[str, str] | None = None):
        self.diagnostics = tuple(diagnostics)
        self.sources = dict(sources or {})
        super().__init__("\n".join(map(str, self.diagnostics)))

    @classmethod
    def one(cls, code: str, message: str, span: Span | None = None, **more: object) -> "CatError":
        return cls((Diagnostic(code, message, span, **more),))  # type: ignore[arg-type]


class InternalError(Exception):
    """We are wrong: an invariant of the compiler does not hold."""


def first_line(error: BaseException) -> str:
    """What another library's error says first, or its class where it says nothing."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
