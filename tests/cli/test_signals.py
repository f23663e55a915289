"""Ctrl-C and termination end a command without a word, wherever it is."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

pytestmark = [
    pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals of POSIX"),
]  # fmt: skip

# Done, interrupted, or ended by the signal itself: Python's last deed is to put back what signals do by default.
ENDS = (0, 130, -signal.SIGINT)

PROGRAM = "from catdsl.cli import program; print('up', flush=True); program()"


def started(root, tmp_path, *arguments, code=PROGRAM):
    """A process that is about to run the command."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root), "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )  # fmt: skip
    assert process.stdout.readline() == b"up\n"
    return process


def ended(process):
    _, told = process.communicate(timeout=60)
    return process.returncode, told.decode()


def how_long(root, tmp_path, *arguments):
    began = time.monotonic()
    process = started(root, tmp_path, *arguments)
    up = time.monotonic()
    assert ended(process)[0] == 0
    return time.monotonic() - max(began, up)


@pytest.mark.parametrize("arguments", [("check", "tiny.cat"), ("build", "tiny.cat", "-o", "made"), ("--help",)])
def test_at_any_moment(root, tmp_path, spec, arguments):
    """`build` loads torch, which is most of its time."""
    took = how_long(root, tmp_path, *arguments)
    codes = []
    for i in range(12):
        process = started(root, tmp_path, *(word if word != "made" else f"made{i}" for word in arguments))
        time.sleep(random.uniform(0.02, took))
        process.send_signal(signal.SIGINT)
        code, told = ended(process)
        codes.append(code)
        assert code in ENDS, told
        assert "Traceback" not in told
        assert "Exception ignored" not in told
        assert "KeyboardInterrupt" not in told
        if code != 0:
            assert told == ""
    assert 130 in codes


def test_twice(root, tmp_path, spec):
    took = how_long(root, tmp_path, "build", "tiny.cat", "-o", "made")
    for i in range(8):
        process = started(root, tmp_path, "build", "tiny.cat", "-o", f"made{i}")
        time.sleep(random.uniform(0.02, took * 0.8))
        process.send_signal(signal.SIGINT)
        time.sleep(random.uniform(0, 0.01))
        process.send_signal(signal.SIGINT)
        code, told = ended(process)
        assert code in ENDS
        assert told == ""


WORKING = """
import sys, time
from catdsl.cli import guard, signals
signals.starting()
signals.running()
def work():
    try:
        print("up", flush=True)
        {work}
    finally:
        print("cleaned", flush=True)
        {clean}
code = guard.guarded(work)
signals.ending()
sys.exit(code)
"""


def working(root, tmp_path, work="time.sleep(60)", clean="pass"):
    return started(root, tmp_path, code=WORKING.format(work=work, clean=clean))


def test_the_first_lets_a_command_clean_up_and_the_second_does_not_wait(root, tmp_path):
    process = working(root, tmp_path)
    process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=60)
    assert (process.returncode, out, told) == (130, b"cleaned\n", b"")

    process = working(root, tmp_path, clean="time.sleep(60)")
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == b"cleaned\n"
    process.send_signal(signal.SIGINT)
    assert ended(process) == (130, "")


def test_termination_cleans_up(root, tmp_path):
    process = working(root, tmp_path)
    process.send_signal(signal.SIGTERM)
    out, told = process.communicate(timeout=60)
    assert (process.returncode, out, told) == (143, b"cleaned\n", b"")


@pytest.mark.parametrize(
    "work", ["\n        try:\n            time.sleep(60)\n        except BaseException: raise ImportError('x')"]
)
def test_an_interrupt_that_a_library_renames_is_one(root, tmp_path, work):
    process = working(root, tmp_path, work)
    process.send_signal(signal.SIGINT)
    assert ended(process) == (130, "")


def test_one_that_the_caller_has_had_ignored_is(root, tmp_path, spec):
    """As `nohup` and background jobs of scripts do."""
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); " + PROGRAM
    process = started(root, tmp_path, "check", "tiny.cat", code=code)
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == 0


def test_termination_is_no_less_where_ctrl_c_is_ignored(root, tmp_path):
    process = started(root, tmp_path, code="import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
                      + WORKING.format(work="time.sleep(60)", clean="pass"))  # fmt: skip
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    out, told = process.communicate(timeout=60)
    assert (process.returncode, out, told) == (143, b"cleaned\n", b"")


def test_nothing_is_loaded_before_signals_are_minded(root, tmp_path):
    code = """
import sys
from catdsl.cli import signals
print("up", flush=True)
sys.exit(" ".join(name for name in sys.modules if name.startswith("catdsl")))
"""
    assert ended(started(root, tmp_path, code=code)) == (1, "catdsl catdsl.cli catdsl.cli.signals\n")
