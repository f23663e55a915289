"""One step of a system: every phase in order, over all parts of a batch, in all processes alike."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from catdsl.train import collective
from catdsl.train.data.batches import Batch
from catdsl.train.losses.wide import wide
from catdsl.train.seeding import derived_seed
from catdsl.train.systems.system import Made, Phase, System

if TYPE_CHECKING:
    from lightning_fabric.plugins.precision.precision import Precision


def train_step(
    system: System, parts: Sequence[Batch], precision: "Precision", *, clip: float | None = None, seed: int = 0
) -> dict[str, Tensor]:
    """Update all networks of `system` once. Returns the losses by name, detached scalars.

    Gradients are means over the samples of all parts and all processes, and their norm, over all
    parameters of a phase, is at most `clip`. Randomness (dropout) follows from `seed` alone, for
    every part and process its own. Buffers become the means over the processes.
    """
    made = [Made() for _ in parts]
    losses: dict[str, list[Tensor]] = {}
    for phase in system.phases:
        phase.optimiser.zero_grad(set_to_none=True)
        for index, (part, images) in enumerate(zip(parts, made, strict=True)):
            torch.manual_seed(derived_seed(seed, "part", index, collective.rank()))
            with precision.forward_context():
                loss = phase.loss(part, images)
            precision.backward(loss.total / len(parts), None)
            for name, value in loss.shown.items():
                losses.setdefault(name, []).append(wide(value))
            # Images of one part must not wait for the next phase in memory that the other parts need.
            if len(parts) > 1:
                images.clear()
        _descend(phase, precision, clip)
    collective.average(_buffers(system.networks))
    means = {name: torch.stack(values).mean() for name, values in losses.items()}
    collective.average(means.values())
    return means


def _descend(phase: Phase, precision: "Precision", clip: float | None) -> None:
    collective.average(_gradients(phase.optimiser))
    if clip is not None:
        precision.unscale_gradients(phase.optimiser)
        nn.utils.clip_grad_norm_(_parameters(phase.optimiser), clip)
    precision.optimizer_step(phase.optimiser)


def _gradients(optimiser: Optimizer) -> Iterable[Tensor]:
    return [p.grad for p in _parameters(optimiser) if p.grad is not None]


def _parameters(optimiser: Optimizer) -> list[Tensor]:
    return [p for group in optimiser.param_groups for p in group["params"]]


def _buffers(networks: Mapping[str, nn.Module]) -> Iterable[Tensor]:
    return [b for network in networks.values() for b in network.buffers()]
