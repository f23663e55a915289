"""A training in a process of its own, to be killed: FOLDER DATA [slow]."""

import sys
import time
from pathlib import Path

import torch

from catdsl.semantics.settings import DataSettings, SpecSettings, StyleSettings, TrainSettings
from catdsl.train.jobs import RunOptions, train_teacher
from tests.train.opened import opened
from tests.train.tiny_networks import NoisyGenerator

SETTINGS = SpecSettings(
    style=StyleSettings(norm="batch"),
    train=TrainSettings(
        epochs=10,
        decay_epochs=10,
        batch=3,
        ndf=8,
        discriminator_layers=2,
        checkpoint_every=7,
        sample_every=13,
    ),
    data=DataSettings(load=36, crop=32),
)


def main(folder: str, data: str, *slow: str) -> None:
    torch.set_num_threads(1)
    generator = NoisyGenerator(width=8)
    if slow:
        generator.register_forward_pre_hook(lambda *_: time.sleep(0.02))
    pairs = opened(Path(data), SETTINGS.data, size=(32, 32))
    train_teacher(generator, pairs, SETTINGS, RunOptions(folder=Path(folder), resume=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
