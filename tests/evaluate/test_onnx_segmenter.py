"""Segmenters as ONNX models: read without trust, at the sizes and batches that they take, and from one file."""

import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from catdsl.diagnostics import CatError
from catdsl.evaluate import segmenters
from catdsl.evaluate.segmentation import measure_segmentation
from catdsl.evaluate.segmenters import load_segmenter
from tests.evaluate.colour_segmenter import AsDictionary, AsIndices, AsTuple, ColourSegmenter, painted

onnx = pytest.importorskip("onnx", reason="the extra `onnx` is not installed")
pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
TRUTH = torch.randint(0, 4, (3, 16, 16), generator=torch.Generator().manual_seed(0))


def converted(path: Path, network: nn.Module, *, names: tuple[str, ...] = ("logits",), free: bool = True,
              batch: int = 2) -> Path:  # fmt: skip
    """The network as a model, made by hand so that nothing but onnx is needed."""
    axes = ("batch", 3, "height", "width") if free else (batch, 3, 16, 16)
    size = network.stride if isinstance(network, ColourSegmenter) else 1
    colours = network.colours_KC.numpy()  # type: ignore[union-attr,operator]
    helper, kind = onnx.helper, onnx.TensorProto
    weights = [
        onnx.numpy_helper.from_array(2 * colours.reshape(-1, 3, 1, 1), "weight"),
        onnx.numpy_helper.from_array(-(colours**2).sum(1), "bias"),
    ]
    # Minus the squared distance to each colour, less the square of the image itself, which all classes share.
    nodes = [helper.make_node("Conv", ["image", "weight", "bias"], ["scores"], strides=[size, size])]
    outputs = []
    for name in names:
        if name == "indices":
            nodes.append(helper.make_node("ArgMax", ["scores"], [name], axis=1, keepdims=0))
            outputs.append(helper.make_tensor_value_info(name, kind.INT64, None))
        else:
            nodes.append(helper.make_node("Neg" if name == "aux" else "Identity", ["scores"], [name]))
            outputs.append(helper.make_tensor_value_info(name, kind.FLOAT, None))
    image = helper.make_tensor_value_info("image", kind.FLOAT, axes)
    model = helper.make_model(helper.make_graph(nodes, "segmenter", [image], outputs, weights),
                              opset_imports=[helper.make_opsetid("", 17)], ir_version=8)  # fmt: skip
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(
    "names", [("logits",), ("aux", "out"), ("scores_", "aux"), ("indices",)], ids=" ".join
)  # fmt: skip
def test_a_model_needs_no_trust(names: tuple[str, ...], tmp_path: Path) -> None:
    segmenter = load_segmenter(str(converted(tmp_path / "s.ONNX", ColourSegmenter(), names=names)), normalise="unit")
    found = measure_segmentation([(painted(TRUTH), TRUTH)], segmenter, classes=4, draws=3)
    assert found.miou.value == 1
    assert segmenter.name == "s.ONNX"


@pytest.mark.slow
@pytest.mark.parametrize("network", [ColourSegmenter, AsDictionary, AsTuple, AsIndices])
def test_a_model_that_torch_has_exported(network: Callable[[], nn.Module], tmp_path: Path) -> None:
    """As the documentation says to make one."""
    pytest.importorskip("onnxscript")
    path = tmp_path / "s.onnx"
    dims = {0: torch.export.Dim("b"), 2: torch.export.Dim("h"), 3: torch.export.Dim("w")}
    torch.onnx.export(network().eval(), (torch.zeros(2, 3, 16, 16),), str(path), dynamo=True, external_data=False,
                      output_names=["aux", "out"] if network is AsDictionary else None,
                      dynamic_shapes=(dims,), verbose=False)  # fmt: skip
    segmenter = load_segmenter(str(path), normalise="unit")
    truth = TRUTH[:, :8, :12]
    assert torch.equal(segmenter.predict(painted(truth)).classes_BHW, truth)


def test_sizes_and_batches(tmp_path: Path) -> None:
    fixed = load_segmenter(str(converted(tmp_path / "f.onnx", ColourSegmenter(), free=False)), normalise="unit")
    assert (fixed.batch.low, fixed.batch.high) == (2, 2)
    assert torch.equal(fixed.predict(painted(TRUTH)).classes_BHW, TRUTH)
    with pytest.raises(CatError, match=r"E607.*exported for images of height 16 and width 16, and these are 8x16"):
        fixed.predict(torch.zeros(1, 3, 8, 16))
    free = load_segmenter(str(converted(tmp_path / "s.onnx", ColourSegmenter())), normalise="unit")
    for height, width in ((16, 16), (5, 9)):
        truth = TRUTH[:1, :height, :width]
        assert torch.equal(free.predict(painted(truth)).classes_BHW, truth)


