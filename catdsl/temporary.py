"""Temporary files and folders of this package: named alike, locked while in use, removed once their process is dead.

The lock of the system (`flock`) says whether a process still uses one: it ends with the process, however
that dies, and does not confuse a new process with a dead one of the same number. Where a disk has no such
locks, or the name tells of another machine, only what is a day old is taken for dead.
"""

import errno
import os
import re
import shutil
import stat
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

if sys.platform != "win32":
    import fcntl

BEFORE = "before"
"""Inside a temporary folder: what lay in a place while something else is put there."""

_NAME = re.compile(r"\.catdsl-([0-9a-f]{8})-[0-9a-f]{24}\.tmp")
_MACHINE = f"{zlib.crc32((os.uname().nodename if os.name == 'posix' else '').encode()):08x}"
_LOOKED_AT = 2_000
"""Entries of a folder that are looked at: a write shall not take longer the more files lie beside it."""
_DAY = 24 * 60 * 60
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_TO_LOOK = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_TRIES = 100


def is_temporary(path: Path) -> bool:
    """Whether a name is that of a temporary file or folder of this package."""
    return _NAME.fullmatch(path.name) is not None


def new_file(folder: Path, mode: int) -> tuple[Path, int]:
    """A new, empty, locked file in a folder: its path and its handle. `mode` is under the umask. Raises OSError."""
    for _ in range(_TRIES):
        path = _fresh(folder)
        handle = os.open(path, _NEW_FILE, mode)
        if _claimed(handle, path):
            return path, handle
        os.close(handle)
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder))


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """A new, empty, locked folder in `parent`, on its disk, that is gone afterwards. Raises OSError."""
    folder, handle = _new_folder(parent)
    try:
        yield folder
    finally:
        # What cannot be removed now is removed by a later run.
        shutil.rmtree(folder, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def sweep(folder: Path) -> None:
    """Remove what dead processes have left in a folder, not below it; what they had moved aside comes back."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in islice(entries, _LOOKED_AT):
            found = _NAME.fullmatch(entry.name)
            if found is not None:
                with suppress(OSError):
                    _remove_dead(Path(entry.path), here=found[1] == _MACHINE)


def _fresh(folder: Path) -> Path:
    return folder / f".catdsl-{_MACHINE}-{os.urandom(12).hex()}.tmp"


def _new_folder(parent: Path) -> tuple[Path, int | None]:
    for _ in range(_TRIES):
        path = _fresh(parent)
        path.mkdir(mode=0o700)
        if os.name != "posix":
            return path, None
        try:
            handle = os.open(path, _TO_LOOK)
        except FileNotFoundError:  # another process took it for one of a dead process
            continue
        if _claimed(handle, path):
            return path, handle
        os.close(handle)
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(parent))


def _claimed(handle: int, path: Path) -> bool:
    """Whether what was just made is ours: another process may have taken it, not yet locked, for a dead one's."""
    if _locked(handle) is False:
        return False
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(path))
    except FileNotFoundError:
        return False


def _locked(handle: int) -> bool | None:
    """Lock it: True where that was done, False where another process holds it, None where it cannot be locked."""
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _remove_dead(path: Path, *, here: bool) -> None:
    found = os.lstat(path)
    folder = stat.S_ISDIR(found.st_mode)
    if not (folder or stat.S_ISREG(found.st_mode)) or (os.name == "posix" and found.st_uid != os.geteuid()):
        return
    handle = os.open(path, _TO_LOOK)
    try:
        if not os.path.samestat(found, os.fstat(handle)) or not _dead(handle, here=here):
            return
        # Its process may have renamed it, and ended, since it was listed.
        if not os.path.samestat(found, os.lstat(path)):
            return
        if folder:
            _put_back(path / BEFORE, path.parent)
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    finally:
        os.close(handle)


def _dead(handle: int, *, here: bool) -> bool:
    locked = _locked(handle)
    if locked is False:
        return False
    return (locked is True and here) or time.time() - os.fstat(handle).st_mtime > _DAY


def _put_back(before: Path, parent: Path) -> None:
    """What a dead process had moved aside, and had put nothing in the place of."""
    if not before.is_dir() or before.is_symlink():
        return
    for kept in before.iterdir():
        if not os.path.lexists(parent / kept.name):
            os.replace(kept, parent / kept.name)
