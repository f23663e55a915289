"""Which files a command may replace: those that it has made itself and nobody has changed, unless told `--overwrite`.

A file shows by a mark that a command has made it. So the same command can be given twice, and what a
user or another command has made is refused (E608), and what the command itself reads always is. Texts
bear a comment with a digest of the rest, so that one that was edited is the user's; what is no text bears
it in its own metadata.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from catdsl.diagnostics import CatError
from catdsl.files import not_writable, write_text
from catdsl.project import Project

OVERWRITE = "--overwrite"

_LARGEST_TEXT = 64_000_000
_END = 65_536
"""Bytes at each end of a file that marks of other files than texts are looked for in."""
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class TextMark:
    """A comment in one form of text; it ends the text, or in JSON, which has none, is the first key."""

    form: str
    first: bool = False

    def mark(self, text: str, command: str) -> str:
        said = self.form.format(f"{command} {_digest(text)}")
        return f"{{{said}{text[1:]}" if self.first else f"{text}{said}"

    def marks(self, text: str, command: str) -> bool:
        before, after = (re.escape(part) for part in self.form.split("{}"))
        found = list(re.finditer(f"{before}{re.escape(command)} ([0-9a-f]{{{_DIGITS}}}){after}", text))
        match = (found[0] if self.first else found[-1]) if found else None
        return match is not None and _digest(text[: match.start()] + text[match.end() :]) == match[1]


_MARKUP = TextMark("<!-- made by catdsl {} -->\n")
_TEXTS: Mapping[str, TextMark] = {
    ".svg": _MARKUP,
    ".html": _MARKUP,
    ".md": _MARKUP,
    ".mmd": TextMark("%% made by catdsl {}\n"),
    ".dot": TextMark("// made by catdsl {}\n"),
    ".py": TextMark("\n\n# made by catdsl {}\n"),
    ".cat": TextMark("# made by catdsl {}\n"),
    ".json": TextMark('\n "made_by": "catdsl {}",', first=True),
}
_OTHERS: Mapping[tuple[str, str], bytes] = {
    # Metadata that only this command gives such a file: `train`, too, writes .safetensors.
    ("export", ".onnx"): b"catdsl.program_sha256",
    ("export", ".pt2"): b"catdsl.program_sha256",
    ("export", ".safetensors"): b"catdsl.program_sha256",
    ("import-weights", ".safetensors"): b"imported from",
}


def check_target(path: Path, command: str, *, overwrite: bool, inputs: Iterable[Path | None] = ()) -> None:
    """Refuse to replace a file that `catdsl COMMAND` has not made, or that was changed since.

    `inputs` are what the command reads, see `check_no_input`. Raises CatError E608.
    """
    check_no_input(path, inputs)
    try:
        if overwrite or not path.is_file() or made_by(path, command):
            return
    except OSError as error:
        raise not_writable(path, error) from error
    raise refusal(path, f"`catdsl {command}` has not made it, or it was changed since")


def check_no_input(path: Path, inputs: Iterable[Path | None]) -> None:
    """Refuse to replace a file that the same command reads, by whatever name, even with --overwrite.

    Raises CatError E608.
    """
    for given in inputs:
        try:
            same = given is not None and given.is_file() and path.samefile(given)
        except (OSError, ValueError):
            # One of them is not there, or cannot be: whoever reads or writes it says so.
            continue
        if same:
            told = "" if path == given else f", {given}"
            raise CatError.one("E608", f"{path} is a file that this command reads{told}", help="choose another with -o")


def files_of(project: Project) -> tuple[Path, ...]:
    """The files that a spec or a student program was read from."""
    return tuple(file.path for file in (project.source, *project.spec.files) if file.path is not None)


def refusal(path: Path, why: str, *, notes: tuple[str, ...] = ()) -> CatError:
    """The error for a file that would be lost."""
    return CatError.one(
        "E608", f"{path} exists already, and {why}", notes=notes,
        help=f"choose another place with -o, or replace it with {OVERWRITE}",
    )  # fmt: skip


def write_marked(path: Path, text: str, command: str, *, overwrite: bool) -> None:
    """Write a text with its mark, whole or not at all. Raises CatError E608, also for a file that must stay."""
    check_target(path, command, overwrite=overwrite)
    mark = _TEXTS.get(path.suffix)
    write_text(path, text if mark is None else mark.mark(text, command))


def marked(text: str, suffix: str, command: str) -> str:
    """A text for a file of that ending, with its mark."""
    return _TEXTS[suffix].mark(text, command)


def made_by(path: Path, command: str) -> bool:
    """Whether a file bears the mark of a command, and is as it was written. Raises OSError."""
    mark = _TEXTS.get(path.suffix)
    if mark is not None:
        if path.stat().st_size > _LARGEST_TEXT:
            return False
        # Bytes and not lines: a text that an editor has given other ends of lines was changed.
        return mark.marks(path.read_bytes().decode("utf-8", "replace"), command)
    wanted = _OTHERS.get((command, path.suffix))
    return wanted is not None and holds(path, wanted)


def holds(path: Path, wanted: bytes) -> bool:
    """Whether some bytes stand near an end of a file. Raises OSError."""
    with path.open("rb") as stream:
        head = stream.read(_END)
        stream.seek(max(path.stat().st_size - _END, 0))
        return wanted in head or wanted in stream.read(_END)


def check_fresh(path: Path, *, overwrite: bool) -> Path:
    """A folder for results, new or empty unless it may be written into. Raises CatError E603, E608."""
    try:
        if path.exists() and (path.is_file() or (not overwrite and any(path.iterdir()))):
            more = "" if path.is_file() else f", or write into this one with {OVERWRITE}"
            raise CatError.one("E603", f"{path} exists already", help=f"choose a new or empty folder with -o{more}")
    except OSError as error:
        raise not_writable(path, error) from error
    return path


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
