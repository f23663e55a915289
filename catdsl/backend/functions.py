"""Functions of tensors that generated modules call, beside torch's own. Tensors are B x C x H x W."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from catdsl.ir.size import SizeExpr, evaluate, scaled


def add(*tensors: Tensor) -> Tensor:
    """The sum of tensors of one shape, from left to right."""
    return reduce(torch.add, tensors)


def mul(*tensors: Tensor) -> Tensor:
    """The product of tensors of one shape."""
    return reduce(torch.mul, tensors)


def concat(*tensors: Tensor) -> Tensor:
    """Channels of all tensors in turn."""
    return torch.cat(tensors, dim=1)


def modulate(x: Tensor, gamma: Tensor, beta: Tensor | None = None) -> Tensor:
    """x * (1 + gamma) + beta (SPADE, Park et al. 2019, equation 1); an absent beta is 0."""
    scaled = x * (1 + gamma)
    return scaled if beta is None else scaled + beta


def resize(x: Tensor, *like: Tensor, scale: float | None, to: tuple[SizeExpr, SizeExpr] | None, mode: str) -> Tensor:
    """Resample x by a factor, or to a size that may follow the sizes of x and of `like`."""
    if to is None:
        assert scale is not None
        size: tuple[Any, Any] = (scaled(x.shape[2], scale), scaled(x.shape[3], scale))
    else:
        sizes = [(t.shape[2], t.shape[3]) for t in (x, *like)]
        size = (evaluate(to[0], sizes), evaluate(to[1], sizes))
    if mode == "bilinear":
        return F.interpolate(x, size=size, mode="bilinear", align_corners=False)
    return F.interpolate(x, size=size, mode="nearest")


def arrange(x: Tensor, pieces: Sequence[tuple[int | None, int]]) -> Tensor:
    """Channels of x piece by piece, `(start, length)`; a start of None stands for zeros."""
    shape = (x.shape[0], -1, x.shape[2], x.shape[3])
    parts = [
        x.narrow(1, start, length) if start is not None else x.new_zeros(()).expand(shape[0], length, *shape[2:])
        for start, length in pieces
    ]
    return torch.cat(parts, dim=1)
