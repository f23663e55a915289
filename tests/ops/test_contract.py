"""What every operator promises, from its own examples: shape, parameters, MACs, absence."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import fx
from torch.utils.flop_counter import FlopCounterMode

from catdsl.analysis.cost import cost_model
from catdsl.backend.initial import initialize
from catdsl.backend.module import build_module
from catdsl.ir.graph import Graph, Node
from catdsl.ir.op import Absence, Axis, Example, Initial, Op
from catdsl.ops import ALL, BY_NAME
from catdsl.project import load
from catdsl.semantics.calls import OPERATORS
from catdsl.semantics.settings import StyleSettings
from tests.properties.silencing import Recorder, assert_computes_what_silenced_teacher_computes, random_images

# Written as signs; all other operators are called by name.
_SIGNS = {"add": "+", "mul": "*"}
# Made by the compiler alone, without arguments that a program could write.
_INTERNAL = {"input", "arrange", "scatter_conv"}

_GAIN = 0.02
_EXAMPLES = [pytest.param(op, e, id=f"{op.name}({e.arguments})") for op in ALL for e in op.examples]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


def _applied(op: Op, example: Example, operands: list[str]) -> str:
    """The text that applies an operator; `concat` of it takes several results as well as one."""
    if op.name in _SIGNS:
        return f" {_SIGNS[op.name]} ".join(operands)
    return f"{op.name}({', '.join(filter(None, (*operands, example.arguments)))})"


def alone(op: Op, example: Example) -> Graph:
    """A program of nothing but the operator."""
    names = [f"x{i}" for i in range(len(example.inputs))]
    inputs = "\n".join(f"input {n}: image({c}, {h}, {w})" for n, (c, h, w) in zip(names, example.inputs, strict=True))
    return load(f"generator g {{\n{inputs}\noutput concat({_applied(op, example, names)})\n}}\n").graph


def surrounded(op: Op, example: Example) -> Graph:
    """The operator between convs, so that its widths can be searched, and may vanish."""
    shapes = enumerate(example.inputs)
    sources = "\n".join(
        f"input x{i}: image(2, {h}, {w})\ny{i} = x{i} -> conv({c} in 0.., 1)" for i, (c, h, w) in shapes
    )
    applied = _applied(op, example, [f"y{i}" for i in range(len(example.inputs))])
    # The second way to the output stays, so that the operator may vanish altogether.
    result = _nodes(alone(op, example), op)[0].type
    other = f"x0 -> resize(to = [{result.height}, {result.width}]) -> conv(2, 1)"
    text = f"{sources}\noutput (concat({applied}) -> conv(2, 1)) + ({other})"
    return load(f"generator g {{\n{text}\n}}\nsearch {{ floor = 0 }}").graph


def _nodes(graph: Graph, op: Op) -> list[Node]:
    found = [n for n in graph.nodes if n.op is op and n.inputs]
    assert found
    return found


def _built(graph: Graph) -> fx.GraphModule:
    return build_module(graph).eval()


@pytest.mark.parametrize(("op", "example"), _EXAMPLES)
def test_shape_is_torchs(op: Op, example: Example) -> None:
    graph = alone(op, example)
    recorder = Recorder(_built(graph).double())
    recorder.run(*random_images(graph, 0))
    for node in _nodes(graph, op):
        assert tuple(recorder.tensors[node.name].shape[1:]) == (
            graph.channels(node.name), node.type.height, node.type.width,
        )  # fmt: skip


@pytest.mark.parametrize(("op", "example"), _EXAMPLES)
def test_axis_table_is_torchs(op: Op, example: Example) -> None:
    graph = alone(op, example)
    module = _built(graph)
    for node in _nodes(graph, op):
        prefix = f"{node.name}."
        sizes = {"inputs": graph.in_channels(node), "outputs": graph.channels(node.name)}
        table = {prefix + w.name: (w.shape(**sizes), w.buffer) for w in op.weights(node.attrs)}
        parameters = dict(module.named_parameters())
        found = {
            name: (tuple(value.shape), name not in parameters)
            for name, value in module.state_dict().items()
            if name.startswith(prefix)
        }
        assert found == table


@pytest.mark.parametrize(("op", "example"), _EXAMPLES)
def test_initial_weights_are_what_the_value_says(op: Op, example: Example) -> None:
    """Numbers exactly; what the style draws differs from seed to seed, around 0 or around 1."""
    graph = alone(op, example)
    one, other = (_initial(graph, seed) for seed in (0, 1))
    for node in _nodes(graph, op):
        for weight in op.weights(node.attrs):
            value = one[f"{node.name}.{weight.name}"].double()
            if not isinstance(weight.initial, Initial):
                assert torch.equal(value, torch.full_like(value, weight.initial).float().double())
                continue
            assert not torch.equal(value, other[f"{node.name}.{weight.name}"].double())
            centre = 1 if weight.initial is Initial.SCALE else 0
            assert (value - centre).abs().max() < 6 * _GAIN
            assert (value - centre).std() > _GAIN / 6


def _initial(graph: Graph, seed: int) -> dict[str, torch.Tensor]:
    module = build_module(graph)
    initialize(module, graph, StyleSettings(init="normal", init_gain=_GAIN), seed)
    return module.state_dict()


@pytest.mark.parametrize("planted", [0.5, Initial.KERNEL, Initial.SCALE], ids=str)
def test_a_wrong_initial_value_is_seen(monkeypatch: pytest.MonkeyPatch, planted: Initial | float) -> None:
    """The operator says 0.25, and begins with something else."""
    monkeypatch.setitem(globals(), "initialize", partial(_begun_with, planted, initialize))
    with pytest.raises(AssertionError):
        test_initial_weights_are_what_the_value_says(BY_NAME["prelu"], BY_NAME["prelu"].examples[0])


def _begun_with(
    planted: Initial | float, begin: Callable[..., None], module: fx.GraphModule, graph: Graph, *style_and_seed: object
) -> None:
    prelu = BY_NAME["prelu"]
    wrong = replace(prelu, weights=lambda attrs: tuple(replace(w, initial=planted) for w in prelu.weights(attrs)))
    nodes = tuple(replace(node, op=wrong) if node.op is prelu else node for node in graph.nodes)
    begin(module, replace(graph, nodes=nodes), *style_and_seed)


@pytest.mark.parametrize(("op", "example"), _EXAMPLES)
def test_macs_are_those_of_an_independent_counter(op: Op, example: Example) -> None:
    graph = alone(op, example)
    module = _built(graph).to("meta")
    with FlopCounterMode(display=False) as counter:
        module(*(image.float().to("meta") for image in random_images(graph, 0, batch=1)))
    cost = cost_model(graph).at()
    assert cost.exact == counter.get_total_flops() / 2
    assert cost.params == sum(p.numel() for p in module.parameters())


def _choices(graph: Graph) -> Iterator[dict[str, int]]:
    """Every width at a third, at two thirds, at 1, at 0; and each alone at 0."""
    searched = [w for w in graph.widths if w.searched]
    assert searched
    for share in (1 / 3, 2 / 3, 0):
        yield {w.name: int(share * w.count) for w in searched}
    yield {w.name: 1 for w in searched}
    for gone in searched:
        yield {w.name: 0 if w is gone else max(1, w.count - 1) for w in searched}


@pytest.mark.parametrize(("op", "example"), _EXAMPLES)
def test_sliced_is_masked(op: Op, example: Example) -> None:
    graph = surrounded(op, example)
    _nodes(graph, op)
    for seed, counts in enumerate(_choices(graph)):
        assert_computes_what_silenced_teacher_computes(graph, counts, seed=seed)


@pytest.mark.parametrize("op", ALL, ids=lambda op: op.name)
def test_an_operator_says_what_it_is(op: Op) -> None:
    assert op.summary
    assert BY_NAME[op.name] is op
    if op.name in _INTERNAL:
        return
    assert op.examples, "an operator without an example is not tested"
    assert op.onnx
    assert all(a.summary for a in op.args)
    assert (op.name in OPERATORS) == (op.name not in _SIGNS)
    assert op.absence is not Absence.MAKES or any(
        Axis.IN in w.axes for w in op.weights(_nodes(_first(op), op)[0].attrs)
    )


def _first(op: Op) -> Graph:
    return alone(op, op.examples[0])


def test_every_argument_takes_two_values_in_examples() -> None:
    """One that is always the same could be ignored, and nobody would see it."""
    unseen = {
        f"{op.name}.{arg.name}"
        for op in ALL
        if op.examples
        for arg in op.args
        if len({_value(op, e, arg.name) for e in op.examples}) < 2
    }
    # Its weights go by other names, and have a test of their own.
    assert unseen == {"conv.spectral", "dwconv.spectral", "deconv.spectral"}


def _value(op: Op, example: Example, argument: str) -> object:
    if argument in ("width", "like"):
        return example
    return repr(_nodes(alone(op, example), op)[0].attrs.get(argument))


@pytest.mark.parametrize("op", [op for op in ALL if any(a.name == "spectral" for a in op.args)], ids=lambda op: op.name)
def test_spectral_weights_are_the_same_numbers_under_another_name(op: Op) -> None:
    first = op.examples[0]
    plain, normalised = (
        alone(op, Example(first.inputs, f"{first.arguments}, spectral = {value}")) for value in ("false", "true")
    )
    module = build_module(normalised)
    assert any("parametrizations" in name for name in module.state_dict())
    assert sum(p.numel() for p in module.parameters()) == cost_model(plain).at().params


@pytest.mark.parametrize(("op", "example"), _EXAMPLES)
def test_a_channel_follows_that_channel_alone_where_it_is_said_so(op: Op, example: Example) -> None:
    graph = alone(op, example)
    module = _built(graph).double()
    (node, *_) = _nodes(graph, op)
    channels = example.inputs[0][0]
    if op.absence is Absence.SLICES or graph.channels(node.name) != channels:
        assert not op.per_channel
        return
    images = random_images(graph, 0)
    others = [images[0].clone(), *images[1:]]
    others[0][:, 1:] += torch.rand_like(others[0][:, 1:])
    found, changed = Recorder(module), Recorder(module)
    found.run(*images)
    changed.run(*others)
    before, after = found.tensors[node.name], changed.tensors[node.name]
    if op.per_channel:
        torch.testing.assert_close(after[:, 0], before[:, 0], rtol=0, atol=0)
        assert before.shape[1] == channels


@pytest.mark.parametrize(("op", "example"), _EXAMPLES)
def test_training_is_the_same_each_time_unless_it_is_said_to_be_random(op: Op, example: Example) -> None:
    graph = alone(op, example)
    module = _built(graph).double().train()
    images = random_images(graph, 0)
    assert torch.equal(module(*images), module(*images)) != op.random
