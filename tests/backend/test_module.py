"""Modules: readable code, keys that are the graph's paths, reproducible weights, taps, other image sizes."""

import keyword
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import Tensor, fx

from catdsl.backend.importing import import_weights
from catdsl.backend.initial import initialize
from catdsl.backend.module import build_module, with_taps
from catdsl.backend.weights import module_with_weights, read_weights, save_weights
from catdsl.ir.graph import Graph
from catdsl.project import Project, load
from catdsl.semantics.settings import StyleSettings
from catdsl.syntax.build import KEYWORDS
from tests.analysis.reference import ROOT

TEXT = """
style { norm = batch, pad = reflect }
block res(x) { return x + (x -> conv(4 in 0.., 3) -> norm -> relu -> conv(x.channels, 3)) }
generator tiny_one {
    input photo: image(3, 8, 12)
    stem = photo -> conv(6, 3, stride = 2) -> norm -> relu
    body = stem -> 2 * res
    output body -> deconv(3, 3) -> tanh
}
"""


@pytest.fixture(scope="module")
def project() -> Project:
    return load(TEXT)


@pytest.fixture
def module(project: Project) -> fx.GraphModule:
    return project.teacher(seed=1)


def shipped(name: str, **parameters: str) -> Project:
    return load(Path(ROOT / "specs" / f"{name}.cat"), parameters)


def test_the_code_reads_like_the_program(module: fx.GraphModule) -> None:
    lines = [line.partition(";")[0].strip() for line in module.code.strip().splitlines()]
    assert [line for line in lines if line] == [
        "def forward(self, photo : torch.Tensor):",
        "stem_conv0 = self.stem.conv0(photo)",
        "stem_norm0 = self.stem.norm0(stem_conv0)",
        "stem_relu0 = torch.nn.functional.relu(stem_norm0)",
        'body_0_conv0 = getattr(self.body, "0").conv0(stem_relu0)',
        'body_0_norm0 = getattr(self.body, "0").norm0(body_0_conv0)',
        "body_0_relu0 = torch.nn.functional.relu(body_0_norm0)",
        'body_0_conv1 = getattr(self.body, "0").conv1(body_0_relu0)',
        "body_0_add0 = catdsl_backend_functions_add(stem_relu0, body_0_conv1)",
        'body_1_conv0 = getattr(self.body, "1").conv0(body_0_add0)',
        'body_1_norm0 = getattr(self.body, "1").norm0(body_1_conv0)',
        "body_1_relu0 = torch.nn.functional.relu(body_1_norm0)",
        'body_1_conv1 = getattr(self.body, "1").conv1(body_1_relu0)',
        "body_1_add0 = catdsl_backend_functions_add(body_0_add0, body_1_conv1)",
        "output_deconv0 = self.output.deconv0(body_1_add0)",
        "output_tanh0 = torch.tanh(output_deconv0)",
        "return output_tanh0",
    ]
    assert type(module).__name__ == "TinyOne"


@pytest.mark.parametrize("name", ["quickstart", "unet_inception", "resnet_inception", "spade_inception"])
def test_the_keys_are_paths_of_the_graph(name: str) -> None:
    graph = shipped(name).graph
    with torch.device("meta"):
        state = build_module(graph).state_dict()
    table = {
        f"{n.name}.{w.name}": w.shape(inputs=graph.in_channels(n), outputs=graph.channels(n.name))
        for n in graph.nodes
        for w in n.op.weights(n.attrs)
    }
    assert {key: tuple(value.shape) for key, value in state.items()} == table


