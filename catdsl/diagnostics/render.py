"""Diagnostics as text with a caret, as JSON, and as GitHub annotations."""

import json
import unicodedata
from collections.abc import Iterable, Mapping

from catdsl.diagnostics.diagnostic import Diagnostic, Severity
from catdsl.diagnostics.printable import printable, printable_lines

_RED, _YELLOW, _BLUE, _BOLD, _OFF = "\x1b[31m", "\x1b[33m", "\x1b[34m", "\x1b[1m", "\x1b[0m"
_TAB = "    "
_LONGEST_LINE = 200


def render_text(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str], *, color: bool = False) -> str:
    """All diagnostics for a person, in the order given."""
    return "\n".join(_one(d, sources, color) for d in diagnostics)


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """A list of `{code, severity, message, file, line, column, end_line, end_column, notes, help}`."""
    return json.dumps([as_dict(d) for d in diagnostics], indent=2, ensure_ascii=False)


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """Workflow commands that annotate the lines of a pull request."""
    return "\n".join(_annotation(d) for d in diagnostics)


def as_dict(diagnostic: Diagnostic) -> dict[str, object]:
    span = diagnostic.span
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "file": span.file if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "end_line": span.end_line if span else None,
        "end_column": span.end_column if span else None,
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
    }


def _one(d: Diagnostic, sources: Mapping[str, str], color: bool) -> str:
    paint = (lambda text, *codes: "".join(codes) + text + _OFF) if color else (lambda text, *_: text)
    tone = _RED if d.severity is Severity.ERROR else _YELLOW
    lines = [paint(f"{d.severity.value}[{d.code}]", _BOLD, tone) + paint(f": {printable(d.message)}", _BOLD)]
    gutter = " "
    if d.span is not None:
        gutter = " " * len(str(d.span.line))
        lines.append(f"{gutter} {paint('-->', _BLUE)} {printable(str(d.span))}")
        lines += _excerpt(d, sources.get(d.span.file), gutter, tone, paint)
    lines += [f"{gutter} {paint('=', _BLUE)} note: {printable(note)}" for note in d.notes]
    if d.help:
        lines.append(f"{gutter} {paint('=', _BLUE)} help: {printable(d.help)}")
    return "\n".join(lines) + "\n"


def _excerpt(d, text, gutter, tone, paint) -> list[str]:
    span = d.span
    source_lines = text.split("\n") if text is not None else []
    if not 1 <= span.line <= len(source_lines):
        return []
    line = source_lines[span.line - 1].rstrip("\r")
    end = span.end_column if span.end_line == span.line else len(line) + 1
    first = max(0, span.column - 1 - _LONGEST_LINE // 2)
    shown = line[first : first + _LONGEST_LINE]
    before = shown[: span.column - 1 - first]
    under = line[span.column - 1 : max(end - 1, span.column)]
    carets = "^" * max(1, min(_columns(under), _LONGEST_LINE))
    label = f" {printable(d.label)}" if d.label else ""
    bar = paint("|", _BLUE)
    return [
        f"{gutter} {bar}",
        f"{paint(str(span.line), _BLUE)} {bar} {printable(shown)}",
        f"{gutter} {bar} {' ' * _columns(before)}{paint(carets + label, tone)}",
        f"{gutter} {bar}",
    ]


def _columns(text: str) -> int:
    """How many terminal columns `text` takes, wide and combining characters counted as shown."""
    return sum(_char_columns(c) for c in text)


def _char_columns(char: str) -> int:
    if char == "\t":
        return len(_TAB)
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _annotation(d: Diagnostic) -> str:
    body = " ".join((d.message, *d.notes, d.help)).strip()
    place = ""
    if d.span is not None:
        place = (
            f" file={_escape(d.span.file, property=True)},line={d.span.line},col={d.span.column},"
            f"endLine={d.span.end_line},endColumn={d.span.end_column},title={d.code}"
        )
    return f"::{d.severity.value}{place}::{_escape(body)}"


def _escape(text: str, *, property: bool = False) -> str:
    """Text within a workflow command, which ends with its line; logs are shown in terminals and browsers."""
    text = printable_lines(text.replace("\r\n", "\n").replace("\r", "\n"))
    text = text.replace("%", "%25").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if property else text
