"""Adversarial losses against numbers worked out by hand."""

from math import exp, log

import pytest
import torch

from catdsl.train.losses.gan import GAN_LOSSES

REAL = torch.tensor([[2.0, 0.5]])
FAKE = torch.tensor([[-1.5, 0.25]])


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


BY_HAND = {
    # mode: (discriminator, generator)
    "lsgan": (
        ((1.0 + 0.25) / 2 + (2.25 + 0.0625) / 2) / 2,
        (6.25 + 0.5625) / 2,
    ),
    "hinge": (
        ((0 + 0.5) / 2 + (0 + 1.25) / 2) / 2,
        -(-1.5 + 0.25) / 2,
    ),
    "vanilla": (
        -((log(sigmoid(2)) + log(sigmoid(0.5))) / 2 + (log(1 - sigmoid(-1.5)) + log(1 - sigmoid(0.25))) / 2) / 2,
        -(log(sigmoid(-1.5)) + log(sigmoid(0.25))) / 2,
    ),
}


@pytest.mark.parametrize("mode", sorted(GAN_LOSSES))
def test_values(mode):
    discriminator, generator = BY_HAND[mode]
    assert GAN_LOSSES[mode].discriminator(REAL, FAKE).item() == pytest.approx(discriminator, rel=1e-6)
    assert GAN_LOSSES[mode].generator(FAKE).item() == pytest.approx(generator, rel=1e-6)


@pytest.mark.parametrize("mode", sorted(GAN_LOSSES))
def test_the_two_pull_in_opposite_directions(mode):
    fake = torch.zeros(4, 1, 2, 2, requires_grad=True)
    (towards_real,) = torch.autograd.grad(GAN_LOSSES[mode].generator(fake), fake)
    (away,) = torch.autograd.grad(GAN_LOSSES[mode].discriminator(torch.ones(1), fake + 0.1), fake)
    assert (towards_real < 0).all()
    assert (away > 0).all()


def test_vanilla_survives_extreme_logits():
    loss = GAN_LOSSES["vanilla"]
    assert loss.discriminator(torch.tensor([-1e4]), torch.tensor([1e4])).item() == pytest.approx(1e4)
