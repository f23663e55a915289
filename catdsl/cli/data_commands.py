"""Commands for data folders: each reads its arguments, calls one function, and prints."""

import json
from pathlib import Path
from typing import Annotated

import typer

from catdsl.cli.app import app
from catdsl.cli.flags import Format, FormatOption, Limit
from catdsl.cli.printing import put, put_json

data = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look at folders of images.")
app.add_typer(data, name="data")


@data.callback()
def _data() -> None:
    """Look at folders of images."""


@data.command()
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="a folder of images")],
    format: FormatOption = Format.text,
    limit: Limit = None,
) -> None:
    """Say what a folder holds, which of its files cannot be used, and the settings to read it with.

    Example: catdsl data check facades
    """
    from catdsl.jobs.data_check import check_json, check_text, problem_of
    from catdsl.train.data.survey import survey

    found = survey(folder)
    if format is Format.json:
        put_json(json.dumps(check_json(found), indent=1))
    else:
        put(check_text(found))
    problem = problem_of(found)
    if problem is not None:
        raise problem
