"""ONNX and torch.export: what is in the files, and that a wrong one is not accepted."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from catdsl.analysis.sizes import size_rule, sizes_to_check
from catdsl.diagnostics import CatError
from catdsl.diagnostics.printable import printable
from catdsl.export.checking import HALF_TOLERANCE, TOLERANCE, check
from catdsl.export.network import Network, network_of, random_inputs, rewritten_network
from catdsl.export.onnx_file import run_onnx, write_onnx
from catdsl.export.program_file import run_program, write_program
from catdsl.ir.identity import owner_of
from catdsl.ir.op import Example, Op
from catdsl.jobs.export import FORMATS
from catdsl.ops import ALL
from catdsl.project import load
from tests.export.networks import DISTINCT, SAME, SPECS, network, random_weights, small
from tests.hostile_names import HOSTILE
from tests.ops.test_contract import alone

_FORMATS = {".onnx": (write_onnx, run_onnx), ".pt2": (write_program, run_program)}
_EXAMPLES = [pytest.param(op, e, id=f"{op.name}({e.arguments})") for op in ALL for e in op.examples]

_TINY = """
style { norm = instance, pad = reflect }
generator tiny {
    input photo: image(3, 16, 16)
    stem = photo -> conv(4, 3) -> norm -> relu -> conv(6, 3, stride = 2, pad = zero)
    body = stem + (stem -> conv(6, 3) -> relu)
    output body -> resize(to = [photo.height // 2 * 2, photo.width // 2 * 2]) -> conv(3, 3) -> tanh
}
"""


@pytest.fixture(scope="module")
def tiny() -> Network:
    return network(load(_TINY))


@pytest.fixture(scope="module")
def onnx_model(tiny: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    path = tmp_path_factory.mktemp("onnx") / "tiny.onnx"
    write_onnx(tiny, path, half=False)
    return path


@pytest.fixture(scope="module")
def program(tiny: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("program") / "tiny.pt2"
    write_program(tiny, path, half=False)
    return path


@pytest.mark.slow
def test_an_onnx_model_computes_the_same(tiny: Network, onnx_model: Path) -> None:
    sizes = [*sizes_to_check(size_rule(tiny.graph)), (7, 40)]
    assert check(tiny, lambda i: run_onnx(onnx_model, i), sizes, what="it", tolerance=TOLERANCE).furthest < 1e-5


@pytest.mark.slow
def test_an_onnx_model_bears_the_names_of_the_graph(tiny: Network, onnx_model: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(str(onnx_model))
    onnx.checker.check_model(model, full_check=True)
    assert [i.name for i in model.graph.input] == ["photo"]
    assert [o.name for o in model.graph.output] == ["output"]
    shape = [d.dim_param or d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    assert shape == ["batch", 3, "height", "width"]
    nodes = {n.name: n.op_type for n in model.graph.node}
    assert nodes["stem.conv0"] == nodes["stem.conv1"] == nodes["body.conv0"] == "Conv"
    assert nodes["stem.norm0"] == "InstanceNormalization"
    assert nodes["body.relu0"] == "Relu"
    weights = {i.name for i in model.graph.initializer}
    assert {"stem.conv0.weight", "stem.conv1.bias", "body.conv0.weight"} <= weights
    assert {p.key: p.value for p in model.metadata_props} == dict(tiny.facts)
    assert model.opset_import[0].version == 20


@pytest.mark.slow
def test_no_file_tells_of_this_machine(onnx_model: Path, program: Path) -> None:
    here = str(Path(__file__).parents[2]).encode()
    for path in (onnx_model, program):
        data = path.read_bytes()
        assert len(data) > 1000
        assert here not in data
        assert b"functions.py" not in data


@pytest.mark.slow
def test_a_program_loads_with_torch_alone(tiny: Network, program: Path, tmp_path: Path) -> None:
    sizes = sizes_to_check(size_rule(tiny.graph))
    assert check(tiny, lambda i: run_program(program, i), sizes, what="it", tolerance=TOLERANCE).furthest < 1e-5
    code = (
        "import sys; sys.modules['catdsl'] = None; import torch\n"
        "program = torch.export.load(sys.argv[1], extra_files=(facts := {'catdsl.spec': ''}))\n"
        "print(tuple(program.module()(torch.zeros(1, 3, 11, 20)).shape), facts['catdsl.spec'])"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, program], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.stdout.strip() == f"(1, 3, 10, 20) {tiny.facts['catdsl.spec']}", done.stderr


@pytest.mark.slow
def test_a_program_refuses_sizes_that_the_network_cannot_take(tmp_path: Path) -> None:
    path = tmp_path / "unet.pt2"
    made = small("facades_quick")
    write_program(made, path, half=False)
    with pytest.raises(Exception, match="8"):
        run_program(path, [random_inputs(made.graph, (60, 64), batch=1, seed=0)])


@pytest.mark.slow
@pytest.mark.parametrize("ending", _FORMATS)
def test_half_precision_is_near_and_smaller(ending: str, tiny: Network, tmp_path: Path) -> None:
    write, run = _FORMATS[ending]
    path = tmp_path / f"half{ending}"
    write(tiny, path, half=True)
    found = check(
        tiny, lambda i: run(path, i), sizes_to_check(size_rule(tiny.graph)), what="it", tolerance=HALF_TOLERANCE
    )
    assert 1e-5 < found.furthest < 1e-2
    assert next(tiny.module.parameters()).dtype == torch.float32


@pytest.mark.slow
@pytest.mark.parametrize("ending", _FORMATS)
@pytest.mark.parametrize("name", DISTINCT)
def test_a_spec_computes_the_same(name: str, ending: str, tmp_path: Path) -> None:
    made = small(name)
    write, run = _FORMATS[ending]
    path = tmp_path / f"made{ending}"
    # What is shipped is the network after the passes, which must do what it did before them.
    form = FORMATS[ending]
    write(rewritten_network(made, (*form.pipelines, *form.native_pipelines)), path, half=False)
    sizes = sizes_to_check(size_rule(made.graph))
    assert check(made, lambda i: run(path, i), sizes, what="it", tolerance=TOLERANCE).furthest < TOLERANCE


@pytest.mark.parametrize("name", SAME)
def test_a_spec_that_is_not_exported_has_the_network_of_one_that_is(name: str) -> None:
    assert owner_of(small(name).graph, None).network == owner_of(small(SAME[name]).graph, None).network


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet_inception", "unet_inception"])
def test_a_whole_spec_computes_the_same_as_onnx(name: str, tmp_path: Path) -> None:
    made = network(load(SPECS / f"{name}.cat"))
    path = tmp_path / "made.onnx"
    write_onnx(made, path, half=False)
    sizes = sizes_to_check(size_rule(made.graph))[-1:]
    assert check(made, lambda i: run_onnx(path, i), sizes, what="it", tolerance=TOLERANCE).furthest < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize(("op", "example"), _EXAMPLES)
def test_an_operator_computes_the_same_as_onnx(op: Op, example: Example, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    made = network_of_operator(op, example)
    path = tmp_path / "made.onnx"
    write_onnx(made, path, half=False)
    sizes = sizes_to_check(size_rule(made.graph))
    assert check(made, lambda i: run_onnx(path, i), sizes, what="it", tolerance=TOLERANCE).furthest < TOLERANCE


def network_of_operator(op: Op, example: Example) -> Network:
    graph = alone(op, example)
    return network_of(graph, random_weights(graph), facts={"catdsl.spec": op.name}, source="test")


def test_a_mismatch_tells_where_and_how_far(tiny: Network) -> None:
    def off(inputs: list[tuple[torch.Tensor, ...]]) -> list[torch.Tensor]:
        right = [tiny.module(*tensors) for tensors in inputs]
        return [x + (0.01 if x.shape[2:] == (22, 30) and len(x) == 2 else 0) for x in right]

    with pytest.raises(CatError, match=r"E609.*at 22 x 30, batch 2: off by 0\.0\d+ of the largest value"):
        check(tiny, off, [(16, 16), (22, 30)], what="it", tolerance=TOLERANCE)
    with pytest.raises(CatError, match=r"another shape at 16 x 16, batch 1: \[1, 3, 16, 15\] instead of"):
        check(tiny, lambda i: [tiny.module(*t)[..., 1:] for t in i], [(16, 16)], what="it", tolerance=TOLERANCE)
    with pytest.raises(CatError, match="off by nan"):
        check(tiny, lambda i: [tiny.module(*t) * torch.nan for t in i], [(16, 16)], what="it", tolerance=TOLERANCE)


def test_damaged_weights_are_told_of(tiny: Network) -> None:
    damaged = network(load(_TINY))
    torch.nn.init.constant_(next(damaged.module.parameters()), torch.inf)
    with pytest.raises(CatError, match="the network itself gives values that are not finite at 16 x 16, batch 1"):
        check(damaged, lambda i: [], [(16, 16)], what="it", tolerance=TOLERANCE)


def test_spectral_norms_become_plain_weights() -> None:
    made = network(load("generator g { input x: image(3, 8, 8)\noutput x -> conv(3, 3, spectral = true) -> tanh }"))
    assert set(made.module.state_dict()) == {"output.conv0.weight", "output.conv0.bias"}


def test_inputs_of_several_sizes_are_refused() -> None:
    text = "generator g { input x: image(3, 8, 8)\ninput y: image(3, 4, 4)\noutput x + (y -> resize(like = x)) }"
    with pytest.raises(CatError, match=r"E607.*x is 8 x 8, y is 4 x 4"):
        network(load(text))


@pytest.mark.slow
@pytest.mark.parametrize("half", [False, True])
def test_names_are_the_programs_own_whatever_they_are(half: bool, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="the extra `onnx` is not installed")
    body = "half = x -> conv(4, 1)\n half_ = half -> conv(4, 1)\n body = half_ -> conv(4, 1) -> relu\n"
    inner = "block inner(x) { body = x -> conv(4, 1)\n return body -> relu }\n"
    made = network(
        load(f"{inner}generator g {{ input x: image(3, 8, 8)\n {body}halved = body -> inner\n output halved }}")
    )
    write_onnx(made, tmp_path / "x.onnx", half=half)
    graph = onnx.load(str(tmp_path / "x.onnx")).graph
    convs = ("half.conv0", "half_.conv0", "body.conv0", "halved.body.conv0")
    assert {f"{name}.weight" for name in convs} <= {i.name for i in graph.initializer}
    assert {*convs, "halved.relu0"} <= {n.name for n in graph.node}
    check(made, lambda i: run_onnx(tmp_path / "x.onnx", i), [(8, 8)], what="it", tolerance=HALF_TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".onnx", ".pt2", ".py"])
def test_names_from_elsewhere_are_facts_and_nothing_else(ending: str, tmp_path: Path) -> None:
    """With every hostile name as a fact, as `facts_of` makes it printable: the file loads, and gives it back."""
    form = FORMATS[ending]
    onnx = pytest.importorskip("onnx") if ending == ".onnx" else None
    made = small("quickstart")
    names = {f"catdsl.name{i}": printable(text) for i, text in enumerate(HOSTILE.values())}
    facts = {**made.facts, **names, "catdsl.spec": printable(HOSTILE["a path"])}
    path = tmp_path / f"made{ending}"
    form.write(replace(made, facts=facts), path, half=False)
    (found,) = form.run(path, [random_inputs(made.graph, (16, 16), batch=1, seed=0)])
    assert found.shape[0] == 1
    if onnx is not None:
        held = {p.key: p.value for p in onnx.load(str(path)).metadata_props}
    elif ending == ".pt2":
        held = dict.fromkeys(facts, "")
        torch.export.load(str(path), extra_files=held)
    else:
        with safe_open(path.with_suffix(".safetensors"), framework="pt") as tensors:
            held = tensors.metadata()
    assert {key: held[key] for key in facts} == facts
    assert {p.name for p in tmp_path.iterdir()} <= {path.name, "made.safetensors", "__pycache__"}
