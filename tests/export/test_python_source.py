"""The Python file: every operator, every spec, its form, and that it runs where catdsl is not."""

import ast
import importlib.util
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch

from catdsl.analysis.sizes import size_rule, sizes_to_check
from catdsl.diagnostics import CatError
from catdsl.export import network as network_module
from catdsl.export.checking import TOLERANCE, check
from catdsl.export.network import Network, network_of, random_inputs, rewritten_network
from catdsl.export.source import python_file
from catdsl.export.source.python_file import run_python, write_python
from catdsl.export.source.structure import structured
from catdsl.ir.op import Example, Op
from catdsl.jobs.export import facts_of
from catdsl.ops import ALL, BY_NAME
from catdsl.project import load
from tests.export.networks import SMALL, network, random_weights, small
from tests.ops.test_contract import alone

_EXAMPLES = [pytest.param(op, e, id=f"{op.name}({e.arguments})") for op in ALL for e in op.examples]


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("exported", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def in_this_process(path: Path, inputs: list[tuple[torch.Tensor, ...]]) -> list[torch.Tensor]:
    module = loaded(path).load()
    with torch.no_grad():
        return [module(*tensors) for tensors in inputs]


def written(network: Network, folder: Path) -> Path:
    path = folder / "made.py"
    write_python(network, path, half=False)
    return path


def assert_well_formed(path: Path) -> None:
    """As ruff would have it, with its own settings and none of this project's."""
    for words in (("format", "--check"), ("check",)):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--isolated", "--no-cache", path],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr + path.read_text(encoding="utf-8")


def test_every_operator_has_a_writing() -> None:
    assert {op.name for op in ALL if op.python is None} == {"input"}


@pytest.mark.parametrize(("op", "example"), _EXAMPLES)
def test_an_operator_computes_the_same(op: Op, example: Example, tmp_path: Path) -> None:
    graph = alone(op, example)
    facts = facts_of(load("generator g { input x: image(3, 8, 8)\noutput x -> conv(3, 1) }"), graph)
    made = network_of(graph, random_weights(graph), facts=facts, source="test")
    path = written(made, tmp_path)
    inputs = [random_inputs(graph, size_rule(graph).declared, batch=batch, seed=batch) for batch in (1, 2)]
    for found, tensors in zip(in_this_process(path, inputs), inputs, strict=True):
        wanted = made.module(*tensors)
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-6)
        assert wanted.abs().max() > 0.01


