"""Pipelines: shipped specs and random programs compute what they computed, in training too where that is promised."""

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catdsl.analysis.cost import cost_model
from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph
from catdsl.ir.serial import from_json, to_json
from catdsl.ir.text import from_text, to_text
from catdsl.ops import BY_NAME
from catdsl.passes.pipeline import PIPELINES, run_pipeline, run_pipelines
from catdsl.project import Project, load
from catdsl.resources import folder
from tests.examples import examples
from tests.passes.networks import drawn, images, network
from tests.properties.programs import programs

BLOCK = """
use inc_res from std.inception
style { norm = NORM, bias = auto, pad = reflect }
generator g { input x: image(6, 12, 12)
output x -> conv(12, 3) -> relu -> inc_res -> inc_res }
"""


def unequal(graph: Graph, name: str, *, shrink: int = 1) -> float:
    """How far the rewritten network is from the graph's own, relative to its largest value."""
    weights = drawn(graph)
    rewritten = run_pipeline(name, graph)
    old, new = network(graph, weights), network(rewritten.graph, rewritten.carry(weights))
    inputs = images(graph, shrink=shrink)
    with torch.no_grad():
        before, after = (module(*inputs) for module in (old, new))
    return float((before - after).abs().max() / before.abs().max().clamp(min=1))


