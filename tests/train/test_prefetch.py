"""Batches are the same whoever makes them: threads ahead of time, processes that share, another run."""

import hashlib
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image

from catdsl.diagnostics import CatError
from catdsl.semantics.settings import DataSettings
from catdsl.train.data.batches import Batch, training_batches
from catdsl.train.data.prefetch import Prefetched
from catdsl.train.data.sides import LabelMap, Side
from tests.train.opened import opened


@pytest.fixture(params=["paired", "unpaired", "labels"])
def data(request, tmp_path):
    """9 items of each kind, read anew at each step: labels with edges, sides of 9 and 7 images."""
    kind = request.param
    numbers = np.random.default_rng(0)
    folders = {"labels": ("photo", "label", "instance")}.get(kind, ("A", "B"))
    for folder in folders:
        (tmp_path / folder).mkdir()
        for i in range(7 if (kind, folder) == ("unpaired", "B") else 9):
            shape = (12, 14) if folder in ("label", "instance") else (12, 14, 3)
            image = numbers.integers(0, 5, shape, dtype=np.uint8)
            Image.fromarray(image).save(tmp_path / folder / f"{i}.png")
    source = Side(6, LabelMap(5, edges=True)) if kind == "labels" else Side(3)
    settings = DataSettings(kind=kind, load=(12, 14), crop=8, holdout=0)
    return opened(tmp_path, settings, size=(8, 8), source=source, most_in_memory=1)


def same(one, two):
    return torch.equal(one.input_BCHW, two.input_BCHW) and torch.equal(one.target_BCHW, two.target_BCHW)


@pytest.mark.parametrize("world", [2, 4])
def test_the_shares_of_processes_are_the_whole_batch(data, world):
    whole = training_batches(data, batch=4, seed=3)
    parts = [training_batches(data, batch=4, seed=3, rank=rank, world=world) for rank in range(world)]
    for step in range(12):
        shares = [part.at(step) for part in parts]
        assert {len(share) for share in shares} == {4 // world}
        joined = Batch(*(torch.cat([getattr(s, side) for s in shares]) for side in ("input_BCHW", "target_BCHW")))
        assert same(joined, whole.at(step))
    assert {part.steps_per_epoch for part in parts} == {whole.steps_per_epoch}
    assert {part.batch for part in parts} == {4}


def test_a_process_reads_its_own_files_only(data, monkeypatch):
    read = []
    sets = type(data.train)
    plain = sets.read_places
    monkeypatch.setattr(sets, "read_places", lambda self, places: read.append(len(places)) or plain(self, places))
    training_batches(data, batch=4, seed=0, rank=1, world=2).at(0)
    assert read == [2]


@pytest.mark.parametrize("workers", [0, 1, 4])
def test_threads_change_nothing(data, workers):
    plain = training_batches(data, batch=2, seed=1)
    with Prefetched(plain, workers=workers) as ahead:
        assert (ahead.batch, ahead.steps_per_epoch) == (2, plain.steps_per_epoch)
        for step in (0, 1, 2, 3, 9, 10, 4, 4, 0):
            assert same(ahead.at(step), plain.at(step))


def test_a_file_that_goes_is_an_error_where_its_step_is_asked_for(data, tmp_path):
    batches = training_batches(data, batch=9, seed=0)
    with Prefetched(batches, workers=2) as ahead:
        ahead.at(0)
        next(iter(sorted(tmp_path.rglob("3.png")))).unlink()
        with pytest.raises(CatError, match=r"E602"):  # noqa: PT012
            for step in range(1, 9):
                ahead.at(step)


class Slow:
    """Batches that note who makes them, each of them waiting for a sign."""

    batch, steps_per_epoch = 1, 10

    def __init__(self):
        self.begun, self.threads, self.open = [], set(), threading.Event()

    def at(self, step):
        self.begun.append(step)
        self.threads.add(threading.current_thread())
        assert self.open.wait(20)
        return Batch(torch.full((1, 1, 1, 1), float(step)), torch.zeros(1))


def test_the_next_steps_are_begun_and_no_more():
    slow = Slow()
    slow.open.set()
    with Prefetched(slow, workers=2) as ahead:
        assert ahead.at(5).input_BCHW.item() == 5
        deadline = time.monotonic() + 20
        while len(slow.begun) < 3 and time.monotonic() < deadline:
            time.sleep(0.001)
        assert sorted(slow.begun) == [5, 6, 7]
        assert ahead.at(6).input_BCHW.item() == 6
    assert max(slow.begun) <= 8
    assert threading.current_thread() not in slow.threads
    assert not any(thread.is_alive() for thread in slow.threads)


def test_without_workers_the_caller_makes_them():
    slow = Slow()
    slow.open.set()
    with Prefetched(slow, workers=0) as ahead:
        ahead.at(1)
    assert (slow.begun, slow.threads) == ([1], {threading.current_thread()})


def test_what_was_begun_ends_with_the_block():
    """An error in the block is not kept back by batches that nobody needs any more, and no thread stays."""

    class Lasting(Slow):
        def at(self, step):
            made = super().at(step)
            time.sleep(0.2 * step)
            return made

    slow = Lasting()
    slow.open.set()
    with pytest.raises(KeyError), Prefetched(slow, workers=2) as ahead:  # noqa: PT012
        ahead.at(0)
        raise KeyError
    assert len(slow.begun) <= 3
    assert not any(thread.is_alive() for thread in slow.threads)


_DIGEST = """
import hashlib, sys
from pathlib import Path
from catdsl.semantics.settings import DataSettings
from catdsl.train.data.batches import training_batches
from tests.train.opened import opened
data = opened(Path(sys.argv[1]), DataSettings(kind="unpaired", load=(12, 14), crop=8, holdout=0), size=(8, 8))
digest = hashlib.sha256()
for step in range(12):
    batch = training_batches(data, batch=2, seed=4).at(step)
    digest.update(batch.input_BCHW.numpy().tobytes() + batch.target_BCHW.numpy().tobytes())
print(digest.hexdigest())
"""


@pytest.mark.slow
def test_another_process_makes_the_same(tmp_path, root):
    numbers = np.random.default_rng(0)
    for folder, count in (("A", 4), ("B", 9)):
        (tmp_path / folder).mkdir()
        for i in range(count):
            Image.fromarray(numbers.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(tmp_path / folder / f"{i}.png")
    digests = {
        subprocess.run(
            [sys.executable, "-c", _DIGEST, str(tmp_path)], cwd=root, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
        ).stdout.strip()
        for seed in (1, 2)
    }  # fmt: skip
    assert len(digests) == 1
    assert digests != {hashlib.sha256().hexdigest()}
