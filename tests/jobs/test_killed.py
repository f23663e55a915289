"""Compressions of all three systems, killed again and again, end in the weights of one that was left alone."""

import random
import signal
import time
from pathlib import Path

import pytest

from tests.jobs.killing import command, server
from tests.jobs.systems import write_images, write_spec

pytestmark = pytest.mark.slow

STEPS = 24
KILLS = 20


def words(system: str, run: str) -> tuple[str, ...]:
    return ("compress", f"{system}.cat", "--data", "images", "-o", run, "--steps", str(STEPS), "--resume")


@pytest.fixture(scope="module")
def processes():
    return server()


def finish(processes, folder, system, run):
    process = processes.Process(target=command, args=(str(folder), None, words(system, run)))
    began = time.monotonic()
    process.start()
    process.join(180)
    assert process.exitcode == 0
    return time.monotonic() - began


def kill(processes, folder, system, run, after):
    process = processes.Process(target=command, args=(str(folder), None, words(system, run)))
    process.start()
    time.sleep(after)
    process.kill()
    process.join()
    return process.exitcode


def left(run: Path):
    """The weights that a run left, and its losses without their times."""
    weights = {p.relative_to(run): p.read_bytes() for p in run.rglob("*.safetensors")}
    logs = {p.relative_to(run): p.read_text().splitlines() for p in run.rglob("metrics.jsonl")}
    timeless = {path: [line.split('"seconds"')[0] for line in lines] for path, lines in logs.items()}
    pictures = {p.relative_to(run): p.read_bytes() for p in run.rglob("step_*.png")}
    return weights, timeless, pictures


@pytest.mark.parametrize("system", ["pix2pix", "cyclegan", "gaugan"])
def test_killed_at_random_moments(processes, tmp_path, system):
    write_spec(tmp_path, system)
    write_images(tmp_path / "images", system)
    finish(processes, tmp_path, system, "warm")
    seconds = finish(processes, tmp_path, system, "whole")
    # Starting takes some of the time, so that one run after the other comes to its end among the moments.
    runs, kills = [tmp_path / "killed0"], 0
    while kills < KILLS:
        after = random.random() * seconds / 3
        if kill(processes, tmp_path, system, runs[-1].name, after) == -signal.SIGKILL:
            kills += 1
            print(f"{runs[-1].name} killed after {after:.3f} s")
        else:
            runs.append(tmp_path / f"killed{len(runs)}")
    finish(processes, tmp_path, system, runs[-1].name)
    whole = left(tmp_path / "whole")
    assert len(whole[0]) == (4 if system == "cyclegan" else 3)
    for run in runs:
        for one, other in zip(whole, left(run), strict=True):
            assert one.keys() == other.keys()
            assert [name for name in one if one[name] != other[name]] == []
