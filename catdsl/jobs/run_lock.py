"""One writer per run: a lock on its folder, and a word in it on who holds the lock."""

import json
import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from filelock import FileLock, Timeout
from pydantic import Field, TypeAdapter

from catdsl.diagnostics import CatError
from catdsl.diagnostics.printable import printable
from catdsl.files import not_writable, write_text
from catdsl.jobs.run_links import check_links
from catdsl.reading import Door, read_json

_LOCK, _WRITER = ".lock", ".writer.json"
_DOOR = Door("word on a run's writer", "E603", "json")
_SHOWN = 300
_POSIX = os.name == "posix"

_Text = Annotated[str, Field(max_length=10_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    """What the file says of the process that holds the lock."""

    pid: Annotated[int, Field(ge=0)]
    host: _Text
    since: _Text
    command: tuple[_Text, ...]


_WRITERS = TypeAdapter(_Writer)


def is_lock(path: Path) -> bool:
    """Whether a file of a run folder is there for its lock alone."""
    return path.name in (_LOCK, _WRITER)


@contextmanager
def writing(folder: Path, command: Sequence[str] = ()) -> Iterator[None]:
    """Held while a command writes into a run folder, which is made where it is missing.

    The system frees the lock of a process that dies, however it does. Raises CatError E603 where another
    process holds it, with what is known of that process, and at the end where the folder has been removed
    or replaced in the meantime; E604 where a link leads out of it, E608 where nothing can be written there.
    """
    made = not folder.exists()
    lock = FileLock(folder / _LOCK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_links(folder)
        lock.acquire(timeout=0)
    except Timeout:
        raise _held(folder) from None
    except OSError as error:
        raise not_writable(folder, error) from error
    begun = os.stat(folder / _LOCK)
    try:
        write_text(folder / _WRITER, json.dumps(asdict(_this_process(command))) + "\n")
        yield
        _check_there(folder, begun)
    finally:
        with suppress(OSError):
            (folder / _WRITER).unlink()
        if made and _POSIX:
            # While it is held: after that another process may hold a lock of the same name.
            _leave_nothing(folder)
        lock.release()
        if made and not _POSIX:
            # Open files cannot be removed there.
            _leave_nothing(folder)


def _this_process(command: Sequence[str]) -> _Writer:
    # A word that the system could not decode cannot be written as UTF-8.
    words = tuple(word.encode("utf-8", "backslashreplace").decode() for word in command)
    now = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    return _Writer(pid=os.getpid(), host=platform.node(), since=now, command=words)


def _held(folder: Path) -> CatError:
    notes: tuple[str, ...] = ()
    # The other process may have had no time to write it, or just have ended.
    with suppress(CatError):
        writer = read_json(folder / _WRITER, _DOOR, _WRITERS)
        doing = f": {' '.join(writer.command)}" if writer.command else ""
        told = f"process {writer.pid} on {writer.host}, since {writer.since}{doing}"
        notes = (printable(told[:_SHOWN]),)
    return CatError.one(
        "E603", f"another process is writing into the run {folder}", notes=notes,
        help="wait until it has ended, or choose another place with -o",
    )  # fmt: skip


def _check_there(folder: Path, begun: os.stat_result) -> None:
    """Raise CatError E603 where the folder is not the one that was locked."""
    try:
        if os.path.samestat(begun, os.stat(folder / _LOCK)):
            return
    except OSError:
        pass
    raise CatError.one(
        "E603", f"the run folder {folder} was removed or replaced while this command wrote into it",
        notes=("what was written before that is not in it",),
        help="start again, and leave the folder where it is until the command has ended",
    )  # fmt: skip


def _leave_nothing(folder: Path) -> None:
    """Remove the folder again where nothing came to be in it: what was asked was refused."""
    with suppress(OSError):
        if all(is_lock(path) for path in folder.iterdir()):
            (folder / _LOCK).unlink(missing_ok=True)
            folder.rmdir()
