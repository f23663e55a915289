"""The command line. Results go to stdout, errors to stderr."""

import gc
import sys


def program() -> None:
    """The command as a process of its own: with its signals, its standard streams and its end."""
    from catdsl.cli import signals

    signals.starting()
    from catdsl.cli import streams

    streams.make_usable()
    try:
        main()
    finally:
        signals.ending()
        streams.settle()


def main() -> None:
    """Run a command. Exit codes: 0 done, 1 spec, data or budget is wrong, 2 usage, 70 our fault, 130 interrupted."""
    # Imports and parsing make many objects and no garbage: collecting them costs a fifth of `check`.
    gc.set_threshold(100_000, 50, 50)
    sys.exit(_run())


def _run() -> int:
    try:
        # Each module adds its commands to the application, in the order of its help.
        from catdsl.cli import (  # noqa: I001
            spec_commands, search_commands, run_commands, evaluate_commands, export_commands, data_commands,  # noqa: F401
        )  # fmt: skip
        from catdsl.cli.app import app
        from catdsl.cli.guard import guarded
        from catdsl.cli.paths import leave_paths
        from catdsl.cli.signals import running
        from catdsl.cli.usage import run

    except (OSError, ImportError, MemoryError) as error:
        from catdsl.cli.refusals import refusal, tell

        known = refusal(error)
        if known is None:
            raise
        tell(known)
        return 1
    leave_paths(app)
    running()
    return guarded(lambda: run(app))
