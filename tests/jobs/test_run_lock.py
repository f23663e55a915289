"""Two commands never write into one run, and a run folder that goes away is no success."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest
from filelock import FileLock

from catdsl.diagnostics import CatError
from catdsl.jobs.run_lock import is_lock, writing

HOLD = """
import sys
from pathlib import Path
from catdsl.jobs.run_lock import writing
with writing(Path(sys.argv[1]), ["catdsl", "train", "x\\x1b[31m.cat"]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(root, tmp_path):
    """A process that holds the lock of `run`, and ends once its input does."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "run")],
        cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_second_is_told_who_writes(holder, tmp_path):
    with pytest.raises(CatError) as refused, writing(tmp_path / "run"):
        pass
    (told,) = refused.value.diagnostics
    assert told.code == "E603"
    (note,) = told.notes
    assert f"process {holder.pid} on {socket.gethostname()}, since 20" in note
    # The word on the writer is a file, and what it holds is shown without control characters.
    assert note.endswith(": catdsl train x\N{REPLACEMENT CHARACTER}[31m.cat")


def test_who_writes_may_be_unknown(holder, tmp_path):
    for text in ("{", '{"pid": "x"}', "[" * 5000, json.dumps({"pid": 1, "host": "x" * 20_000, "since": ""})):
        (tmp_path / "run" / ".writer.json").write_text(text)
        with pytest.raises(CatError, match="E603") as refused, writing(tmp_path / "run"):
            pass
        assert refused.value.diagnostics[0].notes == ()


def test_the_lock_of_a_dead_process_is_free(holder, tmp_path):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "run" / ".writer.json").exists()
    with writing(tmp_path / "run"):
        held = json.loads((tmp_path / "run" / ".writer.json").read_text())
        assert held["pid"] == os.getpid()
    assert [path.name for path in (tmp_path / "run").iterdir() if not is_lock(path)] == []


def test_nothing_stays_of_what_was_refused(tmp_path):
    with pytest.raises(ZeroDivisionError), writing(tmp_path / "run"):
        raise ZeroDivisionError
    assert not (tmp_path / "run").exists()


def test_the_lock_of_a_folder_that_goes_is_removed_while_it_is_held(tmp_path, monkeypatch):
    """After that it may be another process's."""
    release, seen = FileLock.release, []

    def noted(self, *words, **named):
        seen.append((tmp_path / "run").exists())
        release(self, *words, **named)

    monkeypatch.setattr(FileLock, "release", noted)
    with pytest.raises(ZeroDivisionError), writing(tmp_path / "run"):
        raise ZeroDivisionError
    assert seen[:1] == [False]


@pytest.mark.parametrize("name", [".lock", ".writer.json"])
def test_files_of_the_lock_are_no_links(tmp_path, name):
    theirs = tmp_path / "theirs"
    theirs.write_text("somebody's")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).symlink_to(theirs)
    with pytest.raises(CatError, match=r"E604.*is a link"), writing(tmp_path / "run"):
        pass
    assert theirs.read_text() == "somebody's"
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [name]


@pytest.mark.parametrize("again", [False, True])
def test_a_folder_that_goes_away_is_no_success(tmp_path, again):
    run = tmp_path / "run"

    def work():
        with writing(run):
            shutil.rmtree(run)
            if again:
                run.mkdir()
                (run / "metrics.jsonl").touch()

    with pytest.raises(CatError, match=r"E603.*removed or replaced"):
        work()


def test_commands_that_write_are_refused_and_others_are_not(cli):
    cli("compress", "tiny.cat", "--budget", "50%", "-o", "run", "--steps", 2)
    before = {path: path.read_bytes() for path in (cli.folder / "run").rglob("*") if path.is_file()}
    with writing(cli.folder / "run", ("catdsl", "train", "it")):
        holding = f"process {os.getpid()}"
        for words in (
            ("train", "tiny.cat", "-o", "run", "--steps", 2, "--resume"),
            ("compress", "tiny.cat", "--budget", "50%", "-o", "run", "--steps", 2, "--resume"),
            ("evaluate", "run"),
        ):
            told = cli(*words, code=1).stderr
            assert "E603" in told
            assert holding in told
        cli("plan", "tiny.cat", "--budget", "40%", "--teacher", "run", "-o", "student.cat")
        told = cli("distill", "tiny.cat", "--student", "student.cat", "--teacher", "run", "-o", "run", "--steps", 2,
                   "--resume", code=1)  # fmt: skip
        assert holding in told.stderr
        cli("export", "run", "-o", "made.pt2")
    after = {path: path.read_bytes() for path in (cli.folder / "run").rglob("*") if path.is_file()}
    assert {p for p in after if after[p] != before.get(p)} == set()
    cli("compress", "tiny.cat", "--budget", "50%", "-o", "run", "--steps", 2, "--resume")


@pytest.mark.slow
def test_a_training_whose_folder_is_removed_fails(cli):
    process = cli.start("train", "tiny.cat", "-o", "run", "--steps", 3000, stderr=subprocess.PIPE)
    metrics = cli.folder / "run" / "teacher" / "metrics.jsonl"
    until = time.monotonic() + 60
    while not (metrics.exists() and metrics.read_text().count("\n") > 2) and time.monotonic() < until:
        time.sleep(0.01)
    (cli.folder / "run").rename(cli.folder / "moved")
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"E608" in told
    assert b"removed" in told
