"""Pipelines of passes by name. The graph is verified after each pass."""

from collections.abc import Mapping

import numpy as np

from catdsl.ir.graph import Graph
from catdsl.passes.block_pixels import BlockPixels
from catdsl.passes.delay_slices import DelaySlices
from catdsl.passes.drop_dead import DropDead
from catdsl.passes.fold_batch_norms import FoldBatchNorms
from catdsl.passes.grow_depthwise_kernels import GrowDepthwiseKernels
from catdsl.passes.join_slices import JoinSlices
from catdsl.passes.merge_sibling_convs import MergeSiblingConvs
from catdsl.passes.merge_summed_convs import MergeSummedConvs
from catdsl.passes.rewriting import Pass, Rewritten, Weights, unchanged
from catdsl.passes.settle_spectral_norms import SettleSpectralNorms
from catdsl.passes.share_equal_nodes import ShareEqualNodes
from catdsl.passes.share_padding import SharePadding

PIPELINES: Mapping[str, tuple[Pass, ...]] = {
    # The same function with the same gradients, in training mode as in evaluation mode.
    "train": (DropDead(), ShareEqualNodes(), MergeSiblingConvs(), DelaySlices(), JoinSlices(), SharePadding()),
    # The same function in evaluation mode, at the least cost in time.
    "deploy": (
        DropDead(inference=True), SettleSpectralNorms(), FoldBatchNorms(), ShareEqualNodes(),
        MergeSiblingConvs(), DelaySlices(), JoinSlices(), GrowDepthwiseKernels(), DelaySlices(), JoinSlices(),
        MergeSummedConvs(), JoinSlices(), BlockPixels(), SharePadding(),
    ),
}  # fmt: skip


def run_pipeline(name: str, graph: Graph) -> Rewritten:
    """The graph after all passes of the pipeline `name`, and its weights from those of `graph`."""
    result = unchanged(graph)
    for step in PIPELINES[name]:
        result = result.then(step)
    return result


def deployed(graph: Graph, weights: Weights) -> tuple[Graph, dict[str, np.ndarray]]:
    """A network as it is shipped: its graph after the pipeline `deploy`, and its weights."""
    rewritten = run_pipeline("deploy", graph)
    return rewritten.graph, rewritten.carry(weights)
