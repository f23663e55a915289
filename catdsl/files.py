"""The one way to write: files and folders that appear whole or not at all, whatever moment the process dies at.

What is written is made beside its place under a name that nobody can know before, is synced, and then takes
that place. A link is written through; what is no file, such as a device or a pipe, is refused.
"""

import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

from catdsl.diagnostics import CatError
from catdsl.exchanging import exchanged
from catdsl.temporary import BEFORE, is_temporary, new_file, sweep, temporary_folder

__all__ = (
    "beside", "cache_folder", "carry", "is_temporary", "not_writable", "open_to_append", "place_all", "same_file",
    "whole_folder", "write_bytes", "write_text", "write_whole",
)  # fmt: skip

_MOST_LINKS = 40
_NO_FILE = (
    (stat.S_ISDIR, "it is a folder, not a file"),
    (stat.S_ISFIFO, "it is a pipe, not a file"),
    (stat.S_ISSOCK, "it is a socket, not a file"),
    (stat.S_ISCHR, "it is a device, not a file"),
    (stat.S_ISBLK, "it is a device, not a file"),
)
_MADE = "new"
_NO_ROOM = "make room on that disk, or choose another place"
_PERMISSION = "check that the folder may be written to, or choose another place"
_HELP: dict[int | None, str] = {
    errno.ENOENT: "its folder was removed in the meantime, or a link leads to a folder that is not there",
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EROFS: "this disk can only be read, choose another place",
    errno.EEXIST: "a part of this path is a file, choose another",
    errno.ENOTDIR: "a part of this path is a file, choose another",
    errno.ENOSPC: _NO_ROOM,
    errno.EDQUOT: _NO_ROOM,
    errno.EFBIG: _NO_ROOM,
    errno.ELOOP: "its links lead in a circle, choose another path",
    errno.EMFILE: "too many files are open; raise the limit with `ulimit -n`",
    errno.ENFILE: "too many files are open on this machine; try again later",
    errno.ENAMETOOLONG: "choose a shorter name",
}
_OTHER_HELP = "check that the folder may be written to and that the disk is not full"


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in the place of `path`.

    The bytes are on the disk before the name changes, and the folder after it, so that a crash
    leaves either the old file or the new one. The old file's mode stays; a link stays, and what it
    leads to is replaced. A folder that is missing is made. Raises CatError E608 where the file cannot
    be written, or is none; the old file is then untouched.
    """
    with _refusing(path):
        place = _place(path)
        _check_kind(path, place)
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(place.parent)
        mode = _mode(place)
        # An old file that only its owner may read is not to be read while it is replaced, either.
        temporary, handle = new_file(place.parent, 0o666 if mode is None else 0o600)
    try:
        with _refusing(path), os.fdopen(handle, "wb") as stream:
            if mode is not None:
                _set_mode(temporary, mode)
            write(stream)
            stream.flush()
            os.fsync(handle)
            # Before its lock is gone with its handle; other systems do not rename an open file.
            if os.name == "posix":
                os.replace(temporary, place)
        if os.name != "posix":
            with _refusing(path):
                os.replace(temporary, place)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(place.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all. Raises CatError E608."""
    write_whole(path, lambda stream: stream.write(data))


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all. Raises CatError E608."""
    write_bytes(path, text.encode("utf-8"))


def open_to_append(path: Path) -> TextIO:
    """A text file to add lines to; each reaches the system at once. Raises CatError E608."""
    with _refusing(path):
        place = _place(path)
        _check_kind(path, place)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        return os.fdopen(os.open(place, flags, 0o666), "a", encoding="utf-8", buffering=1)


def same_file(stream: TextIO, path: Path) -> bool:
    """Whether `path` still leads to the file that was opened, which may have been removed or replaced since."""
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except OSError:
        return False


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A new folder to fill; it takes the place of `target`, and of all in it, once the block ends without an error.

    Where the block raises, `target` is as it was. Whether what lies there may be replaced is for the caller
    to ask before. A link stays, and the folder that it leads to is replaced. A process that is killed between
    the two renames leaves the old folder aside, and the next one to write here puts it back. Raises CatError
    E608 where `target` is no folder, or cannot be put there.
    """
    with _refusing(target):
        place = _place(target)
        if os.path.lexists(place) and not place.is_dir():
            raise CatError.one("E608", f"{target} is no folder", help="choose another place")
        target.parent.mkdir(parents=True, exist_ok=True)
    with beside(place) as holder:
        # Named like its place, so that an error about a file in it can name that file's place.
        made = holder / _MADE / place.name
        with _refusing(target):
            made.mkdir(parents=True)
        yield made
        with _refusing(target):
            mode = _mode(place)
            if mode is not None:
                _set_mode(made, mode)
            _sync_tree(made)
            _swap(made, place, holder / BEFORE)


