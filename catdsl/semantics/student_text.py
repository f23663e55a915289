"""Student programs as text; apart from their reading, which needs no formatter."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from catdsl.semantics.library import SourceFile
from catdsl.semantics.student import digest, literal, quoted
from catdsl.syntax.layout import format_text


def write_student(
    *, spec: Path, folder: Path, files: Sequence[SourceFile], parameters: Mapping[str, Any],
    kept: Mapping[str, int], budget: Mapping[str, int | str],
) -> str:  # fmt: skip
    """The text of a student program that will lie in `folder`. Raises CatError E608 for names that it cannot hold."""
    shown = Path(os.path.relpath(spec.resolve(), folder.resolve())).as_posix()
    sections = (
        _section("set", {n: literal(v) for n, v in parameters.items()}),
        _section("widths", {n: str(c) for n, c in kept.items()}),
        _section("budget", {n: str(v) for n, v in budget.items()}),
    )
    text = f'cat 1 student of {quoted(shown)} sha256 "{digest(files)}" {{ {" ".join(sections)} }}'
    return format_text(text, "student.cat")


def _section(name: str, pairs: Mapping[str, str]) -> str:
    if not pairs:
        return ""
    return f"{name} {{ {', '.join(f'{key} = {value}' for key, value in pairs.items())} }}"
