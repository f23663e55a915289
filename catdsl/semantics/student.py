"""Student programs: the result of a search as a program.

student of "spec.cat" sha256 "..." { set { ngf = 64 } widths { stem.conv0 = 16 } budget { macs = 2.6G } }
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catdsl.diagnostics import CatError, Diagnostic, Severity, Span
from catdsl.diagnostics.suggest import did_you_mean
from catdsl.ir.graph import Graph
from catdsl.ir.types import Width
from catdsl.semantics.library import SourceFile, read_original
from catdsl.semantics.values import Word
from catdsl.syntax import tree


@dataclass(frozen=True)
class StudentProgram:
    """A parsed student: its spec's file, `--set` values and budget as written, and the widths it chose."""

    spec: SourceFile
    overrides: Mapping[str, str]
    widths: tuple[tree.WidthCount, ...]
    budget: Mapping[str, str]
    digest: str | None
    span: Span


def digest(files: Sequence[SourceFile]) -> str:
    """The hash of a spec: sha256 over the texts of all files that it uses, the spec first."""
    whole = hashlib.sha256()
    for file in files:
        text = file.text.encode()
        whole.update(f"{len(text)}\n".encode() + text)
    return whole.hexdigest()


def student_of(program: tree.Program, source: SourceFile) -> StudentProgram | None:
    """The student that a program holds, or None for a spec. Raises CatError where it holds more."""
    students = [i for i in program.items if isinstance(i, tree.Student)]
    if not students:
        return None
    if len(program.items) > 1:
        other = next(i for i in program.items if i is not students[0])
        raise CatError.one(
            "E211",
            "a student program holds one student and nothing else",
            other.span,
            help="move the rest to its spec",
        )
    student = students[0]
    spec = read_original(student.spec.value, student.spec.span, source)
    seen: set[str] = set()
    for pair in student.parameters:
        if pair.key.text in seen:
            raise CatError.one("E203", f"`{pair.key.text}` is set twice", pair.key.span, help="remove one")
        seen.add(pair.key.text)
    overrides = {p.key.text: _written(p.value, source.text) for p in student.parameters}
    return StudentProgram(
        spec=spec,
        overrides=overrides,
        widths=student.widths,
        budget={p.key.text: _written(p.value, source.text) for p in student.budget},
        digest=student.digest.value if student.digest else None,
        span=student.span,
    )


def student_counts(
    student: StudentProgram, teacher: Graph, files: Sequence[SourceFile]
) -> tuple[dict[str, int], tuple[Diagnostic, ...]]:
    """The counts that a student chose, checked against its spec, and warnings.

    Raises CatError E405 for widths that the spec does not have or that its bounds exclude.
    """
    searched = {w.name: w for w in teacher.widths if w.independent}
    problems: list[Diagnostic] = []
    counts: dict[str, int] = {}
    for item in student.widths:
        name = item.path.text
        if name not in searched:
            reason = "is tied to others and not chosen" if name in teacher.width else "is no width of the spec"
            help_text = did_you_mean(name, searched)
            problems.append(Diagnostic("E405", f"`{name}` {reason}", item.path.span, help=help_text))
        elif name in counts:
            problems.append(Diagnostic("E405", f"`{name}` stands twice", item.path.span))
        elif not _allowed(searched[name], item.count):
            problems.append(_outside(searched[name], item))
        counts[name] = item.count
    if problems:
        raise CatError(problems)
    changed = student.digest is not None and student.digest != digest(files)
    return counts, (_changed(student),) if changed else ()


def literal(value: Any) -> str:
    """A parameter's value as the language writes it. Raises CatError E608 for a text that it cannot write."""
    match value:
        case bool():
            return str(value).lower()
        case Word():
            return value.text
        case str():
            return quoted(value)
        case tuple():
            return "[" + ", ".join(literal(v) for v in value) + "]"
    return str(value)


def quoted(text: str) -> str:
    """A string of the language, which knows no escapes. Raises CatError E608 for a text that no string can hold.

    Control characters could stand in one, and what turns the direction of writing: they are refused with the
    quotes, since nobody who reads the program would see them.
    """
    odd = sorted({c for c in text if c == '"' or not c.isprintable()})
    if odd:
        raise CatError.one(
            "E608", f"a program cannot hold the text {text!a}: it has {' '.join(odd)!a}",
            help="rename the file, or use another value",
        )  # fmt: skip
    return f'"{text}"'


def _written(expr: tree.Expr, text: str) -> str:
    """An expression as it stands in the text."""
    span = expr.span
    lines = text.split("\n")[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


def _allowed(width: Width, count: int) -> bool:
    if count == width.count:
        return True
    return width.low <= count <= width.high and (count - width.low) % width.step == 0


def _outside(width: Width, item: tree.WidthCount) -> Diagnostic:
    step = f" in steps of {width.step}" if width.step > 1 else ""
    allowed = f"{width.low} to {width.high}{step}" if width.low < width.high else f"{width.low}"
    return Diagnostic(
        "E405", f"`{width.name}` takes {allowed}, got {item.count}", item.span,
        notes=(f"it is made at {width.span}",) if width.span else (),
    )  # fmt: skip


def _changed(student: StudentProgram) -> Diagnostic:
    return Diagnostic(
        "E405", "the spec has changed since this student was made; its widths still fit", student.span,
        help="search again if the change matters", severity=Severity.WARNING,
    )  # fmt: skip
