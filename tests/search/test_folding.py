"""Folding: where the constants of removed channels go, and what is said of those that go nowhere."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import fx

from catdsl.backend.module import build_module
from catdsl.ir.counts import with_counts
from catdsl.ir.graph import Graph
from catdsl.ops import BY_NAME
from catdsl.project import load
from catdsl.search.budget import parse_budget
from catdsl.search.folding import Doubt, Fate, Folded, Removal, fold_constants
from catdsl.search.slicing import kept_channels
from tests.properties.silencing import (
    Kept,
    channels_alive,
    loaded_student,
    numpy_state,
    random_images,
    random_kept,
    randomized,
    without_scales,
)

NEAR = 1e-8


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


def program(body: str, *, norm: str = "batch", pad: str = "reflect", bias: str = "auto") -> Graph:
    """The statements of a generator of one image `x`, in a style."""
    return load(
        f"use inc_res from std.inception\nstyle {{ norm = {norm}, pad = {pad}, bias = {bias} }}\n"
        f"generator g {{ input x: image(3, 12, 10)\n{body}\n}}\nsearch {{ floor = 1 }}"
    ).graph


@dataclass(frozen=True)
class Case:
    """What folding said, and how far the student is from its teacher with it and without."""

    folded: Folded
    distance: float
    without: float

    @property
    def only(self) -> Removal:
        (removal,) = self.folded.removals
        return removal


def fold(graph: Graph, counts: Mapping[str, int], *, scales: bool = False) -> Case:
    """With random weights; the scales of removed channels are 0 unless `scales`."""
    kept = random_kept(graph, counts, 0)
    module = randomized(build_module(graph), 0)
    if not scales:
        without_scales(graph, module, channels_alive(graph, kept))
    weights = numpy_state(module)
    found = fold_constants(graph, counts, kept, weights)
    return Case(
        found, distance(graph, module, counts, kept, found.weights), distance(graph, module, counts, kept, weights)
    )


def distance(
    graph: Graph, module: fx.GraphModule, counts: Mapping[str, int], kept: Kept, weights: Mapping[str, np.ndarray]
) -> float:
    """The mean difference of the student's image from the teacher's."""
    student = with_counts(graph, counts, arrange=BY_NAME["arrange"])
    images = random_images(graph, 1)
    with torch.no_grad():
        made = loaded_student(graph, student, counts, kept, weights)(*images)
        return float((made - module(*images)).abs().mean())


@pytest.mark.parametrize("pad", ["reflect", "replicate"])
def test_a_bias_takes_the_constant(pad: str) -> None:
    graph = program(f"a = x -> conv(6, 3) -> norm -> relu\noutput a -> conv(2, 3, pad = {pad}) -> tanh")
    case = fold(graph, {"a.conv0": 2})
    assert case.only == Removal("output.conv0", 4, Fate.BIAS, "output.conv0")
    assert case.folded.exact
    assert case.distance < NEAR < case.without


def test_a_running_mean_takes_it_where_there_is_no_bias() -> None:
    graph = program("a = x -> conv(6, 3) -> norm -> relu\nb = a -> conv(5, 3) -> norm\noutput b -> conv(2, 1)")
    assert not graph.node["b.conv0"].attrs["bias"]
    case = fold(graph, {"a.conv0": 2})
    assert case.only == Removal("b.conv0", 4, Fate.RUNNING_MEAN, "b.norm0")
    assert case.distance < NEAR < case.without


@pytest.mark.parametrize("norm", ["instance_norm", "batch_norm(tracked = false)"])
def test_statistics_of_the_image_cancel_it(norm: str) -> None:
    graph = program(
        "a = x -> conv(6, 3) -> batch_norm -> relu\n"
        f"b = a -> conv(5, 3, bias = false) -> {norm}\noutput b -> conv(2, 1)"
    )
    case = fold(graph, {"a.conv0": 2})
    assert case.only.fate is Fate.CANCELLED
    assert case.folded.exact
    assert case.distance < NEAR


@pytest.mark.parametrize("norm", ["instance", "batch"])
@pytest.mark.parametrize("bias", ["auto", "true"])
def test_an_inception_block_is_exact(norm: str, bias: str) -> None:
    """Branches grow narrower, two vanish, and the stream loses channels; dwconvs pass constants on."""
    graph = program(
        "a = x -> conv(12, 3) -> norm -> relu\nb = a -> 2 * inc_res(mid = 4)\noutput b -> conv(2, 3)",
        norm=norm, bias=bias,
    )  # fmt: skip
    counts = {w.name: 2 for w in graph.widths if w.searched and w.count == 4}
    counts |= {"a.conv0": 7, "b.0.dense.1.conv0": 0, "b.0.depth.2.conv0": 0, "b.1.depth.0.conv0": 0}
    case = fold(graph, counts)
    assert case.folded.exact
    assert {removal.reader for removal in case.folded.removals} >= {
        "b.0.dense.1.conv1", "b.0.dense.2.conv1", "b.0.depth.0.conv1", "output.conv0",
    }  # fmt: skip
    assert case.distance < NEAR < case.without


def test_zero_padding_is_said_to_be_inexact() -> None:
    """Inside the image the constant is carried; pixels at the border see fewer of it."""
    text = "a = x -> conv(6, 3) -> norm -> relu\noutput a -> conv(2, 3)"
    case = fold(program(text, pad="zero"), {"a.conv0": 2})
    assert case.only == Removal("output.conv0", 4, Fate.BIAS, "output.conv0", Doubt.BORDER)
    assert not case.folded.exact
    assert NEAR < case.distance < case.without / 2


@pytest.mark.parametrize("conv", ["conv(2, 1)", "conv(2, 3, padding = 0)"])
def test_without_padded_pixels_zero_padding_is_exact(conv: str) -> None:
    graph = program(f"a = x -> conv(6, 3) -> norm -> relu\noutput a -> {conv}", pad="zero")
    case = fold(graph, {"a.conv0": 2})
    assert case.folded.exact
    assert case.distance < NEAR


def test_zero_padding_of_a_depthwise_conv_is_seen_behind_it() -> None:
    text = "a = x -> conv(6, 3) -> norm -> relu -> dwconv(3)\noutput a -> conv(2, 1)"
    assert fold(program(text, pad="zero"), {"a.conv0": 2}).only.doubt is Doubt.BORDER
    assert fold(program(text), {"a.conv0": 2}).folded.exact


def test_a_scale_is_said_to_be_inexact() -> None:
    graph = program("a = x -> conv(6, 3) -> norm\noutput a -> conv(2, 1)")
    case = fold(graph, {"a.conv0": 2}, scales=True)
    assert case.only == Removal("output.conv0", 4, Fate.BIAS, "output.conv0", Doubt.SCALE)
    assert case.distance > NEAR


def test_a_constant_of_0_is_nothing() -> None:
    graph = program("a = x -> conv(6, 3) -> norm -> relu\noutput a -> conv(2, 3)")
    module = randomized(build_module(graph), 0)
    kept = random_kept(graph, {"a.conv0": 2}, 0)
    without_scales(graph, module, channels_alive(graph, kept))
    with torch.no_grad():
        module.get_parameter("a.norm0.bias").fill_(-1)
    weights = numpy_state(module)
    case = fold_constants(graph, {"a.conv0": 2}, kept, weights)
    assert case.removals == (Removal("output.conv0", 4, Fate.NOTHING, "output.conv0"),)
    assert case.exact
    assert all(case.weights[name] is values for name, values in weights.items())


def test_channels_without_a_norm_are_not_constant() -> None:
    graph = program("a = x -> conv(6, 3) -> relu\noutput a -> conv(2, 3)")
    case = fold(graph, {"a.conv0": 2})
    assert case.only == Removal("output.conv0", 4, Fate.NOT_CONSTANT, "output.conv0", lost=None)
    assert not case.folded.exact
    assert case.distance == case.without


def test_a_transposed_conv_makes_no_constant() -> None:
    graph = program("a = x -> conv(6, 3) -> norm\noutput a -> deconv(2, 3)")
    assert fold(graph, {"a.conv0": 2}).only.fate is Fate.NOT_CONSTANT


def test_known_channels_are_carried_beside_unknown_ones() -> None:
    graph = program("a = x -> conv(6, 3) -> norm\nb = x -> conv(6, 3) -> relu\noutput concat(a, b) -> conv(2, 3)")
    case = fold(graph, {"a.conv0": 2, "b.conv0": 3})
    assert [(r.fate, r.channels) for r in case.folded.removals] == [(Fate.NOT_CONSTANT, 3), (Fate.BIAS, 4)]


def test_what_a_vanished_branch_leaves_is_lost_without_a_place() -> None:
    """Its conv's bias goes with it, and behind the sum there is nothing to take the constant."""
    graph = program("a = x -> conv(4 in 0.., 1) -> norm -> conv(3, 1)\noutput x + a")
    case = fold(graph, {"a.conv0": 0})
    assert (case.only.reader, case.only.fate, case.only.place) == ("a.conv1", Fate.NO_BIAS, "output.add0")
    assert case.only.lost is not None
    assert 0 < case.without == case.distance <= case.only.lost


