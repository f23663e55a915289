"""Tensors of a checkpoint from elsewhere, read without running code and within limits.

A `.pth` or `.pt` file is what torch.save writes: a pickle, of which only tensors in dictionaries are taken,
and their bytes. Names are bounded, since finding out what network they mean takes time that grows with them.
"""

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from catdsl.backend.weights import UNREADABLE, read_weights
from catdsl.diagnostics import CatError
from catdsl.limits import LIMITS
from catdsl.reading import Door, check_amount, opened

DOOR = Door(
    "checkpoint", "E605", "weights", help="save `generator.state_dict()`, with torch.save as .pth or with safetensors"
)

_SAFETENSORS = ".safetensors"
_DEEPEST = 4
_MOST_VALUES = 100_000
_MOST_TENSORS = 10_000
_LONGEST_NAME = 300
_MOST_PARTS = 24
_LARGEST_PICKLE = 4_000_000
"""Bytes of the part of a file that is unpickled, without those of tensors: some 150 for each tensor."""


def read_foreign(path: Path) -> dict[str, Tensor]:
    """Tensors by their dotted names. Raises CatError E605 for what is no such file, or beyond a limit."""
    tensors = read_weights(path)[0] if path.suffix == _SAFETENSORS else _unpickled(path)
    if not tensors:
        raise CatError.one("E605", f"{path} holds no state_dict", help="save `generator.state_dict()`")
    _check_names(path, tensors)
    return tensors


def _unpickled(path: Path) -> dict[str, Tensor]:
    with opened(path, DOOR) as stream:
        whole = _check_archive(path, stream)
        try:
            # `weights_only` runs no code of the file.
            source: Any = stream if whole else _Counted(path, stream)
            held = torch.load(source, map_location="cpu", weights_only=True)
        except (*UNREADABLE, RecursionError):
            raise CatError.one(
                "E605", f"{path} is no checkpoint of tensors alone",
                notes=("other files are not read, as they may run code",), help=DOOR.help,
            ) from None  # fmt: skip
    tensors: dict[str, Tensor] = {}
    for number, (name, value) in enumerate(_values(held)):
        if number >= _MOST_VALUES:
            raise DOOR.refuse(path, f"holds more than {_MOST_VALUES:,} values in its dictionaries")
        if isinstance(value, Tensor):
            tensors[name] = value
    odd = next((n for n, x in tensors.items() if x.layout != torch.strided or x.is_quantized or x.is_meta), None)
    if odd is not None:
        raise DOOR.refuse(path, f"holds a tensor of another kind than a network has: {odd[:_LONGEST_NAME]}")
    return tensors


def _check_archive(path: Path, stream: BinaryIO) -> bool:
    """Whether it is an archive, as files of torch.save are since 1.6.

    Refuses one that unpacks to more than it has: torch.save packs nothing, and torch would unpack it all.
    """
    size = stream.seek(0, 2)
    try:
        parts = zipfile.ZipFile(stream).infolist() if zipfile.is_zipfile(stream) else []
    except UNREADABLE:
        # What is no whole archive is told of by torch.
        parts = []
    stream.seek(0)
    total = sum(part.file_size for part in parts)
    check_amount(total, LIMITS[DOOR.limit], f"{path} has {total:,} bytes unpacked", DOOR)
    if total > size or any(part.compress_type != zipfile.ZIP_STORED for part in parts):
        raise DOOR.refuse(path, f"has {total:,} bytes unpacked and is packed to {size:,}, which torch.save does not do")
    pickled = max((part.file_size for part in parts if part.filename.endswith(".pkl")), default=0)
    if pickled > _LARGEST_PICKLE:
        raise _too_much(path)
    return bool(parts)


class _Counted:
    """A file of the old form, whose pickle is read in small parts and whose tensors are read into place."""

    def __init__(self, path: Path, stream: BinaryIO):
        self._path, self._stream, self._left = path, stream, _LARGEST_PICKLE
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
            raise _too_much(self._path)
        return part


def _too_much(path: Path) -> CatError:
    return DOOR.refuse(path, f"has more than {_LARGEST_PICKLE:,} bytes beside its tensors, and no network needs that")


def _values(held: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """All values of a state_dict, or of dictionaries of them such as {"state_dict": ...}, under dotted names.

    One value can stand in many places, and a dictionary in itself: whoever takes values has to stop.
    """
    if not isinstance(held, Mapping) or depth > _DEEPEST:
        return
    for key, value in held.items():
        # Others are no names, and to write them down may take long.
        name = f"{prefix}{key}" if isinstance(key, str | int) and len(prefix) <= _LONGEST_NAME else prefix
        yield name, value
        yield from _values(value, f"{name}.", depth + 1)


def _check_names(path: Path, tensors: Mapping[str, Tensor]) -> None:
    if len(tensors) > _MOST_TENSORS:
        raise DOOR.refuse(path, f"holds {len(tensors):,} tensors, and networks that can be imported have fewer")
    for name in tensors:
        if len(name) > _LONGEST_NAME or name.count(".") >= _MOST_PARTS:
            raise DOOR.refuse(
                path, f"has a name of {len(name):,} characters in {name.count('.') + 1:,} parts, which no network has: "
                f"{name[:40]}..."
            )  # fmt: skip
