"""Figures of the method's released code: read from `tests/reference`, unpacked where they are packed."""

import json
import lzma
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "reference"


def reference(name: str) -> Path:
    """A file of the reference figures."""
    path = FOLDER / name
    return path if path.is_file() else _unpacked(name)


@cache
def _unpacked(name: str) -> Path:
    path = Path(_folder().name) / name
    path.write_bytes(lzma.decompress((FOLDER / f"{name}.xz").read_bytes()))
    return path


@cache
def _folder() -> TemporaryDirectory[str]:
    """Goes away with the process."""
    return TemporaryDirectory(prefix="catdsl-reference-")


def read_json(name: str) -> Any:
    return json.loads(reference(name).read_text(encoding="utf-8"))
