"""The command line. Results go to stdout, errors to stderr."""

import gc
import sys

from catdsl.diagnostics.printable import write_line


def main() -> None:
    """Run a command. Exit codes: 0 done, 1 spec, data or budget is wrong, 2 usage, 70 our fault."""
    # Imports and parsing make many objects and no garbage: collecting them costs a fifth of `check`.
    gc.set_threshold(100_000, 50, 50)
    try:
        sys.exit(_run())
    except KeyboardInterrupt:  # while the compiler was loading
        write_line(sys.stderr, "interrupted")
        sys.exit(130)


def _run() -> int:
    # Each module adds its commands to the application, in the order of its help.
    from catdsl.cli import (  # noqa: I001
        spec_commands, search_commands, run_commands, evaluate_commands, export_commands, data_commands,  # noqa: F401
    )  # fmt: skip
    from catdsl.cli.app import app
    from catdsl.cli.guard import guarded
    from catdsl.cli.usage import run

    return guarded(lambda: run(app))