@contextmanager
def beside(place: Path) -> Iterator[Path]:
    """A temporary folder beside `place`, on the same disk, that is gone afterwards. Raises CatError E608."""
    with ExitStack() as held:
        with _refusing(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            sweep(place.parent)
            holder = held.enter_context(temporary_folder(place.parent))
        yield holder


def place_all(folder: Path, files: Sequence[Path]) -> None:
    """Put files of a temporary folder (see `beside`) in their places by their names, or none of them.

    Where one cannot be put, those that were there before are back. Raises CatError E608.
    """
    before = folder / BEFORE
    moved: list[tuple[Path, Path]] = []
    file = files[0]
    try:
        before.mkdir()
        for file in files:
            place = _place(file)
            _check_kind(file, place)
            if len(files) > 1 and place.exists():
                shutil.copy2(place, before / file.name)
            moved.append((before / file.name, place))
            _put(folder / file.name, place)
    except BaseException as error:
        for kept, place in moved:
            with suppress(OSError, CatError):
                if kept.exists():
                    _put(kept, place)
                elif len(files) > 1:
                    place.unlink()
        if isinstance(error, OSError | ValueError):
            raise not_writable(file, error) from error
        raise
    for parent in {_place(file).parent for file in files}:
        _sync_folder(parent)


def carry(path: Path, target: Path) -> None:
    """Give a file, or a link, a second place on the same disk: the same file where that can be, else a copy."""
    with _refusing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            target.symlink_to(os.readlink(path))
            return
        try:
            os.link(path, target, follow_symlinks=False)
        except OSError:
            shutil.copy2(path, target)


def cache_folder(name: str) -> Path:
    """Where catdsl keeps what can be made again: `catdsl/NAME` in the user's cache (XDG_CACHE_HOME, or ~/.cache).

    A relative XDG_CACHE_HOME is passed over, as its standard wants. Raises CatError E608 where there is neither.
    """
    given = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(given):
        return Path(given) / "catdsl" / name
    home = os.path.expanduser("~")
    if not os.path.isabs(home):
        raise CatError.one(
            "E608", "there is no home directory to keep a cache in", help="set XDG_CACHE_HOME to an absolute path"
        )
    return Path(home) / ".cache" / "catdsl" / name


def not_writable(path: Path, error: OSError | ValueError) -> CatError:
    """The error for a file or folder that the system refuses to write."""
    number = error.errno if isinstance(error, OSError) else None
    said = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return CatError.one("E608", f"cannot write {_meant(path)}: {said}", help=_HELP.get(number, _OTHER_HELP))


def _meant(path: Path) -> Path:
    """The place that a file is for, where it is in a temporary folder as yet."""
    inside = next((i for i, part in enumerate(path.parts) if is_temporary(Path(part))), None)
    if inside is None or inside + 1 == len(path.parts):
        return path
    rest = path.parts[inside + 1 :]
    return Path(*path.parts[:inside], *(rest[1:] if rest[0] == _MADE and rest[1:] else rest))


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """What the system refuses is an error that names the path that was asked for."""
    try:
        yield
    except OSError as error:
        raise not_writable(path, error) from error


def _place(path: Path) -> Path:
    """Where a path leads once links at its end are followed; what the last one names need not be there."""
    try:
        for _ in range(_MOST_LINKS):
            if not stat.S_ISLNK(os.lstat(path).st_mode):
                return path
            path = path.parent / os.readlink(path)
    except FileNotFoundError:
        return path
    except ValueError as error:  # a null character
        raise not_writable(path, error) from None
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def _check_kind(shown: Path, place: Path) -> None:
    """Raise CatError E608 where something lies at `place` that is no file."""
    try:
        mode = os.lstat(place).st_mode
    except FileNotFoundError:
        return
    problem = next((text for test, text in _NO_FILE if test(mode)), None)
    if stat.S_ISREG(mode) and not mode & 0o222:
        # A new file could take its place all the same, which is not what whoever protected it wants.
        problem = "it is write-protected"
    if problem is not None:
        raise CatError.one("E608", f"cannot write {shown}: {problem}", help="choose another path")


def _mode(place: Path) -> int | None:
    """The permissions of what lies there."""
    try:
        return os.stat(place).st_mode & 0o777
    except FileNotFoundError:
        return None


def _set_mode(path: Path, mode: int) -> None:
    # Some disks know no modes.
    with suppress(OSError):
        os.chmod(path, mode)


def _put(made: Path, place: Path) -> None:
    """Put a whole file in a place, which a link may have led to another disk."""
    mode = _mode(place)
    if mode is not None:
        _set_mode(made, mode)
    _sync_file(made)
    try:
        os.replace(made, place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with made.open("rb") as stream:
            write_whole(place, lambda out: shutil.copyfileobj(stream, out))


def _swap(made: Path, place: Path, before: Path) -> None:
    """Put a folder in the place of another; where that fails, the other is back."""
    if place.exists() and exchanged(made, place):
        _sync_folder(place.parent)
        return
    before.mkdir()
    kept = before / place.name
    try:
        if place.exists():
            os.replace(place, kept)
        os.replace(made, place)
    except BaseException:
        if kept.exists() and not place.exists():
            with suppress(OSError):
                os.replace(kept, place)
        raise
    _sync_folder(place.parent)


def _sync_tree(folder: Path) -> None:
    for inside, _, names in os.walk(folder):
        for name in names:
            _sync_file(Path(inside, name))
        _sync_folder(Path(inside))


def _sync_file(path: Path) -> None:
    """Bring the bytes of a file, which some library has written, to the disk."""
    if path.is_symlink():
        return
    handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Make a renaming itself durable; only POSIX lets a folder be opened for that."""
    if sys.platform == "win32":
        return
    # Some network disks cannot do this; what was renamed is there all the same.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
