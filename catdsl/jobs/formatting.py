"""`fmt`: specs in the canonical layout, in place or as a difference."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from catdsl.diagnostics import CatError, Diagnostic
from catdsl.files import write_text
from catdsl.semantics.library import read_spec
from catdsl.syntax.layout import format_text


@dataclass(frozen=True, slots=True)
class Formatted:
    """A file, its text, and the same in the canonical layout."""

    path: Path
    before: str
    after: str

    @property
    def changes(self) -> bool:
        return self.before != self.after

    def write(self) -> None:
        """Replace the file, whole or not at all; a link stays one. Raises CatError E608."""
        write_text(self.path, self.after)

    def difference(self) -> str:
        # Lines as the language has them: other characters that Python takes for breaks stay inside.
        before, after = (text.removesuffix("\n").split("\n") for text in (self.before, self.after))
        lines = unified_diff(before, after, str(self.path), f"{self.path} (formatted)", lineterm="")
        return "".join(f"{line}\n" for line in lines)


def format_files(paths: Sequence[Path]) -> tuple[list[Formatted], CatError | None]:
    """All files that can be formatted, and the mistakes of the others as one error."""
    done: list[Formatted] = []
    problems: list[Diagnostic] = []
    sources: dict[str, str] = {}
    for path in paths:
        try:
            source = read_spec(path)
            done.append(Formatted(path, source.text, format_text(source.text, source.shown)))
        except CatError as error:
            problems += error.diagnostics
            sources |= error.sources
    return done, CatError(problems, sources) if problems else None
