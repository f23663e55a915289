"""A place in a source file, as plain values that survive JSON."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `line:column` up to, not including, `end_line:end_column`; both count from 1."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def to(self, other: "Span") -> "Span":
        """The span from the start of this one to the end of `other`."""
        return Span(self.file, self.line, self.column, other.end_line, other.end_column)
