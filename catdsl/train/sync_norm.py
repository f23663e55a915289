"""Batch normalisation over the samples of all processes."""

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from catdsl.train.collective import all_sum, world
from catdsl.train.losses.wide import wide


class SyncBatchNorm(nn.Module):
    """A batch norm whose statistics in training are those of all processes, with the state of the one it replaces.

    PyTorch's own needs CUDA; sums of a few numbers per channel work on every device. Every process
    gives equally many samples, B x C x H x W.
    """

    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(self, like: nn.BatchNorm2d):
        super().__init__()
        self.weight, self.bias = like.weight, like.bias
        self.register_buffer("running_mean", like.running_mean)
        self.register_buffer("running_var", like.running_var)
        self.register_buffer("num_batches_tracked", like.num_batches_tracked)
        self.eps, self.momentum = like.eps, like.momentum
        self.train(like.training)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        # Evaluation is a process's own affair: others need not be there to add up anything.
        if not self.training:
            mean, variance, own = self.running_mean, self.running_var, self.running_mean is None
            return batch_norm(x_BCHW, mean, variance, self.weight, self.bias, training=own, eps=self.eps)
        x = wide(x_BCHW)
        count = x.numel() // x.shape[1] * world()
        mean_C = all_sum(x.sum((0, 2, 3))) / count
        centred = x - mean_C.view(1, -1, 1, 1)
        variance_C = all_sum(centred.square().sum((0, 2, 3))) / count
        self._track(mean_C.detach(), variance_C.detach() * count / max(count - 1, 1))
        y = centred * torch.rsqrt(variance_C + self.eps).view(1, -1, 1, 1)
        if self.weight is not None:
            y = y * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
        return y.to(x_BCHW.dtype)

    def _track(self, mean_C: Tensor, variance_C: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked += 1
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean_C, share)
        self.running_var.lerp_(variance_C, share)


def synchronise_norms(network: nn.Module) -> None:
    """Replace every batch norm inside `network`, in place, where there are several processes."""
    if world() == 1:
        return
    for path, module in list(network.named_modules()):
        if isinstance(module, nn.BatchNorm2d):
            parent, _, name = path.rpartition(".")
            setattr(network.get_submodule(parent), name, SyncBatchNorm(module))