def test_logits_of_half_the_size_and_imagenet(tmp_path: Path) -> None:
    path = str(converted(tmp_path / "s.onnx", ColourSegmenter(stride=2)))
    coarse = TRUTH[:, ::2, ::2].repeat_interleave(2, 1).repeat_interleave(2, 2)
    predicted = load_segmenter(path, normalise="unit").predict(painted(coarse)).classes_BHW
    assert torch.equal(predicted[:, ::15, ::15], coarse[:, ::15, ::15])
    assert load_segmenter(path).predict(torch.ones(1, 3, 4, 4)).classes_BHW.unique().tolist() == [3]


def _edited(path: Path, change: Callable[[Any], object]) -> None:
    model = onnx.load(path)
    change(model)
    path.write_bytes(model.SerializeToString())


def _elsewhere(model: Any) -> None:
    (tensor, *_) = model.graph.initializer
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret")


def _within(model: Any) -> None:
    """The same in a branch of an operator."""
    holder = onnx.TensorProto(dims=[1], data_type=1, data_location=onnx.TensorProto.EXTERNAL)
    branch = onnx.helper.make_graph([onnx.helper.make_node("Constant", [], ["c"], value=holder)], "b", [], [])
    model.graph.node.add(op_type="If", input=["x"]).attribute.append(onnx.helper.make_attribute("then_branch", branch))


_REFUSED = {
    "weights elsewhere": (_elsewhere, "keeps weights in other files, which are not read"),
    "weights elsewhere, in a branch": (_within, "keeps weights in other files, which are not read"),
    "an operator of its own": (
        lambda m: setattr(m.graph.node[0], "domain", "evil"), "cannot be read by onnxruntime"
    ),
    "two inputs": (lambda m: m.graph.input.append(onnx.helper.make_tensor_value_info("b", 1, [1])), "takes tensor"),
    "doubles": (
        lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", onnx.TensorProto.DOUBLE),
        "E605",
    ),
    "four channels": (
        lambda m: setattr(m.graph.input[0].type.tensor_type.shape.dim[1], "dim_value", 4), "E605"
    ),
    "three axes": (lambda m: m.graph.input[0].type.tensor_type.shape.dim.pop(), "E605"),
    "no graph": (lambda m: m.ClearField("graph"), "E605"),
}  # fmt: skip


@pytest.mark.parametrize("what", _REFUSED)
def test_what_is_no_segmenter(what: str, tmp_path: Path) -> None:
    path = converted(tmp_path / "s.onnx", ColourSegmenter())
    change, complaint = _REFUSED[what]
    _edited(path, change)
    with pytest.raises(CatError, match=complaint) as caught:
        load_segmenter(str(path))
    assert caught.value.diagnostics[0].code == "E605"


@pytest.mark.parametrize("content", [b"", b"\x00", b"PK\x03\x04", b"\xff" * 100, b"\x3a\xff\xff\xff\xff\x0f"])
def test_what_is_no_model(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "s.onnx"
    path.write_bytes(content)
    with pytest.raises(CatError, match="E605"):
        load_segmenter(str(path))


def test_damage_is_no_fault_of_ours(tmp_path: Path) -> None:
    """Single bits of a model: it is refused, or gives something that has the form of a result, or is refused then."""
    path = converted(tmp_path / "s.onnx", ColourSegmenter())
    whole = path.read_bytes()
    generator = torch.Generator().manual_seed(0)
    codes: list[str] = []
    for place in torch.randint(len(whole) * 8, (150,), generator=generator).tolist():
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(bytes(damaged))
        try:
            load_segmenter(str(path)).predict(painted(TRUTH))
        except CatError as error:
            codes.append(error.diagnostics[0].code)
    assert set(codes) == {"E605", "E607"}
    assert len(codes) > 20


def test_a_file_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATDSL_LIMITS", "weights=100")
    for name in ("s.onnx", "s.pt", "s.pt2"):
        (tmp_path / name).write_bytes(b"x" * 101)
        with pytest.raises(CatError, match=r"E605.*101 bytes, more than the limit of 100.*--limit weights=101"):
            load_segmenter(str(tmp_path / name), trust=True)


@pytest.mark.parametrize("name", ["s.pt2", "s.pt", "s.TorchScript"])
def test_programs_are_not_touched_without_trust(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / name).write_bytes(b"anything")
    for part in ("open_exported", "_scripted"):
        monkeypatch.setattr(segmenters, part, lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(CatError, match=r"E607.*can run any code.*\n.*as \.onnx, or add --trust-segmenter") as caught:
        load_segmenter(str(tmp_path / name))
    assert "torch.onnx.export" in caught.value.diagnostics[0].notes[0]


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_without_the_extra_it_says_what_to_install(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = converted(tmp_path / "s.onnx", ColourSegmenter())
    whole = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name == missing:
            raise ImportError(name=missing)
        return whole(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(CatError, match=rf"E607.*s\.onnx needs {missing}.*\n.*pip install 'catdsl\[onnx\]'"):
        load_segmenter(str(path))
