"""Resident memory of a call: what it holds shows while it runs, and an unknown system says nothing."""

import mmap
from pathlib import Path

import pytest

from catdsl.evaluate import resident
from catdsl.evaluate.resident import resident_growth

_MANY = 64 * 2**20
_LINUX = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells of the peak")


def _touch(size: int) -> None:
    with mmap.mmap(-1, size) as taken:
        for page in range(0, size, mmap.PAGESIZE):
            taken[page] = 1


@_LINUX
def test_memory_that_is_given_back_again_counts() -> None:
    assert resident_growth(lambda: _touch(_MANY)) == pytest.approx(_MANY, rel=0.05)


@_LINUX
def test_what_was_held_before_does_not_count() -> None:
    _touch(4 * _MANY)
    assert (resident_growth(lambda: None) or 0) < _MANY / 16


def test_an_unknown_system_says_nothing_and_the_call_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resident, "_PROCESS", tmp_path / "absent")
    made: list[int] = []
    assert resident_growth(lambda: made.append(1)) is None
    assert made == [1]
