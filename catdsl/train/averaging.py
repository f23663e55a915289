"""Moving averages of weights, which make steadier images than the weights of any one step.

Yazici et al., "The Unusual Effectiveness of Averaging in GAN Training", ICLR 2019, section 3.1.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """The exponential moving average of a network's parameters; its buffers are the network's own.

    It begins as what the parameters are at the first update. Modules that share the network's
    parameters are changed with it.
    """

    def __init__(self, network: nn.Module, decay: float):
        self._parameters = dict(network.named_parameters())
        self._decay = decay
        self._means: dict[str, Tensor] = {}

    @torch.no_grad()
    def update(self) -> None:
        """Take a step's weights in: mean <- decay x mean + (1 - decay) x weights."""
        if not self._means:
            self._means = {name: p.detach().clone() for name, p in self._parameters.items()}
            return
        weights: list[Tensor] = [self._parameters[name] for name in self._means]
        torch._foreach_lerp_(list(self._means.values()), weights, 1 - self._decay)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """The network with the average for its weights, for a while."""
        self.swap()
        try:
            yield
        finally:
            self.swap()

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange average and weights."""
        for name, mean in self._means.items():
            weights = self._parameters[name].detach().clone()
            self._parameters[name].copy_(mean)
            mean.copy_(weights)

    @property
    def state(self) -> Mapping[str, Tensor]:
        """All of it, by the names of parameters; empty before the first update."""
        return self._means

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state`. Raises ValueError where it is another network's."""
        shapes = {name: p.shape for name, p in self._parameters.items()}
        if state and {name: t.shape for name, t in state.items()} != shapes:
            raise ValueError("the averages are those of another network")
        self._means = {name: t.to(self._parameters[name].device) for name, t in state.items()}
