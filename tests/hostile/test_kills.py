"""Commands that are killed at random moments: the same result afterwards, no file lost, nothing left over."""

import random
import shutil
import time
from pathlib import Path

import pytest

from catdsl.files import is_temporary
from tests.jobs.killing import command, server

pytestmark = pytest.mark.slow

KILLS = 10
"""Of each command: 40 in all."""

_WEIGHTS = ("--weights", "run/teacher/weights.safetensors")
COMMANDS = {
    "compress": ("compress", "tiny.cat", "--budget", "40%", "--steps", "6", "-o", "killed", "--resume"),
    "evaluate": ("evaluate", "run"),
    "export": ("export", "tiny.cat", *_WEIGHTS, "-o", "x.py"),
    "plan": ("plan", "tiny.cat", "--budget", "40%", "--teacher", "run", "-o", "planned/student.cat"),
}


@pytest.fixture(scope="module")
def processes():
    return server()


@pytest.mark.parametrize("name", COMMANDS)
def test_killed_at_random_moments(processes, place: Path, cache: Path, tmp_path_factory, name: str) -> None:
    words, draw = COMMANDS[name], random.Random(f"kills of {name}")
    mine = place / ("run/report/mine.txt" if name == "evaluate" else "mine.txt")
    mine.write_text("not catdsl's")
    beside = tmp_path_factory.mktemp("kills")
    whole, killed = beside / "whole", beside / "killed"
    shutil.copytree(place, whole, symlinks=True)
    _finish(processes, whole, cache, words)
    shutil.rmtree(whole)
    shutil.copytree(place, whole, symlinks=True)
    # Warm: what takes time now is what can be killed.
    seconds = _finish(processes, whole, cache, words)
    ended = 0
    for round in range(KILLS):
        if not killed.exists():
            shutil.copytree(place, killed, symlinks=True)
        process = processes.Process(target=command, args=(str(killed), str(cache), words))
        process.start()
        time.sleep(draw.random() * seconds)
        process.kill()
        process.join()
        ended += process.exitcode == -9
        # A file of somebody else is where it was, whatever the moment.
        assert _mine(killed, mine.relative_to(place)), f"lost after kill {round}"
    assert ended, "no kill came before the end"
    _finish(processes, killed, cache, words)
    assert _left(killed) == _left(whole)
    assert [path for path in killed.rglob("*") if is_temporary(path)] == []
    assert [path for path in killed.rglob(".catdsl-*")] == []


def _finish(processes, folder: Path, cache: Path, words: tuple[str, ...]) -> float:
    process = processes.Process(target=command, args=(str(folder), str(cache), words))
    began = time.monotonic()
    process.start()
    process.join(300)
    assert process.exitcode == 0
    return time.monotonic() - began


def _mine(folder: Path, inside: Path) -> bool:
    """Whether it is there: under its name, or in the report that was set aside for a moment."""
    return (folder / inside).exists() or any(folder.rglob(inside.name))


def _left(folder: Path) -> dict[str, bytes]:
    """Names of all files, and what weights and programs hold; times and dates differ."""
    same = (".safetensors", ".cat", ".png", ".txt")
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.suffix in same else b""
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (".lock", ".writer.json") and "__pycache__" not in path.parts
    }
