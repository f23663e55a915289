"""One way to read a file that may come from elsewhere: a regular file, within a limit, or an error that says why.

A `Door` is one kind of input. Every command that takes such a file goes through its door, so that a
check made for one command is made for all.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from pydantic import TypeAdapter, ValidationError

from catdsl.diagnostics import CatError, Span
from catdsl.limits import LIMITS, Limit, Name

T = TypeVar("T")

Refusal = OSError | ValueError | RuntimeError
"""What a path is refused with: a circle of links is a RuntimeError of pathlib, a null character a ValueError."""

_SHOWN = 4
_PART = 4 << 20
_KINDS = (
    (stat.S_ISDIR, "is a folder, not a file"),
    (stat.S_ISFIFO, "is a pipe, which is not read"),
    (stat.S_ISSOCK, "is a socket, which is not read"),
    (stat.S_ISCHR, "is a device, which is not read"),
    (stat.S_ISBLK, "is a device, which is not read"),
)
_REASONS = {
    errno.EACCES: "there is no permission to read it",
    errno.EPERM: "there is no permission to read it",
    errno.ELOOP: "its links lead in a circle",
    errno.EMFILE: "too many files are open; raise the limit with `ulimit -n`",
    errno.ENFILE: "too many files are open on this machine",
    errno.ENAMETOOLONG: "its name is too long",
    errno.ENOENT: "it does not exist",
    errno.ENXIO: "is a socket or a device, which is not read",
}
_PERMISSION = "check who may read this file and enter its folders"
_HELPS = {
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.ENAMETOOLONG: "check the path",
    errno.ELOOP: "check where the links lead",
}
"""What to do where the file itself is not at fault."""


@dataclass(frozen=True, slots=True)
class Door:
    """One kind of input: what messages call it, the code of its errors, its limit on bytes, and what to do."""

    what: str
    code: str
    limit: Name
    help: str = "check the path"
    too_large: str = ""
    """The code of its errors about the limit, where that is another."""

    def refuse(self, shown: object, problem: str, span: Span | None = None, *, notes: tuple[str, ...] = ()) -> CatError:
        """The error for a file that does not pass."""
        return CatError.one(self.code, f"{shown} {problem}", span, notes=notes, help=self.help)

    def unreadable(self, shown: object, error: Refusal, span: Span | None = None) -> CatError:
        """The error for a file that the system does not let be read."""
        help = _HELPS.get(error.errno or 0, self.help) if isinstance(error, OSError) else self.help
        return CatError.one(self.code, f"cannot read {shown}: {reason(error)}", span, help=help)


def there(path: Path) -> bool:
    """Whether anything has this name: a link that leads nowhere is not to pass for an absent file."""
    return os.path.lexists(path)


def reason(error: Refusal) -> str:
    """Why the system refuses a file, in words."""
    if not isinstance(error, OSError):
        return _REASONS[errno.ELOOP] if isinstance(error, RuntimeError) else str(error)
    return _REASONS.get(error.errno or 0) or error.strerror or str(error)


@contextmanager
def opened(path: Path, door: Door, *, shown: object = None, span: Span | None = None) -> Iterator[BinaryIO]:
    """The file as a stream of at most the door's limit of bytes. Raises the door's error.

    Devices, pipes and sockets are refused at once: opening one may wait for ever.
    """
    name = path if shown is None else shown
    try:
        check_kind(path.stat().st_mode, name, door, span)
        # Not to wait where a pipe has taken the file's place since.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError, RuntimeError) as error:
        raise door.unreadable(name, error, span) from None
    with os.fdopen(handle, "rb") as stream:
        found = os.fstat(handle)
        check_kind(found.st_mode, name, door, span)
        check_amount(found.st_size, LIMITS[door.limit], f"{name} has {found.st_size:,} bytes", door, span)
        yield stream


def check_kind(mode: int, shown: object, door: Door, span: Span | None = None) -> None:
    """Refuse what is no regular file, by its `st_mode`. Raises the door's error."""
    problem = next((text for test, text in _KINDS if test(mode)), None)
    if problem is not None:
        raise door.refuse(shown, problem, span)


def check_amount(found: int, limit: Limit, told: str, door: Door, span: Span | None = None) -> None:
    """Refuse more than a limit. `told` says what was found. Raises the door's error."""
    if found > limit.most:
        raise CatError.one(door.too_large or door.code, f"{told}, {limit.refusal(found)}", span, help=door.help)


def read_bytes(path: Path, door: Door, *, shown: object = None, span: Span | None = None) -> bytes:
    """A file's bytes. Raises the door's error."""
    name = path if shown is None else shown
    with opened(path, door, shown=shown, span=span) as stream:
        try:
            return _within(stream, name, door, span)
        except OSError as error:
            raise door.unreadable(name, error, span) from None


def _within(stream: BinaryIO, shown: object, door: Door, span: Span | None) -> bytes:
    """All bytes of a file, which may grow while it is read, or tell no size as those of /proc."""
    limit = LIMITS[door.limit]
    most = limit.most
    # One byte more tells the end of the file; space for the whole limit may be more than the machine has.
    size = min(os.fstat(stream.fileno()).st_size, most)
    parts = [stream.read(size + 1)]
    found = len(parts[0])
    while size < found <= most and (part := stream.read(min(_PART, most + 1 - found))):
        parts.append(part)
        found += len(part)
    check_amount(found, limit, f"{shown} has more than {most:,} bytes", door, span)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def read_text(path: Path, door: Door, *, shown: object = None, span: Span | None = None) -> str:
    """A file's UTF-8 text. Raises the door's error."""
    try:
        return read_bytes(path, door, shown=shown, span=span).decode("utf-8")
    except UnicodeDecodeError as error:
        name = path if shown is None else shown
        raise door.refuse(name, f"is not UTF-8 text (byte {error.start})", span) from None


def read_json(path: Path, door: Door, model: TypeAdapter[T]) -> T:
    """A JSON file as the value of a model. Raises the door's error, which names the first wrong fields."""
    return parse_json(read_bytes(path, door), door, model, shown=path)


def parse_json(text: bytes | str, door: Door, model: TypeAdapter[T], *, shown: object) -> T:
    """JSON as the value of a model, nested 200 deep at most. Raises the door's error with the first wrong fields."""
    try:
        return model.validate_json(text)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        notes = tuple(
            f"{_place(problem['loc'])}{problem['msg'].removeprefix('Value error, ')}" for problem in problems[:_SHOWN]
        )
        more = (f"and {len(problems) - _SHOWN} more",) if len(problems) > _SHOWN else ()
        raise door.refuse(shown, f"is no {door.what}, or is damaged", notes=(*notes, *more)) from None


def _place(loc: tuple[int | str, ...]) -> str:
    return f"`{'.'.join(map(str, loc))}`: " if loc else ""
