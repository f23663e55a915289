"""A training whose folder is removed, whenever that is, ends in an error and never as finished."""

import shutil

import pytest

from catdsl.diagnostics import CatError
from catdsl.train import engine
from catdsl.train.data.batches import training_batches
from tests.train.test_engine import STEPS, started


class Removing:
    """Batches; when one of them is asked for, the folder goes."""

    def __init__(self, batches, folder, at):
        self.batches, self.folder, self.when = batches, folder, at
        self.batch, self.steps_per_epoch = batches.batch, batches.steps_per_epoch

    def at(self, step):
        if step == self.when:
            shutil.rmtree(self.folder)
        return self.batches.at(step)


@pytest.mark.parametrize("step", range(STEPS.total_steps))
def test_at_every_step(tmp_path, paired, step):
    """Checkpoints come every fourth step, samples every fifth; each of them would make the folder anew."""
    folder = tmp_path / "run"
    batches = Removing(training_batches(paired, batch=2, seed=0), folder, step)
    with pytest.raises(CatError, match=r"E608.*was removed or replaced"):
        started(folder, paired, batches=batches, samples=True)


def test_while_the_last_checkpoint_is_written(tmp_path, paired, monkeypatch):
    """The metrics are complete by then, and lie in no folder any more."""
    folder = tmp_path / "run"
    real = engine.save_checkpoint

    def save(path, checkpoint):
        if checkpoint.step == STEPS.total_steps:
            shutil.rmtree(folder)
        real(path, checkpoint)

    monkeypatch.setattr(engine, "save_checkpoint", save)
    with pytest.raises(CatError, match=r"E608.*was removed or replaced"):
        started(folder, paired)
