"""Segmenters from files and by name: what they are given, what may come back, and what is refused."""

import pickle
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from catdsl.diagnostics import CatError
from catdsl.evaluate.segmentation import measure_segmentation
from catdsl.evaluate.segmenters import Segmenter, load_segmenter, normalised
from tests.evaluate.colour_segmenter import AsDictionary, AsIndices, AsTuple, ColourSegmenter, painted

TRUTH = torch.randint(0, 4, (3, 16, 16), generator=torch.Generator().manual_seed(0))
# Constant over 2 x 2 pixels, so that half of the resolution loses nothing by nearest neighbour.
COARSE = TRUTH[:, ::2, ::2].repeat_interleave(2, 1).repeat_interleave(2, 2)


def scripted(path: Path, network: nn.Module, size: int = 16) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.trace(network.eval(), torch.zeros(2, 3, size, size), strict=False).save(path)
    return path


@pytest.mark.parametrize("network", [ColourSegmenter, AsDictionary, AsTuple, AsIndices])
@pytest.mark.parametrize("suffix", [".pt", ".TS", ".torchscript"])
def test_torchscript(tmp_path: Path, network: Callable[[], nn.Module], suffix: str) -> None:
    path = scripted(tmp_path / f"segmenter{suffix}", network())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        segmenter = load_segmenter(str(path), normalise="unit", trust=True)
    found = measure_segmentation([(painted(TRUTH), TRUTH)], segmenter, classes=4, draws=3)
    assert found.miou.value == 1
    assert segmenter.name == path.name


@pytest.mark.parametrize(("rival", "classes"), [(0.5, [1, 0, 0, 0]), (1.2, [1, 1, 0, 0]), (2.8, [1, 1, 0, 0])])
def test_small_logits_are_resized_bilinearly(rival: float, classes: list[int]) -> None:
    """0 and 4 become 0, 1, 3, 4 (by nearest neighbour 0, 0, 4, 4; with corners on corners 0, 4/3, 8/3, 4)."""
    logits = torch.tensor([[0.0, 4.0], [rival, rival]]).view(1, 2, 1, 2)
    predicted = Segmenter("it", lambda _: logits).predict(torch.zeros(1, 3, 1, 4))
    assert predicted.classes_BHW.tolist() == [[classes]]
    assert (predicted.of, predicted.classes_BHW.dtype) == (2, torch.int64)


def test_a_traced_segmenter_of_lower_resolution(tmp_path: Path) -> None:
    segmenter = load_segmenter(
        str(scripted(tmp_path / "s.pt", ColourSegmenter(stride=2))), normalise="unit", trust=True
    )
    predicted = segmenter.predict(painted(COARSE)).classes_BHW
    assert predicted.shape == (3, 16, 16)
    # The corners have no neighbours to be mixed with.
    assert torch.equal(predicted[:, ::15, ::15], COARSE[:, ::15, ::15])


@pytest.mark.parametrize("name", ["imagenet", "unit", "signed"])
def test_images_come_as_the_segmenter_takes_them(name: str) -> None:
    pixels = torch.tensor([-1.0, 0.0, 1.0]).view(1, 3, 1, 1)
    expected = {
        "signed": [-1, 0, 1],
        "unit": [0, 0.5, 1],
        "imagenet": [-0.485 / 0.229, (0.5 - 0.456) / 0.224, (1 - 0.406) / 0.225],
    }
    assert normalised(pixels, name).flatten().tolist() == pytest.approx(expected[name])  # type: ignore[arg-type]


def test_imagenet_is_the_default(tmp_path: Path) -> None:
    class Brightness(nn.Module):
        def forward(self, x_BCHW: Tensor) -> Tensor:
            return x_BCHW.round().long()[:, 0]

    segmenter = load_segmenter(str(scripted(tmp_path / "s.pt", Brightness())), trust=True)
    assert segmenter.predict(torch.ones(1, 3, 2, 2)).classes_BHW.unique().tolist() == [round((1 - 0.485) / 0.229)]
    clipped = segmenter.predict(torch.full((1, 3, 2, 2), 9.0)).classes_BHW
    assert clipped.unique().tolist() == [2]