@pytest.mark.parametrize("name", PIPELINES)
@given(project=programs(), seed=st.integers(0, 10**6), share=st.integers(0, 100))
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_random_programs_and_their_students_keep_their_function(
    name: str, project: Project, seed: int, share: int
) -> None:
    graph = project.graph
    assert unequal(graph, name) < 1e-8
    counts = {w.name: w.low + (w.high - w.low) * ((seed >> i) % 101) * share // 10_000 // w.step * w.step
              for i, w in enumerate(w for w in graph.widths if w.searched)}  # fmt: skip
    try:
        student = project.student_at(counts)
    except CatError:
        return
    assert unequal(student, name) < 1e-8


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(folder("specs").glob("*.cat")), ids=lambda path: path.stem)
@pytest.mark.parametrize("name", PIPELINES)
def test_shipped_specs_keep_their_function(path: Path, name: str) -> None:
    graph = load(path).graph
    # Of images of 256 a quarter: the function is the same at every size.
    assert unequal(graph, name, shrink=max(1, graph.inputs[0].type.height // 64)) < 1e-8


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_of_six_branches_four_heads_and_four_tails_become_one_conv_each(norm: str) -> None:
    graph = load(BLOCK.replace("NORM", norm)).graph
    after = run_pipeline("deploy", graph).graph

    def count(of: Graph, op: str, kernel: int) -> int:
        return sum(n.op.name == op and n.attrs["kernel"] == kernel for n in of.nodes)

    assert [count(graph, "conv", kernel) for kernel in (1, 3, 5)] == [16, 5, 4]
    assert [count(after, "conv", kernel) for kernel in (1, 3, 5)] == [4, 5, 4]
    assert [count(graph, "dwconv", kernel) for kernel in (1, 3, 5)] == [2, 2, 2]
    assert [count(after, "dwconv", kernel) for kernel in (1, 3, 5)] == [0, 0, 2]
    norms = [sum(n.norm is not None for n in of.nodes) for of in (graph, after)]
    assert norms == ([20, 10] if norm == "instance" else [20, 0])


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_the_pipeline_for_training_keeps_outputs_statistics_and_gradients_of_training(norm: str) -> None:
    graph = load(BLOCK.replace("NORM", norm)).graph
    weights = drawn(graph)
    rewritten = run_pipeline("train", graph)
    old, new = network(graph, weights).train(), network(rewritten.graph, rewritten.carry(weights)).train()
    (x,) = images(graph)
    outputs = [module(x) for module in (old, new)]
    torch.testing.assert_close(outputs[1], outputs[0], rtol=0, atol=1e-10)
    for output in outputs:
        output.square().mean().backward()
    gradients = {n: (torch.zeros_like(p) if p.grad is None else p.grad).numpy() for n, p in old.named_parameters()}
    buffers = {n: b.numpy() for n, b in old.named_buffers()}
    wanted = rewritten.carry({**gradients, **buffers})
    found = {n: p.grad for n, p in new.named_parameters()} | dict(new.named_buffers())
    assert found.keys() == wanted.keys()
    for name, value in found.items():
        torch.testing.assert_close(value, torch.from_numpy(wanted[name]), rtol=0, atol=1e-10, msg=name)


def test_a_rewritten_graph_is_a_graph_like_any_other() -> None:
    graph = run_pipelines(("deploy", "onnxruntime"), load(BLOCK.replace("NORM", "instance")).graph).graph
    assert {"split", "pad", "scatter_conv"} <= {node.op.name for node in graph.nodes}
    assert from_text(to_text(graph), BY_NAME) == graph
    assert from_json(to_json(graph), BY_NAME) == graph
    assert sum(p.size for p in drawn(graph).values()) == cost_model(graph).teacher.params


def test_taps_stay_for_training_and_go_for_inference() -> None:
    graph = load(folder("specs") / "quickstart.cat").graph
    assert [tap.label for tap in run_pipeline("train", graph).graph.taps] == [tap.label for tap in graph.taps]
    assert run_pipeline("deploy", graph).graph.taps == ()


_CORNERS = {
    "an even kernel beside an odd one": """input x: image(3, 8, 8)
        a = x -> conv(4, 1) -> dwconv(2, dilation = 2) -> conv(4, 1)
        b = x -> conv(4, 1) -> dwconv(3, dilation = 2) -> conv(4, 1)
        output a + b""",
    "sizes that are equal only as declared": """input x: image(3, 12, 12)
        a = x -> conv(4, 2, stride = 2, padding = 0)
        b = x -> avg_pool(2) -> resize(scale = 2) -> conv(4, 2, stride = 2, padding = 0)
        output a + b""",
    "sizes that are always equal and follow no tensor": """input x: image(3, 12, 12)
        a = x -> conv(5, 3, padding = 0) -> relu -> conv(4, 1)
        b = x -> conv(5, 3, padding = 0) -> tanh -> conv(4, 1)
        output a + b""",
}


@pytest.mark.parametrize("name", _CORNERS)
@pytest.mark.parametrize("size", [(12, 12), (13, 15), (14, 11)])
def test_corners_keep_their_function_at_every_size_that_is_taken(name: str, size: tuple[int, int]) -> None:
    graph = load(f"generator g {{\n{_CORNERS[name]}\n}}").graph
    rewritten = run_pipeline("deploy", graph)
    weights = drawn(graph)
    x_BCHW = torch.randn((2, 3, *size), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    wanted = network(graph, weights)(x_BCHW)
    found = network(rewritten.graph, rewritten.carry(weights))(x_BCHW)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-9)
    merged = any("merged_conv" in node.name for node in rewritten.graph.nodes)
    assert merged == (name != "sizes that are equal only as declared")


@pytest.mark.parametrize("name", ["train", "deploy"])
@pytest.mark.parametrize("other", [1, 2])
def test_zeros_in_the_place_of_absent_channels_are_shared_only_where_they_are_the_same(name: str, other: int) -> None:
    text = """
    generator g {
        input x: image(1, 8, 8)
        a = concat(x, x -> conv(1 in 0.., 1) -> conv(1 in 1.., 1)) + (x -> conv(2, 1))
        b = concat(x, x -> conv(OTHER in 0.., 1) -> conv(OTHER in 1.., 1)) + (x -> conv(1 + OTHER, 1))
        output concat(a, b) -> conv(2, 3)
    }
    search { floor = 0 }
    """
    project = load(text.replace("OTHER", str(other)))
    student = project.student_at({w.name: w.low for w in project.graph.widths if w.searched})
    assert [node.op.name for node in student.nodes].count("arrange") == 2
    assert unequal(student, name) < 1e-8


def test_deep_networks_are_rewritten() -> None:
    """Each norm folds into the conv before all of them, one after the other."""
    graph = load("generator g { input x: image(2, 4, 4)\noutput x -> conv(2, 1) -> 1200 * batch_norm }").graph
    rewritten = run_pipeline("deploy", graph)
    assert [node.op.name for node in rewritten.graph.nodes] == ["input", "conv"]
    carried = rewritten.carry(drawn(graph))
    assert set(carried) == {f"{rewritten.graph.output}.weight", f"{rewritten.graph.output}.bias"}
