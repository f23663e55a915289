"""Figures of the method's released code, which lie beside the checkout where they are there at all."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def reference(name: str) -> Path:
    """A file of the reference figures; the test is skipped where they are absent."""
    shared = Path(os.environ.get("CATDSL_SHARED") or ROOT.parent / "shared")
    path = shared / "reference" / name
    if not path.is_file():
        pytest.skip(f"the reference figures are not here: {name} (set CATDSL_SHARED to their folder)")
    return path


def read_json(name: str) -> Any:
    return json.loads(reference(name).read_text())