def test_what_a_vanished_branch_leaves_goes_into_the_next_bias() -> None:
    graph = program("a = x -> conv(4 in 0.., 3) -> norm -> conv(3, 1)\noutput (x + a) -> conv(2, 3)")
    case = fold(graph, {"a.conv0": 0})
    assert (case.only.reader, case.only.fate, case.only.place) == ("a.conv1", Fate.BIAS, "output.conv0")
    assert case.distance < NEAR < case.without


def test_a_constant_before_an_activation_has_no_place() -> None:
    graph = program("a = x -> conv(6, 3) -> norm\nb = a -> conv(4, 3, bias = false) -> relu\noutput b -> conv(2, 1)")
    case = fold(graph, {"a.conv0": 2})
    assert (case.only.reader, case.only.fate, case.only.place) == ("b.conv0", Fate.NO_BIAS, "b.relu0")
    assert case.only.lost is not None
    assert case.only.lost > 0


def test_what_only_absent_tensors_need_is_not_told() -> None:
    graph = program(
        "a = x -> conv(6, 3) -> norm\nb = a -> conv(4, 3) -> norm -> conv(4 in 0.., 3) -> norm -> conv(6, 1)\n"
        "output (a + b) -> conv(2, 1)"
    )
    case = fold(graph, {"a.conv0": 2, "b.conv1": 0})
    assert {r.reader for r in case.folded.removals} == {"b.conv2", "output.conv0"}
    assert case.folded.exact
    assert case.distance < NEAR


