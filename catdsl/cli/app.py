"""The application that all commands belong to."""

import sys
from typing import Annotated

import typer

from catdsl import __version__

app = typer.Typer(
    name="catdsl", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    rich_markup_mode=None, help="A language and compiler for compressing image-to-image generators.",
)  # fmt: skip


def say(line: str) -> None:
    """Tell a person how things go, beside the results."""
    print(line, file=sys.stderr)


def _version(asked: bool) -> None:
    if asked:
        print(f"catdsl {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """A language and compiler for compressing image-to-image generators."""
