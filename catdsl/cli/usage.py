"""A command that was typed wrongly is told so without the control characters of what was typed."""

import sys
from functools import cache
from io import StringIO
from typing import Any

import typer
from typer.main import get_command

from catdsl.cli.printing import tell

# The base of all that is wrong about a command line; typer has it from a package that has changed its name.
_UsageError: Any = typer.BadParameter.__base__
# Typer builds all commands anew each time that one runs.
_command = cache(get_command)


def run(app: typer.Typer) -> None:
    """Run the command that was typed. Ends with SystemExit: 2 where it was typed wrongly."""
    try:
        code = _command(app)(standalone_mode=False)
    except _UsageError as error:
        shown = StringIO()
        error.show(shown)
        tell(shown.getvalue().rstrip("\n"))
        sys.exit(error.exit_code)
    sys.exit(code if isinstance(code, int) else 0)