def _equal(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    first, second = a.state_dict(), b.state_dict()
    return list(first) == list(second) and all(torch.equal(first[n], second[n]) for n in first)


def test_initial_weights_come_from_the_seed_alone(project: Project) -> None:
    first = project.teacher(seed=3)
    torch.manual_seed(99)
    torch.rand(7)
    assert _equal(first, project.teacher(seed=3))
    assert not _equal(first, project.teacher(seed=4))


def test_building_leaves_the_callers_random_numbers_alone(project: Project) -> None:
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    project.teacher(seed=1)
    assert torch.equal(torch.rand(3), wanted)


@pytest.mark.parametrize(
    ("init", "deviation"),
    [
        ("normal(0.02)", 0.02),
        ("normal(0.1)", 0.1),
        # gain * sqrt(2 / (fan in + fan out)), and sqrt(2 / fan in)
        ("xavier(0.02)", 0.02 * (2 / ((40 + 60) * 9)) ** 0.5),
        ("kaiming", (2 / (40 * 9)) ** 0.5),
    ],
)
def test_initial_weights_follow_the_style(init: str, deviation: float) -> None:
    project = load(
        f"style {{ init = {init} }}\ngenerator g {{ input x: image(40, 8, 8)\n"
        "output x -> conv(60, 3) -> norm -> conv(60, 3) -> norm -> conv(3, 1) }"
    )
    state = project.teacher(seed=0).state_dict()
    assert state["output.conv0.weight"].std().item() == pytest.approx(deviation, rel=0.03)
    assert abs(state["output.conv0.weight"].mean().item()) < deviation / 30
    gain = 0.02 if init == "kaiming" else float(init.partition("(")[2][:-1])
    assert state["output.norm0.weight"].mean().item() == pytest.approx(1, abs=5 * gain / 60**0.5)
    assert state["output.norm0.weight"].std().item() == pytest.approx(gain, rel=0.3)
    assert not state["output.conv0.bias"].any()
    assert not state["output.norm0.bias"].any()


def test_initialisation_covers_every_parameter(project: Project) -> None:
    module = build_module(project.graph)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(float("nan"))
    initialize(module, project.graph, StyleSettings(), 0)
    assert all(parameter.isfinite().all() for parameter in module.parameters())


def test_taps_share_all_parameters(project: Project, module: fx.GraphModule) -> None:
    names = ("stem.relu0", "body.1.add0", "photo")
    tapped = with_taps(module, project.graph, names)
    assert {n: id(p) for n, p in tapped.named_parameters()} == {n: id(p) for n, p in module.named_parameters()}
    image = torch.randn(2, 3, 8, 12)
    module.eval(), tapped.eval()
    output, (stem, body, photo) = tapped(image)
    assert torch.equal(output, module(image))
    assert stem.shape == (2, 6, 4, 6)
    assert (stem >= 0).all()
    assert torch.equal(photo, image)
    # The last tap decides the output: it is the very tensor that the head reads.
    assert torch.equal(torch.tanh(module.get_submodule("output.deconv0")(body)), output)
    with torch.no_grad():
        module.get_parameter("stem.conv0.weight").mul_(2)
    assert not torch.equal(tapped(image)[0], output)
    assert torch.equal(tapped(image)[0], module(image))


def test_gradients_reach_the_module_through_its_taps(project: Project, module: fx.GraphModule) -> None:
    tapped = with_taps(module, project.graph, ("body.0.add0",))
    _, (body,) = tapped(torch.randn(1, 3, 8, 12))
    body.square().mean().backward()
    assert module.get_parameter("stem.conv0.weight").grad is not None
    assert module.get_parameter("body.1.conv0.weight").grad is None


def _images(graph: Graph, height: int, width: int) -> Tensor:
    channels = graph.channels(graph.inputs[0].name)
    return torch.randn(1, channels, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("name", "parameters", "sizes"),
    [
        ("resnet_inception", {"ngf": "8"}, [(32, 32), (36, 20), (64, 16)]),
        ("unet_inception", {"ngf": "8"}, [(64, 64), (40, 104)]),
        ("spade_inception", {"ngf": "2"}, [(128, 128), (64, 192), (192, 256)]),
    ],
)
def test_other_image_sizes_work(name: str, parameters: dict[str, str], sizes: list[tuple[int, int]]) -> None:
    """Any multiple of the stride, far from the declared size."""
    project = shipped(name, **parameters)
    module = project.teacher().eval()
    for size in sizes:
        with torch.no_grad():
            output = module(_images(project.graph, *size))
        assert output.shape == (1, 3, *size)
        assert output.isfinite().all()


def test_a_student_with_vanished_branches_takes_other_sizes_too() -> None:
    project = shipped("spade_inception", ngf="2")
    counts = {w.name: 0 for w in project.graph.widths if w.searched and w.low == 0}
    module = build_module(project.student_at(counts)).eval()
    with torch.no_grad():
        assert module(_images(project.graph, 128, 192)).shape == (1, 3, 128, 192)


def test_sizes_that_are_calculated_follow_the_input() -> None:
    project = load(
        "generator g { input x: image(3, 32, 48)\n"
        "a = x -> resize(to = [x.height // 4 + 1, max(x.width // 8, 5)], bilinear)\n"
        "output a -> conv(2, 1) }"
    )
    module = project.teacher()
    assert module(torch.randn(1, 3, 32, 48)).shape == (1, 2, 9, 6)
    assert module(torch.randn(1, 3, 64, 16)).shape == (1, 2, 17, 5)


@pytest.mark.parametrize("factor", [2, 0.5, 1.5])
def test_resize_agrees_with_torch(factor: float) -> None:
    for mode in ("nearest", "bilinear"):
        project = load(f"generator g {{ input x: image(2, 8, 12)\noutput x -> resize(scale = {factor}, {mode}) }}")
        image = torch.randn(1, 2, 8, 12)
        extra = {"align_corners": False} if mode == "bilinear" else {}
        wanted = torch.nn.functional.interpolate(image, scale_factor=factor, mode=mode, **extra)
        torch.testing.assert_close(project.teacher()(image), wanted)


def test_modulation_is_spades() -> None:
    project = load("generator g { input x: image(2, 4, 4)\noutput modulate(x, x * 0.5, x * 3) }")
    image = torch.randn(1, 2, 4, 4)
    torch.testing.assert_close(project.teacher()(image), image * (1 + 0.5 * image) + 3 * image)


def test_statements_may_be_named_like_what_modules_have(tmp_path: Path) -> None:
    """`half`, `train`, `code`: every such name, and private ones, at the top and within a repeat."""
    # The last is what torch.compile gives to the class of all modules, once it was used.
    words = {*dir(fx.GraphModule(torch.nn.Module(), fx.Graph())), *keyword.kwlist, "___needs_generation_tag_patch"}
    taken = sorted(words - set(KEYWORDS))
    assert {"half", "train", "training", "code", "_modules", "__init__", "lambda"} <= set(taken)
    taken += ["half_", "half__", "other_"]
    outer = "".join(f"    {name} = {before} -> conv(3, 1)\n" for before, name in pairwise(("photo", *taken)))
    inner = "".join(f"    {name} = {before} -> conv(3, 1)\n" for before, name in pairwise(("x", *taken)))
    project = load(
        f"block all(x) {{\n{inner}    return {taken[-1]}\n}}\n"
        "generator g {\n    input photo: image(3, 4, 4)\n"
        f"{outer}    body = {taken[-1]} -> 2 * all\n    output body\n}}\n"
    )
    teacher = project.teacher(seed=1).eval()
    save_weights(teacher, tmp_path / "w.safetensors", {})
    names = set(read_weights(tmp_path / "w.safetensors")[0])
    assert {f"{node}.conv0.weight" for node in ("half", "half_", "half__", "other_", "body.1.train")} <= names
    again = module_with_weights(project.graph, tmp_path / "w.safetensors").eval()
    photo = torch.rand(1, 3, 4, 4)
    assert torch.equal(again(photo), teacher(photo))
    torch.save(teacher.state_dict(), tmp_path / "w.pth")
    assert torch.equal(import_weights(project.graph, tmp_path / "w.pth").module.eval()(photo), teacher(photo))
    assert all(weights.dtype == torch.float16 for weights in again.half().parameters())


@pytest.mark.parametrize("name", ["self", "lambda", "torch", "device", "inf", "forward", "nn_conv0"])
def test_inputs_may_be_named_like_what_code_has(name: str) -> None:
    body = f"input {name}: image(3, 4, 4)\n nn = {name} -> conv(4, 3) -> relu\n output nn -> conv(3, 3)"
    assert load(f"generator torch {{ {body} }}").teacher(seed=1)(torch.rand(1, 3, 4, 4)).shape == (1, 3, 4, 4)


def test_two_inputs_may_be_named_like_one_word_and_its_stand_in() -> None:
    size = "image(3, 4, 4)"
    project = load(f"generator g {{ input self: {size}\n input self_: {size}\n output (self + self_) -> conv(3, 3) }}")
    assert project.teacher(seed=1)(torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4)).shape == (1, 3, 4, 4)
