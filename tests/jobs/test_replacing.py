"""A folder of results is there whole or not at all, and what a user put into it stays."""

import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from catdsl import files as module
from catdsl.diagnostics import CatError
from catdsl.jobs.replacing import replacing

NAMES = ("a.txt", "in/b.txt")


def make(folder: Path, words: str, said: list[str] | None = None) -> None:
    with replacing(folder, own=lambda _: NAMES, say=(said if said is not None else []).append) as made:
        (made / "in").mkdir()
        for name in NAMES:
            (made / name).write_text(words)


def held(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(params=["exchange", "renaming"])
def _swapping(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "renaming":
        monkeypatch.setattr(module, "exchanged", lambda *_: False)


@pytest.mark.usefixtures("_swapping")
def test_a_folder_is_made_and_replaced(tmp_path: Path) -> None:
    folder, said = tmp_path / "out" / "made", []
    make(folder, "one", said)
    make(folder, "two", said)
    assert held(folder) == dict.fromkeys(NAMES, "two")
    assert said == []
    assert [p.name for p in folder.parent.iterdir()] == ["made"]


@pytest.mark.usefixtures("_swapping")
def test_what_others_put_there_stays_and_is_told(tmp_path: Path) -> None:
    folder, said = tmp_path / "made", []
    make(folder, "one")
    (folder / "mine.txt").write_text("mine")
    (folder / "in" / "deep").mkdir()
    (folder / "in" / "deep" / "mine").write_text("mine, too")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.txt").write_text("elsewhere")
    (folder / "link").symlink_to(outside)
    make(folder, "two", said)
    assert held(folder) == {**dict.fromkeys(NAMES, "two"), "mine.txt": "mine", "in/deep/mine": "mine, too"}
    assert (folder / "link").is_symlink()
    assert (outside / "a.txt").read_text() == "elsewhere"
    assert "in/deep/mine, link, mine.txt" in said[0]


def test_a_link_to_a_folder_in_the_place_of_our_own_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    make(folder, "one")
    outside = tmp_path / "outside"
    (folder / "in").rename(outside)
    (folder / "in").symlink_to(outside)
    make(folder, "two")
    assert (outside / "b.txt").read_text() == "one"
    assert held(folder)["in/b.txt"] == "two"


def test_where_the_name_is_taken_both_stay(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    make(folder, "one")
    (folder / "new.txt").write_text("mine")
    with replacing(folder, own=lambda _: NAMES, say=print) as made:
        (made / "new.txt").write_text("ours")
    assert held(folder) == {"new.txt": "ours", "new.txt.kept1": "mine"}


def test_after_an_error_everything_is_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    make(folder, "one")

    def fails() -> None:
        with replacing(folder, own=lambda _: NAMES, say=print) as made:
            (made / "a.txt").write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert held(folder) == dict.fromkeys(NAMES, "one")
    assert [p.name for p in tmp_path.iterdir()] == ["made"]
    (tmp_path / "file").write_text("mine")
    with pytest.raises(CatError, match=r"E608.*is no folder"):
        make(tmp_path / "file", "one")


def test_a_folder_that_is_shared_stays_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flat = ("a.txt", "b.txt")

    def put(folder: Path, words: str) -> None:
        with replacing(folder, own=lambda _: flat, say=print, shared=True) as made:
            for name in flat:
                (made / name).write_text(words)

    folder = tmp_path / "made"
    put(folder, "one")
    first = folder.stat().st_ino
    put(folder, "two")
    assert folder.stat().st_ino != first
    (folder / "mine.txt").write_text("mine")
    second = folder.stat().st_ino
    put(folder, "three")
    assert folder.stat().st_ino == second
    assert held(folder) == {**dict.fromkeys(flat, "three"), "mine.txt": "mine"}
    (folder / "mine.txt").unlink()
    monkeypatch.chdir(folder)
    put(Path(), "four")
    assert folder.stat().st_ino == second
    assert held(folder) == dict.fromkeys(flat, "four")
    assert [p.name for p in tmp_path.iterdir()] == ["made"]


def test_a_link_stays_one(tmp_path: Path) -> None:
    make(tmp_path / "real", "one")
    (tmp_path / "link").symlink_to("real")
    make(tmp_path / "link", "two")
    assert (tmp_path / "link").is_symlink()
    assert held(tmp_path / "real") == dict.fromkeys(NAMES, "two")


_KILLED = """
import sys
from pathlib import Path
from catdsl.jobs.replacing import replacing
if sys.argv[2] == "renaming":
    from catdsl import files as module
    module._exchanged = lambda *_: False
names = [f"{i}.txt" for i in range(20)]
number = 0
print("ready", flush=True)
while True:
    number += 1
    with replacing(Path(sys.argv[1]), own=lambda _: names, say=lambda line: None) as made:
        for name in names:
            (made / name).write_text(str(number))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("way", ["exchange", "renaming"])
def test_killed_at_random_moments(tmp_path: Path, way: str) -> None:
    """The old or the new folder is there, and a user's file in it; nothing is left over after the next run."""
    folder, names, draws = tmp_path / "made", [f"{i}.txt" for i in range(20)], random.Random(0)
    with replacing(folder, own=lambda _: names, say=print) as made:
        for name in names:
            (made / name).write_text("0")
    (folder / "mine").write_text("mine")
    for _ in range(20):
        process = subprocess.Popen(
            [sys.executable, "-c", _KILLED, str(folder), way], stdout=subprocess.PIPE, env={**os.environ}
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(draws.random() * 0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        if way == "exchange":
            texts = {(folder / name).read_text() for name in names}
            assert len(texts) == 1
        with replacing(folder, own=lambda _: names, say=lambda line: None) as made:
            for name in names:
                (made / name).write_text("whole")
        assert held(folder) == {**dict.fromkeys(names, "whole"), "mine": "mine"}
        assert [p.name for p in tmp_path.iterdir()] == ["made"]


def test_a_folder_that_cannot_be_read_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, scan = tmp_path / "place", os.scandir
    (place / "closed").mkdir(parents=True)
    (place / "closed" / "mine").write_text("mine")

    def scanned(path):  # type: ignore[no-untyped-def]
        # Rights alone do not keep an administrator out.
        if not isinstance(path, int) and Path(path).name == "closed":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scanned)
    with (
        pytest.raises(CatError, match=r"E608.*cannot read .*closed"),
        replacing(place, own=lambda _: (), say=print) as made,
    ):
        (made / "new").write_text("new")
    assert (place / "closed" / "mine").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["place"]
