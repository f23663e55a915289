"""Files that appear whole or not at all, whatever moment the process dies at."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from catdsl.diagnostics import CatError


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in the place of `path`.

    The bytes are on the disk before the name changes, and the folder after it, so that a crash
    leaves either the old file or the new one. A folder that is missing is made. Raises CatError
    E608 where the file cannot be written; the old file is then untouched.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        if path.exists():
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise not_writable(path, error) from error
        raise
    # Some network disks cannot do this; the file is there all the same.
    with suppress(OSError):
        _sync_folder(path.parent)


def cache_folder(name: str) -> Path:
    """Where catdsl keeps what can be made again: `catdsl/NAME` in the user's cache (XDG_CACHE_HOME, or ~/.cache)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "catdsl" / name


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all. Raises CatError E608."""
    write_whole(path, lambda stream: stream.write(text.encode("utf-8")))


def not_writable(path: Path, error: OSError) -> CatError:
    """The error for a file or folder that the system refuses to write."""
    return CatError.one(
        "E608",
        f"cannot write {path}: {error.strerror or error}",
        help="a part of this path is a file, choose another"
        if isinstance(error, FileExistsError | NotADirectoryError)
        else "check that the folder may be written to and that the disk is not full",
    )


def _sync_folder(folder: Path) -> None:
    """Make the renaming itself durable; only POSIX lets a folder be opened for that."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
