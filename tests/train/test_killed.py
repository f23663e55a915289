"""A run that is killed outright, wherever it was, ends in the weights of one that was not."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
import torch

from catdsl.train.checkpoint import load_checkpoint
from catdsl.train.metrics import read_metrics

TOTAL = 60


def start(root, folder, data, *more):
    command = [sys.executable, "-m", "tests.train.killed_run", str(folder), str(data), *more]
    return subprocess.Popen(command, cwd=root, stderr=subprocess.DEVNULL)


def wait_for(condition, process):
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)


def steps_done(folder):
    path = folder / "metrics.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def kill_after(root, folder, data, *, steps, pause):
    process = start(root, folder, data, "slow")
    wait_for(lambda: steps_done(folder) >= steps, process)
    time.sleep(pause)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def finish(root, folder, data):
    assert start(root, folder, data).wait(timeout=60) == 0
    return load_checkpoint(folder / "checkpoint.pt")


def tensors(value, path=""):
    """Every tensor and number of nested state, by its path."""
    if isinstance(value, dict):
        return {k: t for name, item in value.items() for k, t in tensors(item, f"{path}/{name}").items()}
    if isinstance(value, list | tuple):
        return tensors(dict(enumerate(value)), path)
    return {path: value}


def assert_same_end(root, tmp_path, scenes, kills):
    whole = finish(root, tmp_path / "whole", scenes)
    for steps, pause in kills:
        kill_after(root, tmp_path / "killed", scenes, steps=steps, pause=pause)
    resumed = finish(root, tmp_path / "killed", scenes)
    assert whole.step == resumed.step == TOTAL
    for kind in ("networks", "optimisers"):
        first, second = tensors(getattr(whole, kind)), tensors(getattr(resumed, kind))
        assert first.keys() == second.keys()
        for name, value in first.items():
            same = torch.equal(value, second[name]) if torch.is_tensor(value) else value == second[name]
            assert same, name
    logs = [read_metrics(tmp_path / name / "metrics.jsonl") for name in ("whole", "killed")]
    timeless = [[{**record, "seconds": 0} for record in log] for log in logs]
    assert timeless[0] == timeless[1]
    pictures = [{p.name: p.read_bytes() for p in (tmp_path / n / "samples").iterdir()} for n in ("whole", "killed")]
    assert pictures[0] == pictures[1]


@pytest.mark.slow
def test_killed_once_at_a_random_moment(root, tmp_path, scenes):
    steps, pause = random.randrange(3, 40), random.random() * 0.05
    print(f"killed {pause:.4f} s after step {steps}")
    assert_same_end(root, tmp_path, scenes, [(steps, pause)])


@pytest.mark.slow
def test_killed_again_and_again(root, tmp_path, scenes):
    kills = [(0, 0.0), *((steps, random.random() * 0.05) for steps in (1, 9, 20, 21, 50))]
    print(kills)
    assert_same_end(root, tmp_path, scenes, kills)
