"""A run's own copy of its spec, and how a spec differs from it."""

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

from catdsl.diagnostics import CatError
from catdsl.files import is_temporary, write_text
from catdsl.reading import read_text, there
from catdsl.semantics.library import SPEC_DOOR, SourceFile

_SHOWN = 20
_COMPARED = 1000
"""Lines up to which those that stayed are looked for between those that changed."""


def copy_spec(folder: Path, files: Sequence[SourceFile]) -> None:
    """Write the spec and the files beside it that it uses to `folder`; the library's come with catdsl."""
    for inside, file in _own(files):
        write_text(folder / inside, file.text)


def is_copy(folder: Path, files: Sequence[SourceFile]) -> bool:
    """Whether a folder holds nothing but a copy of the spec, or as much of one as a killed process has written."""
    own = {inside.as_posix(): file.text for inside, file in _own(files)}
    try:
        found = {path: path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
        return all(
            own.get(name) == read_text(path, SPEC_DOOR) for path, name in found.items() if not is_temporary(path)
        )
    except (CatError, OSError):
        return False


def spec_changes(folder: Path, files: Sequence[SourceFile]) -> list[str]:
    """The lines that differ from the copy in `folder`, the first of many, as a unified diff has them."""
    lines = [line for inside, file in _own(files) for line in _changed(folder / inside, file.text)]
    if not lines:
        return ["spec: the text is the same, and a file of the library that it uses is not"]
    more = [f"... and {len(lines) - _SHOWN} more lines"] if len(lines) > _SHOWN else []
    return [*lines[:_SHOWN], *more]


def _own(files: Sequence[SourceFile]) -> Iterator[tuple[Path, SourceFile]]:
    """The files of a spec that are its own, by their places inside a copy."""
    main = files[0]
    for file in files:
        if file is main:
            yield Path(Path(file.shown).name), file
        elif file.path is not None and main.home is not None and file.home == main.home:
            yield file.path.relative_to(main.home), file


def _changed(copy: Path, text: str) -> list[str]:
    before = read_text(copy, SPEC_DOOR).splitlines() if there(copy) else []
    after = text.splitlines()
    # What begins and ends alike is left out first: comparing takes the square of the lines.
    start = _alike(before, after)
    end = _alike(before[start:][::-1], after[start:][::-1])
    before, after = before[start : len(before) - end], after[start : len(after) - end]
    if max(len(before), len(after)) > _COMPARED:
        lines = [*(f"-{line}" for line in before), *(f"+{line}" for line in after)]
    else:
        diff = difflib.unified_diff(before, after, n=0, lineterm="")
        lines = [line for line in diff if not line.startswith(("---", "+++", "@@"))]
    return [f"{copy.name}: {line}" for line in lines]


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines are equal from the beginning."""
    pairs = zip(one, other, strict=False)
    return next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
