"""The adversarial part that teacher and student share: a conditional discriminator and its two steps."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.optim import Adam, Optimizer

from catdsl.train.data.batches import Batch
from catdsl.train.losses.gan import GAN_LOSSES
from catdsl.train.modes import frozen
from catdsl.train.recipe import Recipe


@dataclass(frozen=True, slots=True, eq=False)
class Adversary:
    """A discriminator of (input, image), concatenated along the channels, and its optimiser.

    An input of another size than the image is resized to it (bilinear).
    """

    network: nn.Module
    optimiser: Optimizer
    recipe: Recipe

    @property
    def active(self) -> bool:
        return self.recipe.gan_weight > 0

    def learn(self, batch: Batch, fake_BCHW: Tensor) -> dict[str, Tensor]:
        """One step of the discriminator on real against made-up images. Returns its loss."""
        self.network.train()
        real = self.network(_beside(batch.input_BCHW, batch.target_BCHW))
        fake = self.network(_beside(batch.input_BCHW, fake_BCHW.detach()))
        loss = GAN_LOSSES[self.recipe.gan].discriminator(real, fake)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return {"discriminator": loss.detach()}

    def judge(self, batch: Batch, fake_BCHW: Tensor) -> Tensor:
        """The generator's adversarial loss; the discriminator's own weights collect no gradient."""
        with frozen(self.network):
            logits = self.network(_beside(batch.input_BCHW, fake_BCHW))
        return GAN_LOSSES[self.recipe.gan].generator(logits)


def _beside(input_BCHW: Tensor, image_BCHW: Tensor) -> Tensor:
    if input_BCHW.shape[2:] != image_BCHW.shape[2:]:
        input_BCHW = interpolate(input_BCHW, size=image_BCHW.shape[2:], mode="bilinear", align_corners=False)
    return torch.cat((input_BCHW, image_BCHW), 1)


def adam(network: nn.Module, recipe: Recipe) -> Adam:
    """Adam as the recipe has it, its full rate kept as `initial_lr` for the schedule."""
    group = {"params": list(network.parameters()), "initial_lr": recipe.lr}
    return Adam([group], lr=recipe.lr, betas=recipe.betas)
