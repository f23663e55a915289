"""Files of torch.save, read without running code: bounded before they are unpacked, and plain tensors only."""

import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from catdsl.diagnostics import CatError, first_line
from catdsl.limits import LIMITS
from catdsl.reading import Door, check_amount, opened

# What torch raises, among others, for a file that is damaged or none of its own.
UNREADABLE = (
    OSError, RuntimeError, EOFError, ValueError, LookupError, TypeError, AssertionError, AttributeError,
    OverflowError, RecursionError, struct.error, zipfile.BadZipFile, pickle.UnpicklingError,
)  # fmt: skip

_DEEPEST = 12
_MOST_VALUES = 1_000_000
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
        _check_plain(held)
    except CatError:
        raise
    except UNREADABLE as error:
        note = f"{type(error).__name__}: {first_line(error)}"
        raise door.refuse(shown, problem, notes=(note[:200],)) from error
    return held


def _check_archive(stream: BinaryIO, door: Door, shown: object, largest_pickle: int) -> bool:
    """Whether it is an archive, as files of torch.save are since 1.6. Raises the door's error.

    Refuses one that unpacks to more than it has: torch.save packs nothing, and torch would unpack it all.
    """
    size = stream.seek(0, 2)
    parts = zipfile.ZipFile(stream).infolist() if zipfile.is_zipfile(stream) else []
    stream.seek(0)
    whole = sum(part.file_size for part in parts)
    check_amount(whole, LIMITS[door.limit], f"{shown} unpacks to {whole:,} bytes", door)
    if whole > size or any(part.compress_type != zipfile.ZIP_STORED for part in parts):
        raise door.refuse(shown, f"unpacks to {whole:,} bytes and has {size:,}: torch.save packs nothing")
    if max((part.file_size for part in parts if part.filename.endswith(".pkl")), default=0) > largest_pickle:
        raise _too_much(door, shown, largest_pickle)
    return bool(parts)


class _Counted:
    """A file of the old form, whose pickle is read in small parts and whose tensors are read into place."""

    def __init__(self, stream: BinaryIO, door: Door, shown: object, most: int):
        self._stream, self._door, self._shown, self._most, self._left = stream, door, shown, most, most
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int = -1) -> bytes:
        return self._counted(self._stream.read(size if size >= 0 else self._left + 1))

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


def _check_plain(held: Any) -> None:
    """Refuse what is deeper or wider than weights are, and tensors that are no memory of their own. Raises ValueError.

    Containers may hold one another many times over, so each is looked at once.
    """
    seen: set[int] = set()
    waiting = [(held, 0)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, Tensor):
            _check_tensor(value)
            continue
        if not isinstance(value, Mapping | list | tuple) or id(value) in seen:
            continue
        seen.add(id(value))
        if depth > _DEEPEST or len(seen) > _MOST_VALUES:
            raise ValueError(f"it nests more than {_DEEPEST} deep, or holds more than {_MOST_VALUES:,} containers")
        inner = value.values() if isinstance(value, Mapping) else value
        waiting += [(each, depth + 1) for each in inner]


def _check_tensor(tensor: Tensor) -> None:
    if tensor.layout is not torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
        raise ValueError(f"a tensor is {tensor.layout} on {tensor.device}, and only plain ones on the CPU are read")
    # One number that is spread over a shape takes no memory until somebody computes with it.
    if tensor.numel() * tensor.element_size() > max(tensor.untyped_storage().nbytes(), 1):
        raise ValueError(f"a tensor of shape {tuple(tensor.shape)} has less memory than that takes")
