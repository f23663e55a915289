"""Around every command: errors to stderr in the asked form, exit codes, specs opened with their warnings."""

import errno
import gc
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from pathlib import Path

import typer

from catdsl.backend.compilers import of_a_compiler
from catdsl.cli.printing import tell_styled
from catdsl.cli.speaking import speaks
from catdsl.diagnostics import CatError, Diagnostic
from catdsl.diagnostics.printable import write_json, write_line
from catdsl.diagnostics.render import render_json, render_text
from catdsl.project import Project, load

# torch.OutOfMemoryError says the first; the CPU's allocator, a plain RuntimeError, the second.
_NO_MEMORY = re.compile(r"out of memory|can't allocate memory", re.IGNORECASE)


def guarded(run: Callable[[], object]) -> int:
    try:
        run()
    except CatError as error:
        return _refuse(error)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:
        write_line(sys.stderr, "interrupted")
        return 130
    except BrokenPipeError:
        return 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            return _fault()
        write_line(sys.stderr, "error: the results cannot be written: no space is left on the device")
        return 1
    except RuntimeError as error:
        return _told(error) or _fault()
    except Exception:
        return _fault()
    return 0


def _told(error: RuntimeError) -> int:
    """Tell of what torch could not do here, which is no fault of catdsl's; 0 for anything else."""
    line = str(error).strip().partition("\n")[0]
    if _NO_MEMORY.search(str(error)):
        return _refuse(
            CatError.one(
                "E606", f"memory has run out: {line}",
                help="lower --batch of `evaluate`, or `batch` or `crop` of a training, or raise its `accumulate`; "
                "a training goes on from its last checkpoint with --resume",
            )
        )  # fmt: skip
    if of_a_compiler(error):
        return _refuse(
            CatError.one(
                "E607", f"torch.compile failed: {line}",
                help="set compile = false in train { }, or install the C++ compiler that it needs",
            )
        )  # fmt: skip
    return 0


def _refuse(error: CatError) -> int:
    if not speaks():
        return 1
    if _wants_json():
        write_json(sys.stderr, render_json(error.diagnostics))
    else:
        show(error.diagnostics, error.sources)
    return 1


def _fault() -> int:
    write_line(sys.stderr, traceback.format_exc())
    write_line(
        sys.stderr, "catdsl failed; this is a fault of catdsl, not of your spec. Please report it with the text above."
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
