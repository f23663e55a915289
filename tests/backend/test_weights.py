"""Weights in files: they come back equal, and what does not fit is listed."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, fx

from catdsl.backend.weights import load_weights, module_with_weights, read_weights, save_weights
from catdsl.diagnostics import CatError, Diagnostic
from catdsl.project import Project, load

TEXT = (
    "style { norm = batch }\ngenerator g { input x: image(3, 8, 8)\n"
    "a = x -> conv(4, 3) -> norm -> relu\noutput a -> conv(2, 1) }"
)


@pytest.fixture
def project() -> Project:
    return load(TEXT)


@pytest.fixture
def module(project: Project) -> fx.GraphModule:
    return project.teacher(seed=1)


def _state(module: fx.GraphModule) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def test_weights_come_back_equal_with_their_facts(tmp_path: Path, project: Project, module: fx.GraphModule) -> None:
    path, facts = tmp_path / "w.safetensors", {"step": 3, "channels": {"a.conv0": [0, 2]}}
    save_weights(module, path, facts)
    tensors, read = read_weights(path)
    assert read == facts
    other = project.teacher(seed=2)
    load_weights(other, tensors, project.graph, source="w.safetensors")
    assert _same(_state(other), _state(module))
    assert _same(_state(module_with_weights(project.graph, path)), _state(module))
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]


def _same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return list(a) == list(b) and all(torch.equal(a[n], b[n]) for n in a)


def test_equal_weights_are_equal_files(tmp_path: Path, project: Project, module: fx.GraphModule) -> None:
    facts = {name: len(name) for name in ("step", "seed", "widths", "channels")}
    for name in ("one", "two"):
        save_weights(module, tmp_path / name, facts)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_file_of_others_has_no_facts(tmp_path: Path, module: fx.GraphModule) -> None:
    save_file(_state(module), tmp_path / "w.safetensors", {"format": "pt"})
    assert read_weights(tmp_path / "w.safetensors")[1] == {}


def _refused(project: Project, module: fx.GraphModule, tensors: dict[str, Tensor]) -> Diagnostic:
    before = _state(module)
    with pytest.raises(CatError) as caught:
        load_weights(module, tensors, project.graph, source="w.safetensors")
    (error,) = caught.value.diagnostics
    assert error.code == "E605"
    assert "w.safetensors" in error.message
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    return error


def test_what_is_missing_unknown_or_of_another_shape_is_listed(project: Project, module: fx.GraphModule) -> None:
    tensors = _state(module)
    del tensors["a.norm0.weight"]
    tensors["a.norm9.weight"] = torch.ones(1)
    tensors["output.conv0.weight"] = torch.ones(2, 5, 1, 1)
    assert _refused(project, module, tensors).notes == (
        "1 missing: a.norm0.weight",
        "1 unknown: a.norm9.weight",
        "1 of another shape: output.conv0.weight is [2, 5, 1, 1], the network has [2, 4, 1, 1]",
    )


def test_a_long_list_is_cut(project: Project, module: fx.GraphModule) -> None:
    (note,) = _refused(project, module, {}).notes
    assert note.startswith("8 missing: a.conv0.weight, ")
    assert note.endswith(", ...")


@pytest.mark.parametrize("content", [None, b"", b"not tensors at all", b"\xff" * 64])
def test_files_that_are_no_weights(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "w.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CatError) as caught:
        read_weights(path)
    (error,) = caught.value.diagnostics
    assert error.code == "E605"
    assert "w.safetensors" in error.message


def test_a_file_that_was_cut_short(tmp_path: Path, module: fx.GraphModule) -> None:
    path = tmp_path / "w.safetensors"
    save_file(_state(module), path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(CatError) as caught:
        read_weights(path)
    assert caught.value.diagnostics[0].code == "E605"