def test_a_conv_that_a_pass_has_made_computes_the_same(tmp_path: Path) -> None:
    made = network(load("generator g { input x: image(12, 8, 8)\noutput x -> conv(3, 5, pad = reflect) }"))
    scattered = rewritten_network(made, ("onnxruntime",))
    assert "scatter_conv" in {node.op.name for node in scattered.graph.nodes}
    path = written(scattered, tmp_path)
    inputs = [random_inputs(made.graph, (9, 7), batch=2, seed=0)]
    (found,) = in_this_process(path, inputs)
    torch.testing.assert_close(found, made.module(*inputs[0]), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", SMALL)
def test_a_spec_computes_the_same(name: str, tmp_path: Path) -> None:
    made = small(name)
    path = written(made, tmp_path)
    sizes = sizes_to_check(size_rule(made.graph))[-1:]
    agreement = check(made, lambda i: in_this_process(path, i), sizes, what="it", tolerance=TOLERANCE)
    assert agreement.furthest < 1e-5
    assert "catdsl" not in "".join(ast.unparse(n) for n in ast.walk(ast.parse(path.read_text())) if _imports(n))
    assert_well_formed(path)


def _imports(node: ast.AST) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


_STUDENT = """
style { norm = batch, bias = auto, pad = reflect }
block res(x) {
    dense = sum(x -> conv(4 in 0.., k) -> norm -> relu -> conv(x.channels, k) for k in [1, 3, 5])
    return x + norm(dense)
}
generator g {
    input photo: image(3, 16, 16)
    stem = photo -> conv(8, 3) -> norm -> relu
    body = stem -> 4 * res
    output body -> conv(3, 3) -> tanh
}
search { floor = 0 }
"""


def test_blocks_that_lost_branches_share_a_class(tmp_path: Path) -> None:
    project = load(_STUDENT)
    widths = [w.name for w in project.teacher_graph.widths if ".dense." in w.name]
    counts = {name: [3, 0, 2, 1, 4, 0, 0, 2, 0, 1, 1, 1][i] for i, name in enumerate(widths)}
    assert len(counts) == 12
    graph = project.student_at(counts)
    made = network_of(graph, random_weights(graph), facts=facts_of(project, graph), source="test")
    path = written(made, tmp_path)
    text = path.read_text(encoding="utf-8")
    assert text.count("class ") == 2
    assert "Body(dense=((3, 1), (2, 5)))" in text
    assert "Body(dense=((2, 3),))" in text
    agreement = check(made, lambda i: in_this_process(path, i), [(16, 16), (18, 21)], what="it", tolerance=1e-6)
    assert agreement.furthest < 1e-6
    assert_well_formed(path)


def test_it_runs_where_catdsl_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = small("quickstart")
    path = written(made, tmp_path)
    assert check(made, lambda i: run_python(path, i), [(9, 11)], what="it", tolerance=TOLERANCE).furthest < 1e-5
    path.write_text("import catdsl\n" + path.read_text())
    inputs = [random_inputs(made.graph, (9, 11), batch=1, seed=0)]
    with pytest.raises(CatError, match="was not run"):
        run_python(path, inputs)
    monkeypatch.setattr(python_file, "_prove", lambda path: None)
    with pytest.raises(CatError, match="import of catdsl halted"):
        run_python(path, inputs)


def test_its_main_translates_an_image(tmp_path: Path) -> None:
    numpy, image = pytest.importorskip("numpy"), pytest.importorskip("PIL.Image")
    path = written(small("unet_inception"), tmp_path)
    image.fromarray(numpy.arange(30 * 41 * 3, dtype=numpy.uint8).reshape(30, 41, 3)).save(tmp_path / "in.png")
    subprocess.run([sys.executable, "-I", path, tmp_path / "in.png", tmp_path / "out.png"], check=True)
    with image.open(tmp_path / "out.png") as made:
        assert made.size == (41, 30)
        assert len(set(made.tobytes())) > 10


def test_weights_may_lie_elsewhere(tmp_path: Path) -> None:
    path = written(small("quickstart"), tmp_path)
    other = tmp_path / "elsewhere.bin"
    shutil.move(path.with_suffix(".safetensors"), other)
    with pytest.raises(FileNotFoundError):
        loaded(path).load()
    assert loaded(path).load(other).training is False


def test_an_operator_without_a_writing_is_refused() -> None:
    graph = load("generator g { input x: image(3, 8, 8)\noutput x -> conv(3, 3) -> tanh }").graph
    tanh = replace(BY_NAME["tanh"], python=None)
    nodes = tuple(replace(node, op=tanh) if node.op.name == "tanh" else node for node in graph.nodes)
    with pytest.raises(CatError, match=r"operator `tanh` of .* cannot be written in Python"):
        structured(replace(graph, nodes=nodes))


def test_an_edges_channel_is_drawn() -> None:
    made = small("spade_inception")
    (x_BCHW,) = network_module.random_inputs(made.graph, (64, 64), batch=2, seed=0)
    assert torch.equal(x_BCHW[:, :-1].sum(1), torch.ones(2, 64, 64))
    assert set(x_BCHW[:, -1].unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize(
    "text",
    [
        "generator F { input x: image(3, 8, 8)\n output x -> conv(4, 3) -> relu -> conv(3, 3) }",
        "generator path { input x: image(3, 8, 8)\n output x -> conv(3, 3) }",
        "generator g { input self: image(3, 8, 8)\n input int: image(3, 8, 8)\n"
        "sum = self -> conv(4, 3) -> relu\n load = concat(sum, int) -> conv(4, 3) -> relu\n"
        "lambda = sum(load -> conv(4, k) -> relu -> conv(4, k) for k in [1, 3])\n"
        "output concat(lambda, sum) -> resize(scale = 1.5) -> conv(3, 3) }",
        "block Path(x) { return x -> conv(4, 3) -> relu -> conv(4, 3) }\n"
        "generator g {\n input a_long_name_of_a_photo: image(4, 8, 8)\n"
        "input another_long_name_of_a_photo: image(4, 8, 8)\n"
        "Path_2 = a_long_name_of_a_photo + another_long_name_of_a_photo\n range = Path_2 -> 2 * Path\n output range }",
    ],
)
def test_names_of_the_program_hide_nothing_that_the_file_needs(text: str, tmp_path: Path) -> None:
    made = network(load(text))
    path = written(made, tmp_path)
    sizes = sizes_to_check(size_rule(made.graph))
    assert check(made, lambda i: run_python(path, i), sizes, what="it", tolerance=TOLERANCE).furthest < 1e-5
    assert_well_formed(path)


@pytest.mark.parametrize(
    ("text", "size"),
    [("input x: image(3, 20, 20)\n output x -> conv(3, 5, padding = 0)", (36, 26)),
     ("input x: image(3, 8, 8)\n output x -> resize(scale = 2) -> conv(3, 3)", (80, 60))],
)  # fmt: skip
def test_its_main_gives_what_translate_does(text: str, size: tuple[int, int], tmp_path: Path) -> None:
    numpy, image = pytest.importorskip("numpy"), pytest.importorskip("PIL.Image")
    path = written(network(load(f"generator g {{ {text} }}")), tmp_path)
    turned = image.Exif()
    turned[0x0112] = 6
    pixels = numpy.arange(40 * 30 * 3, dtype=numpy.uint8).reshape(30, 40, 3)
    image.fromarray(pixels).save(tmp_path / "in.png", exif=turned)
    subprocess.run([sys.executable, "-I", path, tmp_path / "in.png", tmp_path / "out.png"], check=True)
    with image.open(tmp_path / "out.png") as made:
        assert (made.height, made.width) == size
