"""CycleGAN: two generators, there and back, between two sets of images of which none belong together.

Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
ICCV 2017, section 3; the identity loss is that of section 5.2, its weight a share of the cycle's.
"""

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn.functional import l1_loss

from catdsl.train.data.batches import Batch
from catdsl.train.losses.wide import wide
from catdsl.train.modes import evaluating
from catdsl.train.recipe import Recipe
from catdsl.train.systems.judge import Judge, discriminators, judging_phases
from catdsl.train.systems.pool import ImagePool
from catdsl.train.systems.system import Loss, Made, Phase, System, adam, weighted


class CycleGan(System):
    """One step updates both discriminators, then both generators, on the same made-up images.

    `generator` takes inputs to targets, `back` targets to inputs; `judge` knows targets, `judge_back`
    inputs, neither sees what an image was made from. All images have the same channels and size.
    """

    def __init__(
        self, *, generator: nn.Module, back: nn.Module, judge: Judge, judge_back: Judge, recipe: Recipe, seed: int
    ):
        self._generator, self._back = generator, back
        self._judge, self._judge_back = judge, judge_back
        self._recipe = recipe
        self._pools = {name: ImagePool(recipe.pool, name=name, seed=seed) for name in ("pool", "pool_back")}
        generators = {"generator": generator, "back": back}
        judging = discriminators(discriminator=judge, discriminator_back=judge_back)
        self._networks = {**generators, **judging}
        learns = Phase("generator", adam(generators, recipe, recipe.generator_lr), self._generator_loss)
        self._phases = (*judging_phases(judging, recipe, self._judge_loss), learns)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        return self._networks

    @property
    def generators(self) -> tuple[str, ...]:
        return "generator", "back"

    @property
    def phases(self) -> tuple[Phase, ...]:
        return self._phases

    @property
    def pools(self) -> Mapping[str, ImagePool]:
        return self._pools

    def sample(self, batch: Batch) -> Mapping[str, Tensor]:
        with evaluating(self._generator), evaluating(self._back):
            there_BCHW = self._generator(batch.input_BCHW)
            again_BCHW = self._back(there_BCHW)
            back_BCHW = self._back(batch.target_BCHW)
        return {
            "input": batch.input_BCHW, "teacher": there_BCHW, "and back": again_BCHW,
            "other input": batch.target_BCHW, "teacher back": back_BCHW,
        }  # fmt: skip

    def _judge_loss(self, batch: Batch, made: Made) -> Loss:
        there = self._pools["pool"].query(self._there(batch, made))
        back = self._pools["pool_back"].query(self._backwards(batch, made))
        loss = self._judge.discriminator_loss(batch.input_BCHW, batch.target_BCHW, there)
        loss_back = self._judge_back.discriminator_loss(batch.target_BCHW, batch.input_BCHW, back)
        shown = {"discriminator": loss.detach(), "discriminator_back": loss_back.detach()}
        return Loss(loss + loss_back, shown)

    def _generator_loss(self, batch: Batch, made: Made) -> Loss:
        source, target, recipe = batch.input_BCHW, batch.target_BCHW, self._recipe
        there, back = self._there(batch, made), self._backwards(batch, made)
        judged = self._judge.generator_terms(source, target, there)
        judged_back = self._judge_back.generator_terms(target, source, back)
        terms = {**judged, **{f"{name}_back": term for name, term in judged_back.items()}}
        if recipe.cycle > 0:
            again = l1_loss(wide(self._back(there)), source) + l1_loss(wide(self._generator(back)), target)
            terms["cycle"] = (recipe.cycle, again)
        if recipe.cycle * recipe.identity > 0:
            same = l1_loss(wide(self._generator(target)), target) + l1_loss(wide(self._back(source)), source)
            terms["identity"] = (recipe.cycle * recipe.identity, same)
        return weighted(terms)

    def _there(self, batch: Batch, made: Made) -> Tensor:
        return _made(self._generator, batch.input_BCHW, made, "there")

    def _backwards(self, batch: Batch, made: Made) -> Tensor:
        return _made(self._back, batch.target_BCHW, made, "back")


def _made(network: nn.Module, x_BCHW: Tensor, made: Made, name: str) -> Tensor:
    network.train()
    image: Tensor = made.of(name, lambda: network(x_BCHW))
    return image
