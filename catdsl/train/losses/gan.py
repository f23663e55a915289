"""Adversarial losses as a table: what discriminator and generator minimise in each mode."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import relu, softplus

from catdsl.semantics.settings import GanMode


@dataclass(frozen=True, slots=True)
class GanLoss:
    """`discriminator(real, fake)` and `generator(fake)`, from logits of any shape to a scalar mean.

    The discriminator's is half the sum of its two terms, which slows it relative to the generator
    (Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", 2017, 3.3).
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


GAN_LOSSES: dict[GanMode, GanLoss] = {
    # Mao et al., "Least Squares Generative Adversarial Networks", 2017, equation 9
    "lsgan": GanLoss(
        discriminator=lambda real, fake: ((real - 1).square().mean() + fake.square().mean()) / 2,
        generator=lambda fake: (fake - 1).square().mean(),
    ),
    # Lim and Ye, "Geometric GAN", 2017; Miyato et al., 2018, equations 16 and 17
    "hinge": GanLoss(
        discriminator=lambda real, fake: (relu(1 - real).mean() + relu(1 + fake).mean()) / 2,
        generator=lambda fake: -fake.mean(),
    ),
    # Goodfellow et al., 2014, with the non-saturating generator; softplus(-x) = -log sigmoid(x)
    "vanilla": GanLoss(
        discriminator=lambda real, fake: (softplus(-real).mean() + softplus(fake).mean()) / 2,
        generator=lambda fake: softplus(-fake).mean(),
    ),
}
