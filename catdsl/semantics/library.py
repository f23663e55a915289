"""Files behind `use`: beside the spec or in the shipped library, and nowhere else."""

import os
from dataclasses import dataclass
from pathlib import Path

from catdsl import resources
from catdsl.diagnostics import CatError, Span
from catdsl.diagnostics.suggest import did_you_mean
from catdsl.reading import Door, read_text
from catdsl.syntax import tree

SPEC_DOOR = Door("spec", "E210", "spec", "check the path, and name a .cat file", too_large="E103")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A text and where it is from. `shown` is its name in messages; `home` may not be left by `use`."""

    shown: str
    text: str
    path: Path | None = None
    home: Path | None = None


def read_spec(path: Path) -> SourceFile:
    """A spec named on the command line. Raises CatError E210."""
    text = _read(path, str(path), None)
    target = _resolved(path, str(path), None)
    return SourceFile(str(path), text, target, target.parent)


def read_used(use: tree.Use, user: SourceFile) -> SourceFile:
    """The file that a `use` names. Raises CatError E210 where it may not or cannot be read."""
    if not use.is_file:
        return _module(use)
    if user.home is None or user.path is None:
        raise CatError.one(
            "E210", "a spec that is not a file cannot use files", use.library_span,
            help="save it to a file, or use the library: `use inc_res from std.inception`",
        )  # fmt: skip
    return _beside(use.library, user, user.path, user.home, use.library_span, of="spec")


def read_original(name: str, span: Span, student: SourceFile) -> SourceFile:
    """The spec that a student program names, confined as files of `use` are.

    Raises CatError E210 where it may not or cannot be read.
    """
    if student.home is None or student.path is None:
        raise CatError.one("E210", "a student program that is not a file has no spec", span, help="save it to a file")
    found = _beside(name, student, student.path, student.home, span, of="student program")
    assert found.path is not None
    return SourceFile(found.shown, found.text, found.path, found.path.parent)


def _beside(name: str, user: SourceFile, path: Path, home: Path, span: Span, *, of: str) -> SourceFile:
    """A file that a text names relative to itself, in its own folder or below."""
    given = Path(name)
    target = _resolved(path.parent / given, name, span)
    if given.is_absolute() or not target.is_relative_to(home):
        raise CatError.one(
            "E210", f'"{name}" lies outside the folder of the {of}', span,
            help="copy the file beside it, and name it relative to it",
        )  # fmt: skip
    # Without `..`, so that a file has one name whichever way leads to it.
    shown = os.path.normpath(Path(user.shown).parent / given)
    return SourceFile(shown, _read(target, name, span), target, home)


def _module(use: tree.Use) -> SourceFile:
    home = resources.folder("specs")
    path = home.joinpath(*use.library.split(".")).with_suffix(".cat")
    known = [".".join(p.relative_to(home).with_suffix("").parts) for p in sorted((home / "std").glob("**/*.cat"))]
    if use.library not in known:
        raise CatError.one(
            "E210", f"the library has no `{use.library}`", use.library_span,
            help=did_you_mean(use.library, known, otherwise="it has " + ", ".join(known)),
        )  # fmt: skip
    return SourceFile(use.library, _read(path, use.library, use.library_span), path, home)


def _read(path: Path, shown: str, span: Span | None) -> str:
    return read_text(path, SPEC_DOOR, shown=shown, span=span)


def _resolved(path: Path, shown: str, span: Span | None) -> Path:
    """Where a path leads, all links followed."""
    try:
        return path.resolve()
    # Links in a circle are a RuntimeError, a null character is a ValueError.
    except (OSError, RuntimeError, ValueError) as error:
        raise SPEC_DOOR.unreadable(shown, error, span) from None
