"""Pipelines of passes by name. The graph is verified after each pass."""

from collections.abc import Iterable, Mapping

from catdsl.ir.graph import Graph
from catdsl.passes.block_pixels import BlockPixels
from catdsl.passes.delay_slices import DelaySlices
from catdsl.passes.drop_dead import DropDead
from catdsl.passes.fold_batch_norms import FoldBatchNorms
from catdsl.passes.grow_depthwise_kernels import GrowDepthwiseKernels
from catdsl.passes.join_slices import JoinSlices
from catdsl.passes.merge_sibling_convs import MergeSiblingConvs
from catdsl.passes.merge_summed_convs import MergeSummedConvs
from catdsl.passes.rewriting import Pass, Rewritten, unchanged
from catdsl.passes.scatter_narrow_convs import ScatterNarrowConvs
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
    # What onnxruntime's kernels for processors want besides, after `deploy`.
    "onnxruntime": (ScatterNarrowConvs(),),
}  # fmt: skip


def run_pipeline(name: str, graph: Graph) -> Rewritten:
    """The graph after all passes of the pipeline `name`, and its weights from those of `graph`."""
    return run_pipelines((name,), graph)


def run_pipelines(names: Iterable[str], graph: Graph) -> Rewritten:
    """The graph after several pipelines in turn, and its weights from those of `graph`."""
    result = unchanged(graph)
    for step in (step for name in names for step in PIPELINES[name]):
        result = result.then(step)
    return result
