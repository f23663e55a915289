"""Files are read within their limit, whatever their size says, and take no more memory than they have bytes."""

import os
import tracemalloc
from pathlib import Path

import pytest

from catdsl import reading
from catdsl.diagnostics import CatError
from catdsl.reading import Door, read_bytes

DOOR = Door("thing", "E605", "weights")


@pytest.mark.parametrize("size", [0, 1, 1000, 10_000_000])
def test_all_bytes_in_little_memory(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "f").write_bytes(content)
    tracemalloc.start()
    try:
        assert read_bytes(tmp_path / "f", DOOR) == content
        assert tracemalloc.get_traced_memory()[1] < 2 * size + 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("grown", [100, 101, 20_000_000])
def test_a_file_that_grows_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grown: int) -> None:
    """Its size is told before, and the bytes come after."""
    (tmp_path / "before").write_bytes(bytes(50))
    (tmp_path / "f").write_bytes(bytes(grown))
    before = os.stat(tmp_path / "before")
    monkeypatch.setenv("CATDSL_LIMITS", "weights=100")
    monkeypatch.setattr(reading.os, "fstat", lambda _: before)
    if grown == 100:
        assert read_bytes(tmp_path / "f", DOOR) == bytes(100)
        return
    with pytest.raises(CatError, match=r"has more than 100 bytes, more than the limit of 100 bytes"):
        read_bytes(tmp_path / "f", DOOR)


def test_a_file_that_tells_no_size() -> None:
    assert read_bytes(Path("/proc/self/status"), DOOR).startswith(b"Name:")
