"""Programs of torch.export: at the sizes that they were made for, and without unpickling."""

import io
import json
import logging
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim

from catdsl.diagnostics import CatError
from catdsl.evaluate.segmentation import measure_segmentation
from catdsl.evaluate.segmenters import load_segmenter
from tests.evaluate.colour_segmenter import AsDictionary, AsIndices, ColourSegmenter, painted
from tests.evaluate.test_segmenters import TRUTH, Mischief


def exported(path: Path, network: nn.Module, *shape: int, dynamic: dict[int, Any] | None = None) -> Path:
    shapes = None if dynamic is None else (dynamic,)
    program = torch.export.export(network.eval(), (torch.zeros(shape or (1, 3, 16, 16)),), dynamic_shapes=shapes)
    torch.export.save(program, path)
    return path


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of two images of 16 x 16, neither more nor fewer."""
    return exported(tmp_path_factory.mktemp("programs") / "static.pt2", AsDictionary(), 2, 3, 16, 16)


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of up to 8 images, whose height is 8 to 64 and width 16."""
    dynamic = {0: Dim("batch", max=8), 2: Dim("height", min=8, max=64)}
    return exported(
        tmp_path_factory.mktemp("programs") / "limited.pt2", AsIndices(), 2, 3, 16, 16, dynamic=dynamic
    )  # fmt: skip


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_fixed_batch_takes_any_number_of_images(static: Path, count: int) -> None:
    segmenter = load_segmenter(str(static), normalise="unit", trust=True)
    assert (segmenter.batch.low, segmenter.batch.high) == (2, 2)
    found = measure_segmentation([(painted(TRUTH[:count]), TRUTH[:count])], segmenter, classes=4, draws=3)
    assert (found.miou.value, found.images) == (1, count)


def test_a_fixed_size_takes_no_other(static: Path) -> None:
    with pytest.raises(
        CatError, match=r"E607.*static\.pt2 was exported for images of height 16 and width 16, and these are 24x16"
    ):
        load_segmenter(str(static), trust=True).predict(torch.zeros(2, 3, 24, 16))


def test_free_sizes_are_taken_within_their_limits(limited: Path) -> None:
    segmenter = load_segmenter(str(limited), normalise="unit", trust=True)
    truth = TRUTH.repeat(4, 2, 1)
    found = measure_segmentation([(painted(truth), truth)], segmenter, classes=4, draws=3)
    assert (found.miou.value, found.images) == (1, 12)
    with pytest.raises(CatError, match=r"E607.*height 8 to 64 and width 16, and these are 72x16"):
        segmenter.predict(torch.zeros(1, 3, 72, 16))


def test_a_program_for_any_size(tmp_path: Path) -> None:
    path = exported(
        tmp_path / "free.pt2", ColourSegmenter(), 2, 3, 16, 16, dynamic={0: Dim.AUTO, 2: Dim.AUTO, 3: Dim.AUTO}
    )
    segmenter = load_segmenter(str(path), normalise="unit", trust=True)
    for shape in ((1, 16, 16), (3, 10, 24)):
        truth = torch.zeros(shape, dtype=torch.int64)
        assert torch.equal(segmenter.predict(painted(truth)).classes_BHW, truth)


class TwoInputs(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y


@pytest.mark.parametrize(
    ("network", "inputs", "complaint"),
    [
        (nn.Identity(), (torch.zeros(1, 4, 8, 8),), r"E605.*takes 4 channels, and images have 3"),
        (nn.Identity(), (torch.zeros(1, 3, 8),), r"E605.*takes inputs of other kinds"),
        (nn.Identity(), (torch.zeros(1, 3, 8, 8, dtype=torch.uint8),), r"E605.*takes inputs of other kinds"),
        (TwoInputs(), (torch.zeros(1, 3, 8, 8),) * 2, r"E605.*takes inputs of other kinds"),
    ],
)
def test_a_program_of_something_else(
    tmp_path: Path, network: nn.Module, inputs: tuple[Tensor, ...], complaint: str
) -> None:
    torch.export.save(torch.export.export(network, inputs), tmp_path / "s.pt2")
    with pytest.raises(CatError, match=complaint):
        load_segmenter(str(tmp_path / "s.pt2"), trust=True)


def rewritten(path: Path, source: Path, changed: dict[str, bytes]) -> Path:
    """A copy of an archive with some members exchanged or added."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        members = {name: old.read(name) for name in old.namelist()}
        root = next(iter(members)).partition("/")[0]
        for name, content in {**members, **{f"{root}/{name}": content for name, content in changed.items()}}.items():
            new.writestr(name, content)
    return path


def test_a_program_with_pickled_inputs_is_refused_unread(
    static: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace, held = tmp_path / "trace", io.BytesIO()
    torch.save(((Mischief(trace),), {}), held)
    path = rewritten(tmp_path / "s.pt2", static, {"data/sample_inputs/model.pt": held.getvalue()})
    before = dict(os.environ)
    with pytest.raises(CatError, match=r"E605.*s\.pt2 cannot be read as a program"):
        load_segmenter(str(path), trust=True)
    assert not trace.exists()
    assert dict(os.environ) == before
    # torch's warning about what it does there has a mistake in its format.
    monkeypatch.setattr(logging.getLogger("torch._export.serde.serialize"), "disabled", True)
    torch.export.load(path)
    assert trace.exists()  # so it would have run


@pytest.mark.parametrize("folder", ["data/constants/", "DATA/constants/"])
def test_a_program_with_pickled_constants_is_refused_unread(static: Path, tmp_path: Path, folder: str) -> None:
    trace = tmp_path / "trace"
    entry = {"path_name": "opaque_obj_0", "is_param": False, "use_pickle": True, "tensor_meta": None}
    path = rewritten(
        tmp_path / "s.pt2", static,
        {
            f"{folder}opaque_obj_0": pickle.dumps(Mischief(trace)),
            "data/constants/model_constants_config.json": json.dumps({"config": {"x": entry}}).encode(),
        },
    )  # fmt: skip
    with pytest.raises(CatError, match=r"E605.*s\.pt2 holds pickled objects or compiled code"):
        load_segmenter(str(path), trust=True)
    assert not trace.exists()
    torch.export.load(path)
    assert trace.exists()  # so it would have run


@pytest.mark.parametrize("how", ["empty", "pickled", "damaged"])
def test_files_that_hold_no_program(static: Path, tmp_path: Path, how: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.pt2"
    if how == "empty":
        path.write_bytes(b"")
    elif how == "pickled":
        torch.save(AsDictionary(), path)
    else:
        rewritten(path, static, {"models/model.json": b"{}"})
    with pytest.raises(CatError, match=r"E605.*s\.pt2 (is no program of torch\.export|cannot be read as a program)"):
        load_segmenter(str(path), trust=True)
    assert capfd.readouterr().err == ""
