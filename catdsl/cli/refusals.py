"""What the system refuses, in words: errors of Python and of libraries that are no fault of this package."""

import errno
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from catdsl.backend.out_of_memory import NO_MEMORY
from catdsl.diagnostics import CatError, first_line
from catdsl.diagnostics.printable import write_line


@dataclass(frozen=True, slots=True)
class Refusal:
    """The code, message and help of an error that stands for one of Python's."""

    code: str
    message: str
    help: str

    def error(self, detail: str = "") -> CatError:
        return CatError.one(self.code, self.message + (f": {detail}" if detail else ""), help=self.help)


_MEMORY = Refusal(
    "E606", "memory has run out",
    "lower --batch of `evaluate`, or `batch` or `crop` of a training, or raise its `accumulate`; "
    "a training goes on from its last checkpoint with --resume",
)  # fmt: skip
_FULL = Refusal("E608", "the results cannot be written: no space is left on the device", "make room, and try again")
_PERMISSION = Refusal("E210", "permission denied", "check who may read and write this path, and its folders")
_FILES = Refusal("E210", "too many files are open", "raise the limit with `ulimit -n`, or lower `workers` in data { }")
_PATH = Refusal("E210", "the system refuses a path", "check the path, and what lies there")
_PROCESSES = Refusal(
    "E606", "the system starts no more processes or threads",
    "end others, raise the limit with `ulimit -u`, or lower `workers` in data { }",
)  # fmt: skip
_FOLDER_GONE = Refusal("E210", "the folder that this command runs in has been removed", "change to one that is there")
_HOME = Refusal("E608", "there is no home directory", "set HOME, or XDG_CACHE_HOME for what is kept of earlier runs")
_USER = Refusal("E607", "the system has no name for this user", "set USER to any name")
_NAME = Refusal("E607", "a name cannot be written in UTF-8, or is none for this system", "rename the file")
_DEPTH = Refusal("E103", "what was given is nested too deeply", "nest it less")

_BY_NUMBER = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: Refusal("E608", "the results cannot be written: the disk quota is used up", _FULL.help),
    errno.EFBIG: Refusal("E608", "the results cannot be written: a file grows too large", "raise it with `ulimit -f`"),
    errno.EROFS: Refusal("E608", "the results cannot be written: this disk can only be read", "choose another place"),
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EMFILE: _FILES,
    errno.ENFILE: Refusal("E210", "too many files are open on this machine", "try again later"),
    errno.ELOOP: Refusal("E210", "links lead in a circle", "choose another path"),
    errno.ENOMEM: _MEMORY,
    errno.EAGAIN: _PROCESSES,
    errno.EIO: Refusal("E210", "a disk or a terminal fails", "look at the messages of the system"),
    **dict.fromkeys((errno.ENAMETOOLONG, errno.ESTALE, errno.EBUSY, errno.EXDEV, errno.ETXTBSY), _PATH),
}  # fmt: skip
_OF_PATHS = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY)
"""No fault of ours where the path is the user's."""

# What libraries say in words alone.
_BY_TEXT = (
    (NO_MEMORY, _MEMORY),
    (r"too many open files", _FILES),
    (r"no space left on device", _FULL),
    (r"can't start new thread|resource temporarily unavailable", _PROCESSES),
    (r"could not determine home directory", _HOME),
    (r"getpwuid\(\)", _USER),
    (r"symlink loop", _BY_NUMBER[errno.ELOOP]),
)
_SPEAKING = (RuntimeError, ImportError, OSError, KeyError)
"""Kinds of errors whose words count: any other that has them is ours."""

_OURS = Path(__file__).resolve().parents[1]


def refusal(error: BaseException) -> CatError | None:
    """The error that a user is told in the place of another; None for a fault of this package."""
    match error:
        case MemoryError():
            return _MEMORY.error(str(error))
        case RecursionError():
            return _DEPTH.error()
        case UnicodeEncodeError():
            return _NAME.error(ascii(error.object[max(error.start - 20, 0) : error.end + 20]))
        case OSError() if (found := _of_system(error)) is not None:
            return found
    if isinstance(error, _SPEAKING):
        for words, meant in _BY_TEXT:
            if re.search(words, str(error), re.IGNORECASE):
                return meant.error(first_line(error))
    return refusal(error.__cause__) if error.__cause__ is not None else None


def tell(error: CatError) -> None:
    """Say an error where the commands could not be loaded, and with them what shows errors."""
    write_line(sys.stderr, str(error))


def _of_system(error: OSError) -> CatError | None:
    path = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes | os.PathLike) else ""
    if error.errno in _OF_PATHS:
        if not _current_folder():
            return _FOLDER_GONE.error()
        theirs = path and not Path(path).is_relative_to(_OURS)
        return _PATH.error(f"{path}: {error.strerror}") if theirs else None
    meant = _BY_NUMBER.get(error.errno or 0)
    if meant is None:
        return None
    return meant.error(f"{path}: {error.strerror}" if meant is _PATH else path)


def _current_folder() -> bool:
    try:
        os.getcwd()
    except OSError:
        return False
    return True
