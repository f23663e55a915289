"""A writer that is killed outright leaves the old or the new, at most one thing beside it, and the next one nothing."""

import random
import signal
import subprocess
import sys
import time

import pytest

from catdsl.files import is_temporary
from catdsl.temporary import BEFORE
from tests.files.writer import NAMES, WRITERS, content

KILLS = 20


def killed(root, kind, target):
    """Start a writer, and kill it at a random moment of its work."""
    command = [sys.executable, "-m", "tests.files.writer", kind, str(target)]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE)
    process.stdout.readline()
    time.sleep(random.random() * 0.05)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()


def beside(target):
    return [path for path in target.parent.iterdir() if path != target]


def is_whole(path):
    data = path.read_bytes()
    return data == content(int.from_bytes(data[:8], "big"))


def kill_again_and_again(root, kind, target, check):
    """After each kill `check` looks at the target. How often something was left beside it."""
    times = 0
    for _ in range(KILLS):
        killed(root, kind, target)
        left = beside(target)
        assert len(left) <= 1
        assert all(is_temporary(path) for path in left)
        times += len(left)
        check(left)
        WRITERS[kind](target, 7)
        assert beside(target) == []
    return times


@pytest.mark.slow
def test_a_file_is_old_or_new(root, tmp_path):
    target = tmp_path / "file.bin"
    times = kill_again_and_again(root, "file", target, lambda left: check_file(target))
    assert times, "no kill came while a file was written"


def check_file(target):
    assert is_whole(target)


@pytest.mark.slow
def test_a_folder_is_old_or_new(root, tmp_path):
    target = tmp_path / "folder"

    def check(left):
        # Between two renames the old folder lies aside, for the next one to put back.
        found = target if target.exists() else left[0] / BEFORE / target.name
        assert sorted(path.name for path in found.iterdir()) == sorted(NAMES)
        assert len({path.read_bytes() for path in found.iterdir()}) == 1
        assert all(map(is_whole, found.iterdir()))

    assert kill_again_and_again(root, "folder", target, check), "no kill came while a folder was written"
