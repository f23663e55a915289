"""Arrays of .npz files: as many bytes as the file says and the limit allows, and no objects."""

import math
import zlib
from io import BytesIO
from pathlib import Path
from tokenize import TokenError
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy

from catdsl.limits import LIMITS
from catdsl.reading import Door, check_amount, opened

_SUFFIX = ".npy"
# What zipfile and numpy raise, among others, for a file that is damaged: a header is a literal of Python.
_BROKEN = (
    OSError, ValueError, EOFError, LookupError, RuntimeError, BadZipFile, zlib.error,
    TypeError, SyntaxError, OverflowError, TokenError,
)  # fmt: skip


def read_npz(path: Path, door: Door) -> dict[str, np.ndarray]:
    """All arrays of a file by name. Raises the door's error.

    What the arrays take is added up before anything is unpacked: a small file can hold gigabytes.
    """
    with opened(path, door) as stream:
        try:
            with ZipFile(stream) as archive:
                entries = archive.infolist()
                check_amount(len(entries), LIMITS["files"], f"{path} has {len(entries):,} entries", door)
                whole = sum(entry.file_size for entry in entries)
                check_amount(whole, LIMITS["arrays"], f"{path} unpacks to {whole:,} bytes", door)
                return {entry.filename.removesuffix(_SUFFIX): _array(archive, entry) for entry in entries}
        except _BROKEN as error:
            raise door.refuse(path, f"cannot be read as .npz: {error}") from None


def _array(archive: ZipFile, entry: ZipInfo) -> np.ndarray:
    """One array. Raises ValueError where its header speaks of more than is there."""
    content = BytesIO(archive.read(entry))
    version = npy.read_magic(content)
    read_header: Any = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if read_header is None:
        raise ValueError(f"`{entry.filename}` has the format {version[0]}.{version[1]}, which is not read")
    shape, in_columns, kind = read_header(content)
    if kind.hasobject:
        raise ValueError(f"`{entry.filename}` holds objects, and only numbers are read")
    if kind.kind not in "biuf":
        raise ValueError(f"`{entry.filename}` holds {kind}, which are no numbers")
    rest = content.getbuffer()[content.tell() :]
    if math.prod(shape) * kind.itemsize != len(rest):
        raise ValueError(f"`{entry.filename}` says that it has {shape} values of {kind}, and has {len(rest)} bytes")
    return np.frombuffer(rest, kind).reshape(shape, order="F" if in_columns else "C").copy()
