"""A run's own copy of its spec, and how a spec differs from it."""

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

from catdsl.files import write_text
from catdsl.semantics.library import SourceFile

_SHOWN = 20


def copy_spec(folder: Path, files: Sequence[SourceFile]) -> None:
    """Write the spec and the files beside it that it uses to `folder`; the library's come with catdsl."""
    for inside, file in _own(files):
        write_text(folder / inside, file.text)


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
    before = copy.read_text(encoding="utf-8").splitlines() if copy.exists() else []
    diff = difflib.unified_diff(before, text.splitlines(), n=0, lineterm="")
    return [f"{copy.name}: {line}" for line in diff if not line.startswith(("---", "+++", "@@"))]
