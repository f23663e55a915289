"""Errors as values: places in a source, codes, and how they are shown."""

from catdsl.diagnostics.diagnostic import CatError, Diagnostic, InternalError, Severity, first_line
from catdsl.diagnostics.span import Span

__all__ = ["CatError", "Diagnostic", "InternalError", "Severity", "Span", "first_line"]
