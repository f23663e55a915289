"""Every pass: text before, text after, and the same function; and what it leaves alone."""

from textwrap import dedent

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from catdsl.analysis.cost import cost_model
from catdsl.backend.module import build_module
from catdsl.ir.graph import Graph
from catdsl.passes.block_pixels import BlockPixels
from catdsl.passes.delay_slices import DelaySlices
from catdsl.passes.drop_dead import DropDead
from catdsl.passes.fold_batch_norms import FoldBatchNorms
from catdsl.passes.grow_depthwise_kernels import GrowDepthwiseKernels
from catdsl.passes.merge_sibling_convs import MergeSiblingConvs
from catdsl.passes.merge_summed_convs import MergeSummedConvs
from catdsl.passes.pipeline import PIPELINES
from catdsl.passes.rewriting import Pass, Rewritten, unchanged
from catdsl.passes.scatter_narrow_convs import ScatterNarrowConvs
from catdsl.project import load
from tests.passes.cases import CASES, Case
from tests.passes.networks import drawn, images, network, shown


def graph_of(body: str, head: str = "style { norm = instance, pad = zero }\n") -> Graph:
    return load(f"{head}generator g {{\n{dedent(body)}\n}}\n").graph


def after(graph: Graph, *steps: Pass) -> Rewritten:
    result = unchanged(graph)
    for step in steps:
        result = result.then(step)
    return result


def same_function(graph: Graph, rewritten: Rewritten) -> None:
    weights = drawn(graph)
    old, new = network(graph, weights), network(rewritten.graph, rewritten.carry(weights))
    for batch, factor in ((1, (1, 1)), (2, (2, 3))):
        inputs = images(graph, batch=batch, factor=factor)
        with torch.no_grad():
            torch.testing.assert_close(new(*inputs), old(*inputs), rtol=0, atol=1e-10)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.step.name)
def test_a_pass_rewrites_and_changes_no_result(case: Case) -> None:
    graph = graph_of(case.text)
    prepared = after(graph, *case.first)
    assert shown(prepared.graph) == dedent(case.before).strip()
    result = prepared.then(case.step)
    assert shown(result.graph) == dedent(case.after).strip()
    same_function(graph, result)
    assert case.step.run(result.graph).graph is result.graph, "a second time there is nothing left to do"


def test_every_pass_of_a_pipeline_has_its_case() -> None:
    used = {type(step) for steps in PIPELINES.values() for step in steps}
    assert used == {type(case.step) for case in CASES}


@pytest.mark.parametrize(
    ("step", "body"),
    [
        (MergeSiblingConvs(), "concat(x -> conv(2, 3), x -> conv(2, 3, stride = 1, pad = reflect))"),
        (MergeSiblingConvs(), "concat(x -> conv(2, 3), x -> conv(2, 3, spectral = true))"),
        (MergeSummedConvs(), "(b -> conv(4, 1)) + (b -> conv(4, 3)) + (b -> tanh)"),
        (MergeSummedConvs(), "(x -> conv(4, 1)) + (x -> relu)"),
        (FoldBatchNorms(), "(b -> batch_norm) + b"),
        (FoldBatchNorms(), "x -> conv(4, 1) -> instance_norm"),
        (FoldBatchNorms(), "((x -> conv(4, 1)) + (x -> relu)) -> batch_norm"),
        (GrowDepthwiseKernels(), "concat(c -> dwconv(3, pad = reflect), d -> dwconv(5, pad = zero))"),
        (GrowDepthwiseKernels(), "concat(c -> dwconv(3), d -> dwconv(5, stride = 2) -> resize(scale = 2))"),
        (BlockPixels(), "x -> conv(3, 5)"),
        (BlockPixels(), "x -> resize(scale = 3) -> conv(3, 5)"),
        (BlockPixels(), "x -> resize(scale = 2) -> conv(8, 5)"),
        (ScatterNarrowConvs(), "w -> conv(4, 1)"),
        (ScatterNarrowConvs(), "w -> conv(5, 3)"),
        (ScatterNarrowConvs(channels=3), "w -> conv(4, 3)"),
        (ScatterNarrowConvs(growth=2), "w -> conv(4, 3)"),
        (ScatterNarrowConvs(), "w -> conv(4, 3, stride = 2)"),
        (ScatterNarrowConvs(), "w -> conv(4, 3, dilation = 2)"),
        (ScatterNarrowConvs(), "w -> conv(4, 3, spectral = true)"),
        (ScatterNarrowConvs(), "w -> conv(4, 3, padding = 3)"),
        (DelaySlices(), "concat(c -> prelu(shared = true), d -> prelu(shared = true))"),
        (DropDead(inference=False), "x -> conv(4, 3) -> dropout(0.5)"),
    ],
)
def test_what_would_change_a_result_is_left_alone(step: Pass, body: str) -> None:
    graph = graph_of(
        f"input x: image(4, 8, 8)\nb = x -> conv(4, 1)\nc, d = x -> split(2)\nw = x -> conv(14, 1)\noutput {body}"
    )
    assert step.run(graph).graph is graph


@pytest.mark.parametrize(("pad", "side"), [("reflect", 12), ("zero", 8)])
def test_a_conv_that_scatters_has_the_cost_of_an_independent_counter(pad: str, side: int) -> None:
    """A border that is no zeros is multiplied like the pixels within."""
    graph = graph_of("input x: image(12, 8, 8)\noutput x -> conv(3, 5, pad = PAD)".replace("PAD", pad))
    rewritten = ScatterNarrowConvs().run(graph).graph
    assert [n.op.name for n in rewritten.nodes if n.op.name != "pad"] == ["input", "scatter_conv"]
    module = build_module(rewritten).to("meta")
    with FlopCounterMode(display=False) as counter:
        module(torch.zeros((1, 12, 8, 8), device="meta"))
    assert cost_model(rewritten).at().exact == counter.get_total_flops() / 2 == side**2 * 12 * 3 * 25
