"""pix2pix: a generator against a conditional discriminator, plus L1 to the target.

Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017.
"""

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn.functional import l1_loss
from torch.optim import Optimizer

from catdsl.train.data.batches import Batch
from catdsl.train.modes import evaluating
from catdsl.train.recipe import Recipe
from catdsl.train.systems.adversary import Adversary, adam
from catdsl.train.systems.system import System


class Pix2Pix(System):
    """One step updates the discriminator, then the generator, on the same made-up images.

    `generator` takes B x C x H x W to B x C' x H x W, `discriminator` B x (C + C') x H x W to
    logits. With `gan_weight` 0 the discriminator is left alone, and costs nothing.
    """

    def __init__(self, generator: nn.Module, discriminator: nn.Module, recipe: Recipe):
        self._generator = generator
        self._recipe = recipe
        self._optimiser = adam(generator, recipe)
        self._adversary = Adversary(discriminator, adam(discriminator, recipe), recipe)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        return {"generator": self._generator, "discriminator": self._adversary.network}

    @property
    def optimisers(self) -> Mapping[str, Optimizer]:
        return {"generator": self._optimiser, "discriminator": self._adversary.optimiser}

    def train_step(self, batch: Batch) -> Mapping[str, Tensor]:
        self._generator.train()
        fake_BCHW = self._generator(batch.input_BCHW)
        losses = self._adversary.learn(batch, fake_BCHW) if self._adversary.active else {}
        recon = l1_loss(fake_BCHW, batch.target_BCHW)
        total = self._recipe.recon * recon
        if self._adversary.active:
            gan = self._adversary.judge(batch, fake_BCHW)
            total = total + self._recipe.gan_weight * gan
            losses["gan"] = gan.detach()
        self._optimiser.zero_grad(set_to_none=True)
        total.backward()
        self._optimiser.step()
        return losses | {"recon": recon.detach(), "total": total.detach()}

    def sample(self, batch: Batch) -> Mapping[str, Tensor]:
        with evaluating(self._generator):
            image_BCHW = self._generator(batch.input_BCHW)
        return {"input": batch.input_BCHW, "teacher": image_BCHW, "target": batch.target_BCHW}
