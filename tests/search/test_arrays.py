"""Arrays of .npz files come back equal, and no file takes more than it says and may."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from catdsl.diagnostics import CatError
from catdsl.reading import Door
from catdsl.search.arrays import read_npz

DOOR = Door("file of scores", "E403", "weights", "give another")


def saved(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def archive(path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as made:
        for name, content in entries.items():
            made.writestr(name, content)
    return path


def refused(path: Path) -> str:
    with pytest.raises(CatError, match="E403") as caught:
        read_npz(path, DOOR)
    return " ".join((caught.value.diagnostics[0].message, *caught.value.diagnostics[0].notes))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_come_back_equal(tmp_path: Path, save) -> None:
    arrays = {
        "a.norm0": np.arange(5, dtype=np.float32),
        "columns": np.asfortranarray(np.arange(6, dtype=">f8").reshape(2, 3)),
        "scalar": np.float32(3),
        "empty": np.zeros((0, 4)),
        "whole": np.arange(3),
    }
    save(tmp_path / "s.npz", **arrays)
    found = read_npz(tmp_path / "s.npz", DOOR)
    assert list(found) == list(arrays)
    for name, values in arrays.items():
        assert np.array_equal(found[name], values)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """A thousand times as large as its file: 300 MB of zeros in 300 KB."""
    path = archive(tmp_path / "s.npz", {"a.npy": saved(np.zeros(75_000_000, np.float32))})
    assert path.stat().st_size < 1_000_000
    assert "unpacks to 300,000,128 bytes, more than the limit of 256,000,000 bytes; raise it with `--limit arrays=" in (
        refused(path)
    )


def test_a_limit_may_be_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "s.npz", {"a.npy": saved(np.zeros(1000))})
    monkeypatch.setenv("CATDSL_LIMITS", "arrays=1000")
    assert "raise it with `--limit arrays=8128`" in refused(path)
    monkeypatch.setenv("CATDSL_LIMITS", "arrays=10000")
    assert read_npz(path, DOOR)["a"].shape == (1000,)


def test_a_header_that_speaks_of_more_than_is_there(tmp_path: Path) -> None:
    content = saved(np.zeros(10)).replace(b"(10,), ", b"(10**9,)".ljust(7)[:7].replace(b"*", b"0"))
    path = archive(tmp_path / "s.npz", {"a.npy": content})
    assert "s.npz" in refused(path)
    huge = saved(np.zeros(10)).replace(b"(10,),", b"(99,),")
    assert "says that it has (99,) values of float64, and has 80 bytes" in refused(
        archive(tmp_path / "t.npz", {"a.npy": huge})
    )


@pytest.mark.parametrize(
    ("array", "word"),
    [(np.array([{}], dtype=object), "objects"), (np.array(["text"]), "no numbers"), (np.array([1j]), "no numbers")],
)
def test_what_is_no_number(tmp_path: Path, array: np.ndarray, word: str) -> None:
    np.savez(tmp_path / "s.npz", a=array)
    assert word in refused(tmp_path / "s.npz")


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"text", b"PK\5\6" + bytes(18)])
def test_files_that_are_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.npz"
    path.write_bytes(content)
    if content.startswith(b"PK\5"):
        assert read_npz(path, DOOR) == {}
        return
    assert "cannot be read as .npz" in refused(path)