def test_a_segmenter_is_in_evaluation_mode_and_gets_no_gradient(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout(0.9))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(network.train()).save(tmp_path / "s.pt")
    segmenter = load_segmenter(str(tmp_path / "s.pt"), trust=True)
    image = torch.rand(2, 3, 8, 8, requires_grad=True)
    assert torch.equal(segmenter.predict(image).classes_BHW, segmenter.predict(image).classes_BHW)
    expected = network.eval()(normalised(image, "imagenet")).argmax(1)
    assert torch.equal(segmenter.predict(image).classes_BHW, expected)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (torch.zeros(1, 4), r"E605.*it gives 1x4 of torch.float32 for 1 images\n.*logits"),
        (torch.zeros(1, 4, 4), r"E605.*gives 1x4x4 of torch.float32"),
        (torch.zeros(2, 3, 4, 4), r"E605.*gives 2x3x4x4 of torch.float32 for 1 images"),
        (torch.zeros(1, 2, 2, dtype=torch.int64), r"E605.*gives 1x2x2 of torch.int64"),
        (torch.zeros(1, 4, 4, dtype=torch.bool), r"E605.*gives 1x4x4 of torch.bool"),
        (torch.full((1, 2, 4, 4), torch.nan), r"E605.*not finite"),
        ({}, r"E605.*gives dict"),
        ({"boxes": "none"}, r"E605.*gives dict"),
        ((), r"E605.*gives tuple"),
        (3.0, r"E605.*gives float"),
        (torch.tensor(3.0), r"E605.*gives Tensor"),
    ],
)
def test_what_is_neither_logits_nor_indices(given: object, complaint: str) -> None:
    with pytest.raises(CatError, match=complaint):
        Segmenter("it", lambda _: given).predict(torch.zeros(1, 3, 4, 4))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32])
def test_index_maps_with_a_channel(dtype: torch.dtype) -> None:
    indices = torch.arange(16).view(1, 1, 4, 4)
    predicted = Segmenter("it", lambda _: {"classes": indices.to(dtype)}).predict(torch.zeros(1, 3, 4, 4))
    assert torch.equal(predicted.classes_BHW, indices[0])
    assert (predicted.classes_BHW.dtype, predicted.of) == (torch.int64, None)


def test_images_that_it_does_not_take(tmp_path: Path) -> None:
    class Fixed(nn.Module):
        def forward(self, x_BCHW: Tensor) -> Tensor:
            return x_BCHW + torch.ones(16, 16)

    segmenter = load_segmenter(str(scripted(tmp_path / "s.pt", Fixed())), trust=True)
    with pytest.raises(CatError, match=r"E607.*s\.pt fails on images of 1 x 3 x 8 x 8") as caught:
        segmenter.predict(torch.zeros(1, 3, 8, 8))
    assert "must match" in caught.value.diagnostics[0].notes[0]
    with pytest.raises(CatError, match=r"E607.*takes images of 3 channels, and these have 4"):
        segmenter.predict(torch.zeros(1, 4, 16, 16))


class Mischief:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("legacy", [False, True])
def test_what_torch_save_wrote_is_refused_unread(tmp_path: Path, legacy: bool) -> None:
    path, trace = tmp_path / "whole.pt", tmp_path / "trace"
    torch.save({"model": Mischief(trace)}, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(CatError, match=r"E605.*whole\.pt is no TorchScript file\n.*torch\.jit\.trace") as caught:
        load_segmenter(str(path), trust=True)
    assert "unpickling it could run any code" in caught.value.diagnostics[0].notes[0]
    assert not trace.exists()
    torch.load(path, weights_only=False)
    assert trace.exists()  # so it would have run


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("s.pt", b"", r"E605.*s\.pt is no TorchScript file"),
        ("s.pt", pickle.dumps([1]), r"E605.*s\.pt is no TorchScript file"),
        ("s.pth", b"", r"E605.*s\.pth is no segmenter: its name ends in none of \.onnx, \.pt2, \.pt, "),
        ("s.safetensors", b"", r"E605.*s\.safetensors is no segmenter"),
        ("s.pt", None, r"E605.*cannot read .*s\.pt: it does not exist\n.*hf:NAME"),
        ("s.pt2", None, r"E605.*it does not exist"),
        ("s.onnx", None, r"E605.*it does not exist"),
    ],
)
def test_files_that_are_none(tmp_path: Path, name: str, content: bytes | None, complaint: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CatError, match=complaint):
        load_segmenter(str(tmp_path / name), trust=True)


