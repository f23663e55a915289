"""How an operator passes constants, from its own examples: the teacher's result less the student's."""

import numpy as np
import pytest
import torch
from torch import Tensor, fx, nn

from catdsl.backend.module import build_module
from catdsl.ir.graph import Graph, Node
from catdsl.ir.offset import OffsetCall
from catdsl.ir.op import Absence, Example, Op
from catdsl.ops import ALL, BY_NAME
from catdsl.ops.conv import padding
from tests.ops.test_contract import alone
from tests.properties.silencing import Recorder, alive_after, numpy_state, random_images, randomized

_DECLARED = [pytest.param(op, e, id=f"{op.name}({e.arguments})") for op in ALL if op.offset for e in op.examples]
_SEEDS = range(16)


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("border", [True, False], ids=["everywhere", "inside"])
@pytest.mark.parametrize(("op", "example"), _DECLARED)
def test_an_offset_is_what_the_student_lacks(op: Op, example: Example, border: bool) -> None:
    """A channel that is claimed to be known lacks just that number in every pixel."""
    graph = alone(op, example)
    nodes = [n for n in graph.nodes if n.op is op and all(not graph.node[i].inputs for i in n.inputs)]
    claimed = [_claimed(graph, node, seed, border=border) for seed in _SEEDS for node in nodes]
    assert sum(claimed) > 0 or (border and _zero_padding(nodes[0])), "nothing is ever known of a constant"


def test_what_keeps_no_constants_says_nothing() -> None:
    """Pixels of a transposed conv see different parts of the kernel; one that scatters comes after the search."""
    assert {op.name for op in ALL if op.offset is None} == {"input", "deconv", "scatter_conv"}


def test_a_wrong_rule_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = alone(BY_NAME["relu"], Example(((4, 5, 6),)))
    (node,) = (n for n in graph.nodes if n.op.name == "relu")
    monkeypatch.setitem(globals(), "_offset", lambda node, call: call.offsets[0])
    with pytest.raises(AssertionError):
        _claimed(graph, node, 0, border=True)


def _claimed(graph: Graph, node: Node, seed: int, *, border: bool) -> int:
    """Compare one drawn case; of how many channels something is known though inputs lack something."""
    rng = np.random.default_rng(seed)
    module = randomized(build_module(graph), seed)
    _some_scales_zero(module, rng)
    present = [_draw_present(graph, node, name, rng) for name in node.inputs]
    kept = alive_after(node, present, rng.random(graph.channels(node.name)) < 0.6)
    offsets = [_draw_offsets(there, node, rng) for there in present]
    student, teacher = [], []
    for image, there, offset in zip(random_images(graph, seed), present, offsets, strict=True):
        own = image * _per_channel(there)
        student.append(own)
        teacher.append(torch.where(_per_channel(~np.isnan(offset)), own + _per_channel(np.nan_to_num(offset)), image))
    prefix = f"{node.name}."
    weights = {n.removeprefix(prefix): v for n, v in numpy_state(module).items() if n.startswith(prefix)}
    found = _offset(node, OffsetCall(graph.site(node), tuple(offsets), tuple(present), kept, weights, border))
    lacking = _result(module, node, teacher) - _result(module, node, student) * _per_channel(kept)
    if not border:
        lacking = _inside(node, lacking)
    known = np.isfinite(found)
    wanted = _per_channel(found[known]).expand_as(lacking[:, known])
    torch.testing.assert_close(lacking[:, known], wanted, rtol=1e-7, atol=1e-9)
    return int(known.sum()) if any((offset != 0).any() for offset in offsets) else 0


def _offset(node: Node, call: OffsetCall) -> np.ndarray:
    before = [o.copy() for o in call.offsets]
    assert node.op.offset is not None
    found = node.op.offset(call)
    for old, new in zip(before, call.offsets, strict=True):
        np.testing.assert_array_equal(old, new)
    assert found.shape == call.kept.shape
    return found


def _result(module: fx.GraphModule, node: Node, images: list[Tensor]) -> Tensor:
    recorder = Recorder(module)
    with torch.no_grad():
        recorder.run(*images)
    return recorder.tensors[node.name]


def _inside(node: Node, image: Tensor) -> Tensor:
    """Without the pixels that a kernel or a margin takes from beyond the border."""
    attrs = node.attrs
    reach = -(-padding(attrs) // attrs["stride"]) if "dilation" in attrs else attrs.get("amount", 0)
    assert min(image.shape[2:]) > 2 * reach
    return image[:, :, reach : image.shape[2] - reach, reach : image.shape[3] - reach]


def _zero_padding(node: Node) -> bool:
    return "zero" in (node.attrs.get("pad"), node.attrs.get("mode"))


def _per_channel(values: np.ndarray) -> Tensor:
    return torch.from_numpy(values)[None, :, None, None]


def _some_scales_zero(module: nn.Module, rng: np.random.Generator) -> None:
    with torch.no_grad():
        for name, value in module.named_parameters():
            if name.endswith("norm0.weight"):
                value[torch.from_numpy(rng.random(len(value)) < 0.5)] = 0


def _group(node: Node) -> int:
    """Channels that are removed together."""
    return node.attrs["factor"] ** 2 if node.op.name == "pixel_shuffle" else 1


def _draw_present(graph: Graph, node: Node, name: str, rng: np.random.Generator) -> np.ndarray:
    """Which channels the student has; now and then none."""
    share = rng.choice([0.0, 0.6])
    return (rng.random(graph.channels(name) // _group(node)) < share).repeat(_group(node))


def _draw_offsets(present: np.ndarray, node: Node, rng: np.random.Generator) -> np.ndarray:
    """Numbers, zeros, and unknown ones; of a group mostly the same. One that is unknown spoils a whole conv."""
    groups = len(present) // _group(node)
    values = np.round(rng.normal(size=groups), 1)
    values[rng.random(groups) < 0.3] = 0
    if node.op.absence is not Absence.MAKES or rng.random() < 0.3:
        values[rng.random(groups) < 0.2] = np.nan
    values = values.repeat(_group(node))
    if rng.random() < 0.3:
        values[rng.integers(len(values))] = 0.7
    return values
