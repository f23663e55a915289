"""Weights belong to a program and a run, and are whole; what is not so is an error that names both sides."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from catdsl import weights_file
from catdsl.acceptance import STRICT, Acceptance, Owner
from catdsl.backend.weights import module_with_weights, read_weights, save_weights
from catdsl.diagnostics import CatError
from catdsl.ir.identity import owner_of
from catdsl.project import Project, load

TEXT = """
generator one {
    input x: image(3, 16, 16)
    a = x -> conv(4, 3) -> norm -> relu
    output a -> conv(3, 3) -> tanh
}
"""
OTHER = TEXT.replace("one", "other").replace("-> tanh", "-> sigmoid")
RUN, OTHER_RUN = "a" * 32, "b" * 32


@pytest.fixture
def project() -> Project:
    return load(TEXT)


@pytest.fixture
def path(tmp_path: Path, project: Project) -> Path:
    save_weights(project.teacher(seed=1), tmp_path / "w.safetensors", {"step": 3}, owner_of(project.graph, RUN))
    return tmp_path / "w.safetensors"


def refused(project: Project, path: Path, run: str | None = None) -> str:
    with pytest.raises(CatError, match="E605") as caught:
        module_with_weights(project.graph, path, run=run)
    (error,) = caught.value.diagnostics
    assert "--accept-changes" in error.help
    return error.message


def accepted(project: Project, path: Path, run: str | None = None) -> list[str]:
    said: list[str] = []
    module_with_weights(project.graph, path, Acceptance(True, said.append), run=run)
    return said


def test_weights_of_their_program_pass_without_a_word(project: Project, path: Path) -> None:
    said: list[str] = []
    module = module_with_weights(project.graph, path, Acceptance(False, said.append), run=RUN)
    assert said == []
    wanted = project.teacher(seed=1).state_dict()
    assert all(torch.equal(value, wanted[name]) for name, value in module.state_dict().items())


def test_another_program_of_equal_shapes(path: Path) -> None:
    other = load(OTHER)
    message = refused(other, path)
    assert "came from another network: generator `one` of " in message
    assert "not generator `other` of " in message
    (line,) = accepted(other, path)
    assert line.startswith("warning: the weights in ")


def test_another_run_of_the_same_program(project: Project, path: Path) -> None:
    assert f"it says {RUN[:12]}, this run is {OTHER_RUN[:12]}" in refused(project, path, OTHER_RUN)
    assert len(accepted(project, path, OTHER_RUN)) == 1
    assert accepted(project, path) == []


def test_no_single_bit_of_a_tensor_may_change(project: Project, path: Path) -> None:
    whole = bytearray(path.read_bytes())
    start = 8 + int.from_bytes(whole[:8], "little")
    for place in range(start, len(whole), 7):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        assert "are not those that were written" in refused(project, path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_not_finite(project: Project, path: Path, value: float) -> None:
    tensors = load_file(path)
    tensors["a.conv0.weight"][1, 2, 0, 0] = value
    save_file(tensors, path)
    assert "values that are not finite, the first is a.conv0.weight" in refused(project, path)
    assert len(accepted(project, path)) == 2
    module = project.teacher()
    with torch.no_grad():
        module.get_parameter("a.conv0.weight")[0, 0, 0, 0] = value
    before = path.read_bytes()
    with pytest.raises(CatError, match="E606"):
        save_weights(module, path, {})
    assert path.read_bytes() == before


def test_large_values_whose_sum_is_infinite_are_finite(project: Project, path: Path) -> None:
    tensors = load_file(path)
    tensors["a.conv0.weight"].fill_(3e38)
    save_file(tensors, path)
    assert torch.equal(read_weights(path)[0]["a.conv0.weight"], tensors["a.conv0.weight"])


def test_a_file_from_elsewhere_is_taken_with_a_line(project: Project, path: Path) -> None:
    save_file(load_file(path), path)
    said: list[str] = []
    module_with_weights(project.graph, path, Acceptance(False, said.append), run=RUN)
    (line,) = said
    assert line == (f"note: {path} names no network and no digest; only names, shapes and finite values were checked")


def test_a_long_header_is_refused_unread(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_file(load_file(path), path, {f"name {i}": "x" * 100 for i in range(80_000)})
    monkeypatch.setattr(weights_file, "safe_open", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(CatError, match=r"E605.*bytes beside its tensors, and 8,000,000 is the most"):
        read_weights(path)


@pytest.mark.parametrize(
    "words",
    ["[]", '"text"', '{"network": 3}', json.dumps({"tensors": "a" * 200}), "[" * 10_000, "{",
     json.dumps({"shown": "x" * 999})],
)  # fmt: skip
def test_words_of_another_kind(project: Project, path: Path, words: str) -> None:
    save_file(load_file(path), path, {"catdsl": words})
    with pytest.raises(CatError, match="E605"):
        read_weights(path, Owner(), STRICT)


def test_facts_come_back(path: Path) -> None:
    assert read_weights(path)[1] == {"step": 3}
    header = json.loads(path.read_bytes()[8:].split(b'"a.conv0', 1)[0].rstrip(b",") + b"}")
    assert set(json.loads(header["__metadata__"]["catdsl"])) == {"step", "network", "shown", "run", "tensors"}
