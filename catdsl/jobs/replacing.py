"""A folder of results that takes the place of an older one whole or not at all, whatever moment the process dies at.

It is made beside the older one under a hidden name, and the two change their names in one step where
the system has that. Then what the older one held of the command's own is removed, and everything else
in it is put into the new one: nobody has told us to remove it. What a killed process has left beside
is brought to its end by the next one.
"""

import ctypes
import errno
import hashlib
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from catdsl.diagnostics import CatError
from catdsl.files import not_writable

Own = Callable[[Path], Collection[str]]
"""Which files of a folder a command has made: paths below it, with `/`."""
Say = Callable[[str], None]

_UNFINISHED = ".unfinished"
"""Stands in a folder until everything is in it."""
_SHOWN = 3
_HERE, _EXCHANGE, _SWAP = -100, 2, 2  # AT_FDCWD, RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS


@contextmanager
def replacing(folder: Path, *, own: Own, say: Say, shared: bool = False) -> Iterator[Path]:
    """A new folder to fill, which takes the place of `folder` when the block ends without an error.

    A `shared` folder is one that a user names and may have other files in: where it does, or is the one
    that we are in, it stays itself, and the new files are put into it one after the other, each whole.
    After an error the older folder is as it was, and the new one is gone. Raises CatError E608.
    """
    place = folder.resolve()
    try:
        if place.exists() and not place.is_dir():
            raise CatError.one("E608", f"{folder} is no folder", help="move it away, or choose another place")
        place.parent.mkdir(parents=True, exist_ok=True)
        _finish(place, own, say)
        made = place.with_name(f"{_prefix(place)}{os.getpid()}-{secrets.token_hex(4)}")
        made.mkdir()
        (made / _UNFINISHED).touch()
    except OSError as error:
        raise not_writable(folder, error) from error
    try:
        yield made
        if place.is_dir():
            shutil.copymode(place, made)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    try:
        if shared and _in_use(place, own):
            _put_into(made, place)
            return
        (made / _UNFINISHED).unlink()
        # An interruption in here leaves both folders, and which is which is for the next process to see.
        older = _swap(made, place)
    except OSError as error:
        shutil.rmtree(made, ignore_errors=True)
        raise not_writable(folder, error) from error
    if older is not None:
        try:
            _clear(older, place, own, say)
        except OSError as error:
            say(f"warning: what {folder} held before is left in {older}: {error.strerror or error}")


def _in_use(place: Path, own: Own) -> bool:
    """Whether a folder is more than the place of a command's results."""
    if not place.exists():
        return False
    ours = frozenset(own(place))
    found = (path for path in place.rglob("*") if path.is_symlink() or not path.is_dir() or not any(path.iterdir()))
    return place == Path.cwd() or any(path.relative_to(place).as_posix() not in ours for path in found)


def _put_into(made: Path, place: Path) -> None:
    """Move all files of a folder into another one. What a kill leaves of it counts as unfinished."""
    for path in sorted(made.rglob("*")):
        if path.is_file() and path != made / _UNFINISHED:
            target = place / path.relative_to(made)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
    shutil.rmtree(made)


def _swap(made: Path, place: Path) -> Path | None:
    """Put a folder in its place, and give where the one that was there is now."""
    if not place.exists():
        os.replace(made, place)
        return None
    if _exchanged(made, place):
        return made
    older = made.with_name(f"{made.name}-before")
    os.rename(place, older)
    try:
        os.rename(made, place)
    except BaseException:
        os.rename(older, place)
        raise
    return older


def _exchanged(one: Path, other: Path) -> bool:
    """Let two folders change their names in one step; False where system or disk have no such thing."""
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


def _finish(place: Path, own: Own, say: Say) -> None:
    """Bring to an end what processes that are no more have left beside a folder."""
    left = [path for path in place.parent.glob(f"{_prefix(place)}*") if path.is_dir() and not _at_work(path)]
    whole = [path for path in left if not (path / _UNFINISHED).exists()]
    if not place.exists() and whole:
        # Killed where folders cannot change names in one step.
        newest = max(whole, key=lambda path: path.stat().st_mtime)
        os.replace(newest, place)
        left.remove(newest)
        whole.remove(newest)
    for path in left:
        if path in whole:
            _clear(path, place, own, say)
        else:
            shutil.rmtree(path)


def _clear(older: Path, place: Path, own: Own, say: Say) -> None:
    """Remove a command's own files of a folder, put others into `place`, and remove what is then empty."""
    ours = frozenset(own(older))
    kept: list[str] = []
    for parent, folders, files in os.walk(older, topdown=False):
        # A link to a folder is one name here, and what it leads to is not looked into.
        links = [name for name in folders if Path(parent, name).is_symlink()]
        for name in (*files, *links):
            path = Path(parent, name)
            below = path.relative_to(older).as_posix()
            if below in ours:
                path.unlink()
                continue
            target = _free(place / below)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(path, target)
            kept.append(target.relative_to(place).as_posix())
        with suppress(OSError):
            os.rmdir(parent)
    if kept:
        more = f", and {len(kept) - _SHOWN} more" if len(kept) > _SHOWN else ""
        say(f"kept     what catdsl has not made in {place}: {', '.join(sorted(kept)[:_SHOWN])}{more}")


def _free(path: Path) -> Path:
    """The path, or where something has that name now, one like it."""
    found, number = path, 1
    while os.path.lexists(found):
        found, number = path.with_name(f"{path.name}.kept{number}"), number + 1
    return found


def _prefix(place: Path) -> str:
    """The beginning of names beside a folder; of its own name a digest, so that a long one fits."""
    return f".catdsl-{hashlib.sha256(os.fsencode(place.name)).hexdigest()[:10]}-"


def _at_work(path: Path) -> bool:
    """Whether the process that makes a folder is still there."""
    number = path.name.split("-")[2]
    if not number.isdecimal() or int(number) == os.getpid() or os.name != "posix":
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except OSError:  # there is one, of another user
        return True
    return True
