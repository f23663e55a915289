"""The application that all commands belong to."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from catdsl import __version__
from catdsl.cli.flags import Format
from catdsl.cli.printing import put, put_json, tell
from catdsl.diagnostics.printable import printable

app = typer.Typer(
    name="catdsl", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    rich_markup_mode=None, help="A language and compiler for compressing image-to-image generators.",
)  # fmt: skip


def show_paths(paths: Iterable[Path], format: Format) -> None:
    """Print what was written: a line each, or a list for programs."""
    names = [str(path) for path in paths]
    if format is Format.json:
        put_json(json.dumps(names, indent=1, ensure_ascii=False))
    else:
        put("\n".join(map(printable, names)))


def typed() -> tuple[str, ...]:
    """The command as it was given, for records of what was done."""
    return ("catdsl", *sys.argv[1:])


def say(line: str) -> None:
    """Tell a person in one line how things go, beside the results."""
    tell(printable(line))


def _version(asked: bool) -> None:
    if asked:
        put(f"catdsl {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """A language and compiler for compressing image-to-image generators."""
