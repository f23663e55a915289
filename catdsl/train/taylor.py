"""Scores of channels by a first-order Taylor expansion: what the loss would change without them."""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import l1_loss

from catdsl.backend.paths import module_path
from catdsl.ir.graph import Graph
from catdsl.train.data.batches import TrainingBatches
from catdsl.train.modes import evaluating


def taylor_scores(
    generator: nn.Module, graph: Graph, batches: TrainingBatches, *, count: int, device: str
) -> dict[str, np.ndarray]:
    """For every affine norm, |scale x gradient| of each channel, the mean over the first `count` batches.

    The loss is the mean absolute error to the target, in evaluation mode (Molchanov et al.,
    "Importance Estimation for Neural Network Pruning", CVPR 2019, section 3.1, with the scales of
    norms as gates).
    """
    norms = [n.name for n in graph.nodes if n.scaled]
    if not norms:
        return {}
    generator.to(device)
    scales = [generator.get_parameter(module_path(f"{name}.weight")) for name in norms]
    totals = [torch.zeros_like(scale) for scale in scales]
    with evaluating(generator), torch.enable_grad():
        for batch in map(batches.at, range(count)):
            on_device = batch.to(device)
            loss = l1_loss(generator(on_device.input_BCHW), on_device.target_BCHW)
            # A norm that only a tap reads has no gradient, and no weight in the result.
            gradients = torch.autograd.grad(loss, scales, allow_unused=True)
            for total, scale, gradient in zip(totals, scales, gradients, strict=True):
                if gradient is not None:
                    total += (scale * gradient).detach().abs()
    return {name: (total / count).cpu().numpy() for name, total in zip(norms, totals, strict=True)}
