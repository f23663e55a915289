"""Steps of a system in one of several processes: SYSTEM SIMILARITY RANK WORLD PORT FILE.

Each process has an equal share of the same batch; the first one writes losses and weights to FILE.
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import distributed as dist
from torch import nn

from catdsl.train.data.batches import Batch
from catdsl.train.discriminator import build_discriminator
from catdsl.train.recipe import Recipe
from catdsl.train.sync_norm import synchronise_norms
from catdsl.train.systems.cyclegan import CycleGan
from catdsl.train.systems.distillation import Distillation, build_adapters
from catdsl.train.systems.judge import Judge
from catdsl.train.systems.paired import Paired
from catdsl.train.systems.system import System
from tests.train.one_step import one_step
from tests.train.tiny_networks import Tapped, TinyGenerator

STEPS = 3
RECIPE = Recipe(
    gan="lsgan", gan_weight=0.7, recon=3.0, epochs=1, decay_epochs=0, batch=4, lr=1e-3, betas=(0.5, 0.9),
    cycle=4.0, identity=0.5, pool=6, clip=0.5, alignment=2.0,
)  # fmt: skip


def build(name: str, similarity: str) -> System:
    # Each process is in a random state of its own, which nothing may depend on.
    torch.seed()
    recipe = replace(RECIPE, system=name if name in ("cyclegan", "gaugan") else "pix2pix", similarity=similarity)
    if name == "gaugan":
        recipe = replace(recipe, gan="hinge", feature_matching=2.0, ttur=True)
    judge, judge_back = (Judge(_judge(recipe, seed), recipe) for seed in (4, 5))
    if name == "gaugan":
        return Paired(_ready(TinyGenerator(seed=0)), Judge(_multiscale(), recipe), recipe)
    if name == "paired":
        return Paired(_ready(TinyGenerator(seed=0)), judge, recipe)
    if name == "cyclegan":
        there, back = (_ready(TinyGenerator(seed=seed)) for seed in (0, 1))
        return CycleGan(generator=there, back=back, judge=judge, judge_back=judge_back, recipe=recipe, seed=0)
    student, teacher = TinyGenerator(width=3, seed=2).double(), TinyGenerator(width=8, seed=1).double()
    torch.manual_seed(6)
    adapters = build_adapters([(8, 3)]).double() if similarity == "mse" else None
    # Both read the same norm, as the generated modules do.
    _ready(student)
    return Distillation(
        student=student, tapped_student=Tapped(student), tapped_teacher=Tapped(teacher), judge=judge, recipe=recipe,
        adapters=adapters,
    )  # fmt: skip


def _judge(recipe: Recipe, seed: int) -> nn.Module:
    channels = 6 if recipe.conditional else 3
    return _ready(build_discriminator(channels=channels, size=(32, 32), width=4, layers=2, norm="batch", seed=seed))


def _multiscale() -> nn.Module:
    return _ready(
        build_discriminator(kind="multiscale", channels=6, size=(32, 32), width=4, layers=3, scales=2, seed=7)
    )


def _ready(network: nn.Module) -> nn.Module:
    synchronise_norms(network.double())
    return network


def steps(system: System, rank: int, world: int, parts: int = 1) -> tuple[dict[str, float], dict[str, torch.Tensor]]:
    numbers = torch.Generator().manual_seed(0)
    losses = {}
    for _ in range(STEPS):
        images = (torch.rand(4, 3, 32, 32, generator=numbers, dtype=torch.float64) * 2 - 1 for _ in range(2))
        share = Batch(*images).split(world)[rank]
        losses = {name: float(value) for name, value in one_step(system, share, parts=parts, clip=0.5).items()}
    state = {f"{name}.{key}": t for name, n in system.networks.items() for key, t in n.state_dict().items()}
    return losses, state


def main(name: str, similarity: str, rank: str, world: str, port: str, file: str) -> None:
    torch.set_num_threads(1)
    address = f"tcp://127.0.0.1:{port}"
    dist.init_process_group("gloo", init_method=address, rank=int(rank), world_size=int(world))
    result = steps(build(name, similarity), int(rank), int(world))
    if int(rank) == 0:
        torch.save(result, Path(file))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
