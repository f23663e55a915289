"""Errors as values: places in a source, codes, and how they are shown."""

from catdsl.diagnostics.diagnostic import CatError, Diagnostic, InternalError, Severity
from catdsl.diagnostics.span import Span

__all__ = ["CatError", "Diagnostic", "InternalError", "Severity", "Span"]
