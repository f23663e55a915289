"""The adversarial part that all systems share: a discriminator, its loss, and what it asks of a generator."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, l1_loss

from catdsl.train.data.batches import Batch
from catdsl.train.discriminator import Discriminator, Judgement
from catdsl.train.losses.gan import GAN_LOSSES
from catdsl.train.losses.wide import wide
from catdsl.train.modes import frozen
from catdsl.train.recipe import Recipe
from catdsl.train.systems.system import Loss, Made, Phase, Terms, adam


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """A discriminator of images, beside their input (along the channels) where a recipe is conditional.

    An input of another size than the image is resized to it (bilinear). Losses are means over the
    discriminator's scales. Where the recipe weighs nothing that it would say, there is no network.
    """

    network: Discriminator | None
    recipe: Recipe

    def discriminator_loss(self, input_BCHW: Tensor, real_BCHW: Tensor, fake_BCHW: Tensor) -> Tensor:
        """Real against made-up images; no gradient flows to whoever made them."""
        network = self._training()
        real = network(self._seen(input_BCHW, real_BCHW))
        fake = network(self._seen(input_BCHW, fake_BCHW.detach()))
        loss = GAN_LOSSES[self.recipe.gan].discriminator
        return _mean([loss(wide(r.logits_B1HW), wide(f.logits_B1HW)) for r, f in zip(real, fake, strict=True)])

    def generator_terms(self, input_BCHW: Tensor, real_BCHW: Tensor, fake_BCHW: Tensor) -> Terms:
        """The adversarial loss and feature matching; the discriminator's own weights collect no gradient."""
        if self.network is None:
            return {}
        loss = GAN_LOSSES[self.recipe.gan].generator
        network = self._training()
        with frozen(network):
            fake = network(self._seen(input_BCHW, fake_BCHW))
        gan = _mean([loss(wide(judged.logits_B1HW)) for judged in fake])
        terms = {"gan": (self.recipe.gan_weight, gan)}
        if self.recipe.feature_matching > 0:
            with torch.no_grad():
                real = network(self._seen(input_BCHW, real_BCHW))
            terms["feature_matching"] = (self.recipe.feature_matching, feature_matching(real, fake))
        return terms

    def _training(self) -> Discriminator:
        assert self.network is not None
        self.network.train()
        return self.network

    def _seen(self, input_BCHW: Tensor, image_BCHW: Tensor) -> Tensor:
        if not self.recipe.conditional:
            return image_BCHW
        if input_BCHW.shape[2:] != image_BCHW.shape[2:]:
            input_BCHW = interpolate(input_BCHW, size=image_BCHW.shape[2:], mode="bilinear", align_corners=False)
        return torch.cat((input_BCHW, image_BCHW.to(input_BCHW.dtype)), 1)


def discriminators(**judges: Judge) -> dict[str, nn.Module]:
    """What judges add to the networks of a system, by name."""
    return {name: judge.network for name, judge in judges.items() if judge.network is not None}


def judging_phases(
    networks: Mapping[str, nn.Module], recipe: Recipe, loss: Callable[[Batch, Made], Loss]
) -> tuple[Phase, ...]:
    """The discriminators' part of a step, where there are any."""
    if not networks:
        return ()
    return (Phase("discriminator", adam(networks, recipe, recipe.discriminator_lr), loss),)


def feature_matching(real: tuple[Judgement, ...], fake: tuple[Judgement, ...]) -> Tensor:
    """The mean absolute difference of features, summed over layers, the mean over scales.

    Wang et al., "High-Resolution Image Synthesis with Conditional GANs", CVPR 2018, equation 4.
    """
    scales = [
        torch.stack([l1_loss(wide(f), wide(r.detach())) for r, f in zip(r.features, f.features, strict=True)]).sum()
        for r, f in zip(real, fake, strict=True)
    ]
    return _mean(scales)


def _mean(scales: list[Tensor]) -> Tensor:
    return torch.stack(scales).mean()
