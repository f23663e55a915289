"""Small files that ask for gigabytes are refused within a bound of memory; `benchmarks/bombs.py` has their times."""

from pathlib import Path

import pytest

from benchmarks.bombs import BOMBS, MOST_MEMORY, measured, prepared

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused(tmp_path: Path, name: str) -> None:
    prepared(tmp_path)
    taken = measured(BOMBS[name], tmp_path)
    assert taken.code == 1, taken
    assert taken.said.startswith("error[E"), taken
    assert taken.memory < MOST_MEMORY, taken
