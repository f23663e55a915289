"""Files behind `use`: beside the spec or in the shipped library, and nowhere else."""

import os
from dataclasses import dataclass
from pathlib import Path

from catdsl import resources
from catdsl.diagnostics import CatError, Span
from catdsl.diagnostics.suggest import did_you_mean
from catdsl.syntax import tree

MAX_FILE = 1_000_000


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
    given = Path(use.library)
    target = _resolved(user.path.parent / given, use.library, use.library_span)
    if given.is_absolute() or not target.is_relative_to(user.home):
        raise CatError.one(
            "E210", f'"{use.library}" lies outside the folder of the spec', use.library_span,
            help="copy the file beside the spec, and name it relative to it",
        )  # fmt: skip
    # Without `..`, so that a file has one name whichever way leads to it.
    shown = os.path.normpath(Path(user.shown).parent / given)
    return SourceFile(shown, _read(target, use.library, use.library_span), target, user.home)


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
    try:
        if path.is_dir():
            raise CatError.one("E210", f"{shown} is a folder, not a spec", span, help="name a .cat file")
        if path.stat().st_size > MAX_FILE:
            raise CatError.one("E103", f"{shown} is larger than {MAX_FILE:,} bytes, the limit", span)
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise CatError.one(
            "E210", f"{shown} is not UTF-8 text (byte {error.start})", span, help="save it as UTF-8"
        ) from None
    except (OSError, ValueError) as error:
        raise _unreadable(shown, error, span) from None


def _resolved(path: Path, shown: str, span: Span | None) -> Path:
    """Where a path leads, all links followed."""
    try:
        return path.resolve()
    # Links in a circle are a RuntimeError, a null character is a ValueError.
    except (OSError, RuntimeError, ValueError) as error:
        raise _unreadable(shown, error, span) from None


def _unreadable(shown: str, error: Exception, span: Span | None) -> CatError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return CatError.one("E210", f"cannot read {shown}: {reason}", span, help="check the path")
