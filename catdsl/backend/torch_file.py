"""Files of torch.save, read without running code: bounded before they are unpacked, and plain tensors only."""

import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import torch

from catdsl.backend.out_of_memory import of_memory
from catdsl.backend.plain_content import check_plain
from catdsl.diagnostics import CatError, first_line
from catdsl.limits import LIMITS
from catdsl.reading import Door, check_amount, opened

# What torch raises, among others, for a file that is damaged or none of its own.
UNREADABLE = (
    OSError, RuntimeError, EOFError, ValueError, LookupError, TypeError, AssertionError, AttributeError,
    OverflowError, RecursionError, struct.error, zipfile.BadZipFile, pickle.UnpicklingError,
)  # fmt: skip

_ARCHIVE = b"PK\x03\x04"
"""What torch takes for an archive begins with these bytes, wherever a zip would look for its directory."""
_LARGEST_PICKLE = 32_000_000
"""Bytes of the part of a file that is unpickled, without those of tensors: some 150 for each tensor."""


def load_torch_file(path: Path, door: Door, *, problem: str, largest_pickle: int = _LARGEST_PICKLE) -> Any:
    """What a file holds: tensors on the CPU, numbers and texts, in dictionaries, lists and tuples.

    Raises the door's error for any other file, which ends in `problem`, and for one that would unpack to
    more than the door's limit.
    """
    with opened(path, door) as stream:
        return load_torch_stream(stream, door, shown=path, problem=problem, largest_pickle=largest_pickle)


def load_torch_stream(
    stream: BinaryIO, door: Door, *, shown: object, problem: str, largest_pickle: int = _LARGEST_PICKLE
) -> Any:
    """The same of an open file; `shown` is what messages call it."""
    try:
        source: Any = (
            stream
            if _check_archive(stream, door, shown, largest_pickle)
            else _Counted(stream, door, shown, largest_pickle)
        )
        # `weights_only` runs no code of the file.
        held = torch.load(source, map_location="cpu", weights_only=True)
        check_plain(held, file_size=stream.seek(0, 2))
    except CatError:
        raise
    except UNREADABLE as error:
        if of_memory(error):
            raise
        note = f"{type(error).__name__}: {first_line(error)}"
        raise door.refuse(shown, problem, notes=(note[:200],)) from error
    return held


def _check_archive(stream: BinaryIO, door: Door, shown: object, largest_pickle: int) -> bool:
    """Whether it is an archive, as files of torch.save are since 1.6. Raises the door's error.

    Refuses one that unpacks to more than it has: torch.save packs nothing, and torch would unpack it all.
    """
    size = stream.seek(0, 2)
    stream.seek(0)
    archive = stream.read(len(_ARCHIVE)) == _ARCHIVE
    if zipfile.is_zipfile(stream) != archive:
        raise zipfile.BadZipFile("it is an archive by its beginning or by its end, and not by both")
    parts = zipfile.ZipFile(stream).infolist() if archive else []
    stream.seek(0)
    whole = sum(part.file_size for part in parts)
    check_amount(whole, LIMITS[door.limit], f"{shown} unpacks to {whole:,} bytes", door)
    if whole > size or any(part.compress_type != zipfile.ZIP_STORED for part in parts):
        raise door.refuse(shown, f"unpacks to {whole:,} bytes and has {size:,}: torch.save packs nothing")
    if max((part.file_size for part in parts if part.filename.endswith(".pkl")), default=0) > largest_pickle:
        raise _too_much(door, shown, largest_pickle)
    return archive


class _Counted:
    """A file of the old form, whose pickle is read in small parts and whose tensors are read into place."""

    def __init__(self, stream: BinaryIO, door: Door, shown: object, most: int):
        self._stream, self._door, self._shown, self._most, self._left = stream, door, shown, most, most
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int = -1) -> bytes:
        most = self._left + 1
        return self._counted(self._stream.read(min(size, most) if size >= 0 else most))

    def readinto(self, buffer: Any) -> int:
        """Tensors' bytes, which are not counted."""
        return self._stream.readinto(buffer)  # type: ignore[attr-defined]

    def readline(self) -> bytes:
        return self._counted(self._stream.readline(self._left + 1))

    def _counted(self, part: bytes) -> bytes:
        self._left -= len(part)
        if self._left < 0:
            raise _too_much(self._door, self._shown, self._most)
        return part


def _too_much(door: Door, shown: object, most: int) -> CatError:
    return door.refuse(shown, f"has more than {most:,} bytes beside its tensors")