def test_a_whole_student_has_nothing_removed() -> None:
    graph = program("a = x -> conv(6, 3) -> norm -> relu\noutput a -> conv(2, 3)")
    assert fold(graph, {}).folded.removals == ()


def test_weights_keep_their_kind_of_numbers_and_those_given_stay() -> None:
    graph = program("a = x -> conv(6, 3) -> norm -> relu\noutput a -> conv(2, 3)")
    weights = {n: v.astype(np.float32) for n, v in numpy_state(randomized(build_module(graph), 0)).items()}
    before = {name: values.copy() for name, values in weights.items()}
    kept = random_kept(graph, {"a.conv0": 2}, 0)
    found = fold_constants(graph, {"a.conv0": 2}, kept, weights).weights
    assert {n: (v.shape, v.dtype) for n, v in found.items()} == {n: (v.shape, v.dtype) for n, v in before.items()}
    assert [n for n, v in found.items() if (v != before[n]).any()] == ["output.conv0.bias"]
    assert all((weights[name] == values).all() for name, values in before.items())


@pytest.mark.parametrize("spec", ["quickstart.cat", "facades_quick.cat"])
def test_a_student_of_a_real_program_starts_nearer(root, spec: str) -> None:
    """At a quarter of the MACs, with scales from 0 to 1, most of them small."""
    project = load(root / "specs" / spec)
    graph = project.teacher_graph
    module = randomized(build_module(graph), 0)
    with torch.no_grad():
        for name, value in module.named_parameters():
            if "norm" in name and name.endswith("weight"):
                value.copy_(torch.rand(value.shape, generator=torch.Generator().manual_seed(len(name))) ** 6)
    module.train()
    with torch.no_grad():
        for seed in range(20):  # running statistics of the network itself
            module(*random_images(graph, seed))
    module.eval()
    weights = {name: values.copy() for name, values in numpy_state(module).items()}
    plan = project.plan(project.scores(weights, seed=0), parse_budget("25%", "exact", project.cost))
    kept = kept_channels(graph, plan.kept, plan.channels, weights)
    found = fold_constants(graph, plan.kept, kept, weights)
    assert found.removals
    near, far = (distance(graph, module, plan.kept, kept, w) for w in (found.weights, weights))
    assert near < 0.7 * far
