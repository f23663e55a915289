"""Files that are no files of their kind: what may lie where a file is expected, made by code."""

import os
from collections.abc import Callable
from pathlib import Path

Damage = Callable[[Path], None]


def _replace(path: Path) -> Path:
    path.unlink(missing_ok=True)
    return path


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    start = len(content) * 3 // 4
    # More than what aligns tensors, which nobody reads.
    for place in range(start, start + 100):
        content[place] ^= 16
    path.write_bytes(content)


def _sparse(path: Path) -> None:
    """100 GB by its size, and nothing on the disk."""
    with _replace(path).open("wb") as stream:
        stream.truncate(100 * 10**9)


ANY: dict[str, Damage] = {
    "empty": lambda path: _replace(path).write_bytes(b"") and None,
    "text": lambda path: _replace(path).write_bytes(b"hello\n") and None,
    "no text": lambda path: _replace(path).write_bytes(bytes(range(256)) * 8) and None,
    "cut short": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]) and None,
    "a device": lambda path: _replace(path).symlink_to("/dev/zero"),
    "a folder": lambda path: _replace(path).mkdir(),
    "a pipe": lambda path: os.mkfifo(_replace(path)),
    "a link in a circle": lambda path: _replace(path).symlink_to(path.name),
    "too large": _sparse,
}
"""Whatever the file is."""

JSON: dict[str, Damage] = {
    **ANY,
    "a list": lambda path: path.write_text("[]") and None,
    "null": lambda path: path.write_text("null") and None,
    "a number": lambda path: path.write_text("1e999") and None,
    "an empty object": lambda path: path.write_text("{}") and None,
    "nested deep": lambda path: path.write_text("[" * 200_000 + "]" * 200_000) and None,
    "an object nested deep": lambda path: path.write_text('{"a":' * 100_000 + "1" + "}" * 100_000) and None,
    "a field more than JSON has": lambda path: path.write_text(path.read_text()[:-2] + ', "a": NaN}x') and None,
}

BINARY: dict[str, Damage] = {
    **ANY,
    "bits flipped": _flipped,
    "a length beyond all": lambda path: path.write_bytes(b"\xff" * 8 + path.read_bytes()[8:]) and None,
}
"""Weights and checkpoints."""
