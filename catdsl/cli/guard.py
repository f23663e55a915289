"""Around every command: errors to stderr in the asked form, exit codes, specs opened with their warnings."""

import gc
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import typer

from catdsl.backend.compilers import of_a_compiler
from catdsl.cli import signals
from catdsl.cli.printing import tell_styled
from catdsl.cli.refusals import refusal
from catdsl.cli.speaking import speaks
from catdsl.diagnostics import CatError, Diagnostic, first_line
from catdsl.diagnostics.printable import write_json, write_line
from catdsl.diagnostics.render import render_json, render_text
from catdsl.project import Project, load


def guarded(run: Callable[[], object]) -> int:
    """The exit code of a command: 0 done, 1 what the user can mend, 2 usage, 70 our fault, 128 + N signal N."""
    try:
        run()
        code = 0
    except BaseException as error:
        code = _ended(error)
    return code or _flushed()


def _ended(error: BaseException) -> int:
    interrupted = signals.noted()
    if interrupted is not None:
        return interrupted
    match error:
        case SystemExit():
            return error.code if isinstance(error.code, int) else int(error.code is not None)
        case KeyboardInterrupt():
            return 130
        case CatError():
            return _refuse(error)
    if of_a_compiler(error):
        return _refuse(
            CatError.one(
                "E607", f"torch.compile failed: {first_line(error)}",
                help="set compile = false in train { }, or install the C++ compiler that it needs",
            )
        )  # fmt: skip
    known = refusal(error)
    return _fault(error) if known is None else _refuse(known)


def _flushed() -> int:
    """Write out what is printed while it can still be said that this fails."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return _ended(error)
    return 0


def _refuse(error: CatError) -> int:
    if not speaks():
        return 1
    # Where nothing can be told, the exit code has to do.
    with suppress(OSError):
        if _wants_json():
            write_json(sys.stderr, render_json(error.diagnostics))
        else:
            show(error.diagnostics, error.sources)
    return 1


def _fault(error: BaseException) -> int:
    with suppress(OSError):
        write_line(sys.stderr, "".join(traceback.format_exception(error)))
        write_line(
            sys.stderr,
            "catdsl failed; this is a fault of catdsl, not of your spec. Please report it with the text above.",
        )
    return 70


def _wants_json() -> bool:
    """Whether `--format json` was asked for, also where the command failed before it could look."""
    arguments = sys.argv[1:]
    return "--format=json" in arguments or ("--format", "json") in pairwise(arguments)


def open_spec(path: Path, set_: list[str] | None) -> Project:
    """A checked project; its warnings are shown."""
    project = load(path, overrides(set_))
    _ = project.graph
    # Modules, classes and the spec stay: what comes next need not look for garbage among them.
    gc.freeze()
    show(project.warnings, project.sources)
    return project


def overrides(set_: list[str] | None) -> dict[str, str]:
    pairs = {}
    for item in set_ or ():
        name, separator, value = item.partition("=")
        if not separator or not name.strip():
            raise typer.BadParameter(f"`{item}` is not NAME=VALUE", param_hint="--set")
        pairs[name.strip()] = value.strip()
    return pairs


def overrides_of(source: Path, set_: list[str] | None, *, teacher: bool = False) -> dict[str, str]:
    """The values of `--set` where a run or a spec may be given; what goes with the other of them is refused."""
    if set_ and source.is_dir():
        raise typer.BadParameter("it is for a SPEC; a run has the values that it was made with", param_hint="--set")
    if teacher and source.is_file():
        raise typer.BadParameter("it is for a RUN, which has a teacher and a student", param_hint="--use-teacher")
    return overrides(set_)


def show(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str]) -> None:
    if not speaks():
        return
    text = render_text(diagnostics, sources, color=sys.stderr.isatty() and not os.environ.get("NO_COLOR"))
    if text:
        tell_styled(text)
