"""Sums over the processes of one training, with gradients; in a process by itself, nothing is sent.

A loss that is computed from sums over all processes is the same number in each of them. Gradients of
parameters are averaged over the processes afterwards, so the gradient of a sum is summed as well:
the average then is the gradient of one process that holds all the samples.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

import torch
from torch import Tensor
from torch import distributed as dist

from catdsl.diagnostics import CatError, Diagnostic

T = TypeVar("T")


def rank() -> int:
    """The number of this process, from 0."""
    return dist.get_rank() if _together() else 0


def first() -> bool:
    """Whether this process writes and speaks: the first, or the only one."""
    return rank() == 0


def world() -> int:
    """How many processes train together."""
    return dist.get_world_size() if _together() else 1


def all_sum(x: Tensor) -> Tensor:
    """The sum of `x` over all processes, with its gradient."""
    return _AllSum.apply(x) if world() > 1 else x


def all_rows(x: Tensor) -> Tensor:
    """`x` of all processes, in the order of their ranks, joined along axis 0, with its gradient.

    Every process gives equally many rows.
    """
    return _AllRows.apply(x) if world() > 1 else x


def all_largest(x: Tensor) -> Tensor:
    """The element-wise maximum over all processes, without a gradient."""
    largest = x.detach()
    if world() > 1:
        largest = largest.clone()
        dist.all_reduce(largest, dist.ReduceOp.MAX)
    return largest


def average(tensors: Iterable[Tensor]) -> None:
    """Replace tensors by their means over all processes, in place; integers are left alone."""
    together = [t for t in tensors if t.is_floating_point()] if world() > 1 else []
    if not together:
        return
    # One message for all of them: a message of its own costs more than what most of them hold.
    wide = torch.float64 if any(t.dtype == torch.float64 for t in together) else torch.float32
    flat = torch.cat([t.detach().reshape(-1).to(wide) for t in together])
    dist.all_reduce(flat)
    flat /= world()
    for tensor, mean in zip(together, flat.split([t.numel() for t in together]), strict=True):
        tensor.detach().copy_(mean.view_as(tensor))


def any_process(wish: bool, device: torch.device | str) -> bool:
    """Whether any process has the wish: all get the same answer."""
    if world() == 1:
        return wish
    votes = torch.tensor(float(wish), device=device)
    dist.all_reduce(votes)
    return bool(votes)


def first_error(error: CatError | None, device: torch.device | str) -> CatError | None:
    """The error of the first process that has one, or None: the same for all of them."""
    if world() == 1 or not any_process(error is not None, device):
        return error
    found: list[tuple[Diagnostic, ...] | None] = [None] * world()
    dist.all_gather_object(found, None if error is None else tuple(error.diagnostics))
    return next(CatError(diagnostics) for diagnostics in found if diagnostics is not None)


def together(job: Callable[[], T], device: torch.device | str) -> T:
    """What `job` gives in this process, once all have done it; what one of them cannot do is an error of all."""
    result, error = None, None
    try:
        result = job()
    except CatError as found:
        error = found
    shared = first_error(error, device)
    if shared is not None:
        raise shared
    return cast(T, result)


def by_first(job: Callable[[], object], device: torch.device | str) -> None:
    """Let the first process do something that the others wait for, and share its error."""
    together(job if first() else lambda: None, device)


def from_first(value: T) -> T:
    """The first process's value, for all: what chance or rounding could make differ between devices."""
    if world() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box)
    return box[0]


def wait_for_all() -> None:
    """Go on once all processes have come here."""
    if world() > 1:
        dist.barrier()


def _together() -> bool:
    return dist.is_available() and dist.is_initialized()


class _AllSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.detach().clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        dist.all_reduce(total)
        return total


class _AllRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        rows = x.detach().contiguous()
        found = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
        dist.all_gather(found, rows)
        return torch.cat(found)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        dist.all_reduce(total)
        return total.chunk(dist.get_world_size())[dist.get_rank()]
