"""Networks small enough for tests: a generator with batch norm, and its tapped form."""

import torch
from torch import Tensor, nn


class TinyGenerator(nn.Module):
    """Two convs and a batch norm at full resolution; `width` is that of the only tap."""

    def __init__(self, *, channels: int = 3, made: int = 3, width: int = 6, seed: int = 0):
        super().__init__()
        torch.manual_seed(seed)
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.last = nn.Conv2d(width, made, 3, padding=1)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return torch.tanh(self.last(torch.relu(self.norm(self.first(x_BCHW)))))


class Tapped(nn.Module):
    """A TinyGenerator that also returns its tap."""

    def __init__(self, generator: TinyGenerator):
        super().__init__()
        self.generator = generator

    def forward(self, x_BCHW: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        g = self.generator
        tap = torch.relu(g.norm(g.first(x_BCHW)))
        return torch.tanh(g.last(tap)), (tap,)


class NoisyGenerator(TinyGenerator):
    """With dropout, so that training depends on random numbers."""

    def __init__(self, **options: int):
        super().__init__(**options)
        self.drop = nn.Dropout(0.5)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return torch.tanh(self.last(self.drop(torch.relu(self.norm(self.first(x_BCHW))))))