class FakeModel(nn.Module):
    def forward(self, pixel_values: Tensor) -> SimpleNamespace:
        return SimpleNamespace(logits=ColourSegmenter(stride=2)(pixel_values))


class FakeProcessor:
    """Scales to [0, 1], and keeps what it was given."""

    def __init__(self) -> None:
        self.seen: list[np.ndarray] = []

    def __call__(self, *, images: list[np.ndarray], return_tensors: str, input_data_format: str) -> dict[str, Tensor]:
        assert (return_tensors, input_data_format) == ("pt", "channels_first")
        self.seen = images
        return {"pixel_values": torch.from_numpy(np.stack(images)).float() / 255}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A stand-in for transformers, and what was asked of it."""
    asked = SimpleNamespace(loaded=[], processor=FakeProcessor(), network=FakeModel().train(), error=None)

    def from_pretrained(part: object) -> Callable[..., object]:
        def load(name: str, *, trust_remote_code: bool) -> object:
            asked.loaded.append((name, trust_remote_code))
            if asked.error:
                raise asked.error
            return part

        return load

    module = ModuleType("transformers")
    module.AutoImageProcessor = SimpleNamespace(from_pretrained=from_pretrained(asked.processor))  # type: ignore[attr-defined]
    module.AutoModelForSemanticSegmentation = SimpleNamespace(  # type: ignore[attr-defined]
        from_pretrained=from_pretrained(asked.network)
    )
    monkeypatch.setitem(sys.modules, "transformers", module)
    return asked


def test_a_model_of_the_hub_prepares_images_its_own_way(hub: SimpleNamespace) -> None:
    segmenter = load_segmenter("hf:acme/segmenter-b0")
    assert hub.loaded == [("acme/segmenter-b0", False)] * 2
    assert not hub.network.training
    found = measure_segmentation([(painted(COARSE), COARSE)], segmenter, classes=4, draws=3)
    assert found.images == 3
    assert found.miou.value > 0.5
    assert [(image.shape, image.dtype) for image in hub.processor.seen] == [((3, 16, 16), np.uint8)] * 3
    assert set(np.unique(hub.processor.seen)) == {0, 255}


def test_a_model_of_the_hub_that_cannot_be_loaded(hub: SimpleNamespace) -> None:
    with pytest.raises(CatError, match=r"E607.*hf:a/b comes with its own preparation of images, and normalise = unit"):
        load_segmenter("hf:a/b", normalise="unit")
    hub.error = OSError("We couldn't connect to the hub\nCheck your connection.")
    with pytest.raises(CatError, match=r"E605.*cannot load hf:a/b\n.*or give a file") as caught:
        load_segmenter("hf:a/b")
    assert caught.value.diagnostics[0].notes == ("Check your connection.",)
    hub.error = ImportError("AutoImageProcessor requires the PIL library")
    with pytest.raises(CatError, match=r"E607.*not wholly") as caught:
        load_segmenter("hf:a/b")
    assert caught.value.diagnostics[0].notes == ("AutoImageProcessor requires the PIL library",)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(
        CatError,
        match=r"E607.*transformers, which is not installed, or not wholly\n.*pip install 'catdsl\[segmenters\]'",
    ):
        load_segmenter("hf:a/b")
