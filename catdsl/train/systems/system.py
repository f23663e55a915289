"""What the engine needs to know of a system: its networks, the phases of a step, and pictures of where it stands."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from catdsl.train.data.batches import Batch
from catdsl.train.recipe import Recipe
from catdsl.train.systems.pool import ImagePool

Terms = Mapping[str, tuple[float, Tensor]]
"""Losses by name, each with its weight."""


class Made:
    """What networks made of one batch in one step: computed by the first phase that asks, used by all.

    To be cleared where a network has changed, or where its memory is needed.
    """

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def of(self, name: str, compute: Callable[[], Any]) -> Any:
        if name not in self._made:
            self._made[name] = compute()
        return self._made[name]

    def clear(self) -> None:
        self._made.clear()


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """What a phase minimises, and what the log shows of it: detached scalars by name."""

    total: Tensor
    shown: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Phase:
    """A part of a step: one optimiser lowers one loss, a mean over the samples of a batch."""

    name: str
    optimiser: Optimizer
    loss: Callable[[Batch, Made], Loss]


class System(ABC):
    """Networks that are trained together, from a start that the caller chose."""

    @property
    @abstractmethod
    def networks(self) -> Mapping[str, nn.Module]:
        """What is trained, and therefore stored, by name."""

    @property
    @abstractmethod
    def generators(self) -> tuple[str, ...]:
        """Those of the networks that a training is for."""

    @property
    @abstractmethod
    def phases(self) -> tuple[Phase, ...]:
        """What a step does, in order."""

    @property
    @abstractmethod
    def pools(self) -> Mapping[str, ImagePool]:
        """What else a step changes."""

    @abstractmethod
    def sample(self, batch: Batch) -> Mapping[str, Tensor]:
        """Pictures for a grid, column name -> B x C x H x W in [-1, 1], in evaluation mode."""


def weighted(terms: Terms) -> Loss:
    """The sum of all terms times their weights; it is shown as `total` where there are several."""
    total = torch.stack([weight * value for weight, value in terms.values()]).sum()
    shown = {name: value.detach() for name, (_, value) in terms.items()}
    return Loss(total, {**shown, "total": total.detach()})


def adam(networks: Mapping[str, nn.Module], recipe: Recipe, lr: float) -> Adam:
    """Adam as the recipe has it: a group for each network, with its name, and its full rate as `initial_lr`."""
    groups = [
        {"params": list(network.parameters()), "initial_lr": lr, "name": name} for name, network in networks.items()
    ]
    # On a CPU, hundreds of small tensors take longer to go through one by one than to compute. On CUDA
    # the fused form cannot be clipped under a gradient scaler, and the default is fast.
    fused = all(p.device.type == "cpu" for network in networks.values() for p in network.parameters()) or None
    return Adam(groups, lr=lr, betas=recipe.betas, fused=fused)
