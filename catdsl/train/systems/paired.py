"""pix2pix and GauGAN: a generator against a conditional discriminator, where the target is known.

Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017: an
adversarial loss plus L1 to the target. Park et al., "Semantic Image Synthesis with
Spatially-Adaptive Normalization", CVPR 2019: feature matching and a perceptual loss in L1's place,
several scales, two time scales. What a recipe weighs with 0 is not computed.
"""

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn.functional import l1_loss

from catdsl.train.data.batches import Batch
from catdsl.train.losses.perceptual import Perceptual
from catdsl.train.losses.wide import wide
from catdsl.train.modes import evaluating
from catdsl.train.recipe import Recipe
from catdsl.train.systems.judge import Judge, discriminators, judging_phases
from catdsl.train.systems.pool import ImagePool
from catdsl.train.systems.system import Loss, Made, Phase, System, Terms, adam, weighted


class Paired(System):
    """One step updates the discriminator, then the generator, on the same made-up images.

    `generator` takes B x C x H x W to B x C' x H x W, the discriminator B x (C + C') x H x W to its
    judgements.
    """

    def __init__(self, generator: nn.Module, judge: Judge, recipe: Recipe, perceptual: Perceptual | None = None):
        self._generator = generator
        self._judge = judge
        self._recipe = recipe
        self._perceptual = perceptual
        self._discriminators = discriminators(discriminator=judge)
        learns = Phase("generator", adam({"": generator}, recipe, recipe.generator_lr), self._generator_loss)
        self._phases = (*judging_phases(self._discriminators, recipe, self._judge_loss), learns)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        return {"generator": self._generator, **self._discriminators}

    @property
    def generators(self) -> tuple[str, ...]:
        return ("generator",)

    @property
    def phases(self) -> tuple[Phase, ...]:
        return self._phases

    @property
    def pools(self) -> Mapping[str, ImagePool]:
        return {}

    def sample(self, batch: Batch) -> Mapping[str, Tensor]:
        with evaluating(self._generator):
            image_BCHW = self._generator(batch.input_BCHW)
        return {"input": batch.input_BCHW, "teacher": image_BCHW, "target": batch.target_BCHW}

    def _judge_loss(self, batch: Batch, made: Made) -> Loss:
        loss = self._judge.discriminator_loss(batch.input_BCHW, batch.target_BCHW, self._image(batch, made))
        return Loss(loss, {"discriminator": loss.detach()})

    def _generator_loss(self, batch: Batch, made: Made) -> Loss:
        fake_BCHW = self._image(batch, made)
        judged = self._judge.generator_terms(batch.input_BCHW, batch.target_BCHW, fake_BCHW)
        return weighted({**judged, **target_terms(self._recipe, batch, fake_BCHW, self._perceptual)})

    def _image(self, batch: Batch, made: Made) -> Tensor:
        self._generator.train()
        image: Tensor = made.of("image", lambda: self._generator(batch.input_BCHW))
        return image


def target_terms(recipe: Recipe, batch: Batch, fake_BCHW: Tensor, perceptual: Perceptual | None) -> Terms:
    """What pulls made-up images towards their targets."""
    terms: dict[str, tuple[float, Tensor]] = {}
    if recipe.recon > 0:
        terms["recon"] = (recipe.recon, l1_loss(wide(fake_BCHW), batch.target_BCHW))
    if recipe.perceptual > 0 and perceptual is not None:
        terms["perceptual"] = (recipe.perceptual, perceptual(wide(fake_BCHW), batch.target_BCHW))
    return terms
