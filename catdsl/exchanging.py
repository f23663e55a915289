"""Two folders change their names in one step, where system and disk have that."""

import ctypes
import errno
import os
import sys
from pathlib import Path

_HERE, _EXCHANGE, _SWAP = -100, 2, 2  # AT_FDCWD, RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS


def exchanged(one: Path, other: Path) -> bool:
    """Let two folders change their names in one step; False where system or disk have no such thing.

    Raises OSError where there is one, and it fails.
    """
    if sys.platform not in ("linux", "darwin"):
        return False
    library = ctypes.CDLL(None, use_errno=True)
    paths = os.fsencode(one), os.fsencode(other)
    try:
        if sys.platform == "linux":
            failed = library.renameat2(_HERE, paths[0], _HERE, paths[1], _EXCHANGE)
        else:
            failed = library.renamex_np(*paths, _SWAP)
    except AttributeError:  # an older C library
        return False
    if failed and (code := ctypes.get_errno()) not in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        raise OSError(code, os.strerror(code), str(other))
    return not failed
