"""mIoU of generated images: confusion matrices counted by hand, and label maps that do not fit."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from catdsl.diagnostics import CatError
from catdsl.evaluate.label_table import LabelTable
from catdsl.evaluate.segmentation import count_confusion, generated, measure_segmentation, shown_labels
from catdsl.evaluate.segmenters import Segmenter
from catdsl.semantics.settings import DataSettings
from catdsl.train.data.one_hot import to_one_hot
from catdsl.train.data.sides import LabelMap, Side
from tests.evaluate.colour_segmenter import AsIndices, ColourSegmenter, painted
from tests.train.opened import opened


def segmenter(network: nn.Module) -> Segmenter:
    return Segmenter("colours", lambda image: network((image + 1) / 2))


def reading(*labels: Tensor) -> Segmenter:
    """One that gives these label maps, whatever it is shown."""
    turns = iter(labels)
    return Segmenter("fixed", lambda _: next(turns))


GREY = torch.zeros(1, 3, 2, 4)
TRUTH = torch.tensor([[[0, 0, 1, 255], [1, 2, 2, 255]]])
LABELS = torch.tensor([[[0, 1, 1, 3], [1, 2, 0, 3]]])


def test_by_hand_with_ignored_pixels_and_a_label_that_does_not_occur() -> None:
    found = measure_segmentation([(GREY, TRUTH)], reading(LABELS), classes=4, ignore=255)
    expected = [[1, 1, 0, 0, 0], [0, 2, 0, 0, 0], [1, 0, 1, 0, 0], [0, 0, 0, 0, 0]]
    assert found.confusion.tolist() == expected
    assert found.confusion.dtype == np.int64
    # Label 3 is predicted at ignored pixels alone.
    assert found.iou == (1 / 3, 2 / 3, 1 / 2, None)
    assert found.miou.value == pytest.approx(1 / 2)
    assert found.accuracy.value == pytest.approx(4 / 6)
    assert (found.images, found.miou.count) == (1, 1)


def test_a_label_that_is_predicted_and_never_true_counts_as_zero() -> None:
    labels = torch.tensor([[[0, 1, 1, 0], [1, 2, 3, 0]]])
    found = measure_segmentation([(GREY, TRUTH)], reading(labels), classes=4, ignore=255)
    assert found.iou == (1 / 2, 2 / 3, 1 / 2, 0)
    assert found.miou.value == pytest.approx((1 / 2 + 2 / 3 + 1 / 2) / 4)


def test_an_ignored_label_is_no_label_even_where_it_is_predicted() -> None:
    truth = torch.tensor([[[0, 0, 1, 1], [2, 2, 2, 2]]])
    labels = torch.tensor([[[0, 2, 1, 1], [0, 0, 0, 0]]])
    found = measure_segmentation([(GREY, truth)], reading(labels), classes=3, ignore=2)
    assert found.confusion.tolist() == [[1, 0, 0, 1], [0, 2, 0, 0], [0, 0, 0, 0]]
    assert found.iou == (1 / 2, 1, None)


def test_a_perfect_generator_and_one_that_shuffles() -> None:
    truth = torch.zeros(2, 4, 4, dtype=torch.int64)
    truth[1, :2] = 1
    by_colour = segmenter(ColourSegmenter())
    perfect = measure_segmentation([(painted(truth), truth)], by_colour, classes=4)
    assert (perfect.miou.value, perfect.accuracy.value) == (1, 1)
    assert perfect.iou == (1, 1, None, None)
    # Each image shows what the other should: 8 pixels of 0 as 1, 8 of 1 as 0, and 16 of 0 as 0.
    shuffled = measure_segmentation([(painted(truth.flip(0)), truth)], by_colour, classes=4)
    assert shuffled.confusion[:2, :2].tolist() == [[16, 8], [8, 0]]
    assert shuffled.iou == (16 / 32, 0, None, None)
    assert shuffled.miou.value == 0.25
    assert shuffled.accuracy.value == 0.5


def test_batches_make_no_difference_and_grey_images_are_taken() -> None:
    numbers = torch.Generator().manual_seed(0)
    truth = torch.randint(0, 4, (5, 6, 6), generator=numbers)
    made = torch.rand(5, 1, 6, 6, generator=numbers) * 2 - 1
    by_colour = segmenter(ColourSegmenter())
    at_once = measure_segmentation([(made, truth)], by_colour, classes=4)
    parts = zip(made.split(2), truth.split(2), strict=True)
    apart = measure_segmentation(parts, by_colour, classes=4)
    assert (apart.confusion == at_once.confusion).all()
    assert (apart.miou, apart.images) == (at_once.miou, 5)


def test_the_interval_is_that_of_summed_confusions() -> None:
    numbers = np.random.default_rng(5)
    truth, labels = (torch.from_numpy(numbers.integers(0, 3, (12, 4, 4))) for _ in range(2))
    labels = torch.where(torch.from_numpy(numbers.random((12, 4, 4))) < 0.5, truth, labels)
    images = torch.zeros(12, 3, 4, 4)
    found = measure_segmentation([(images, truth)], reading(labels), classes=3, draws=40, seed=7)

    confusions = [count_confusion(p, t, classes=3, ignore=None)[:, :3] for p, t in zip(labels, truth, strict=True)]
    drawn, redraw = [], np.random.default_rng(7)
    for _ in range(40):
        total = sum(confusions[i] for i in redraw.integers(12, size=12))
        hits = np.diagonal(total)
        drawn.append(np.mean(hits / (total.sum(0) + total.sum(1) - hits)))
    assert (found.miou.low, found.miou.high) == pytest.approx(tuple(np.quantile(drawn, (0.025, 0.975))))
    assert found.miou.low < found.miou.value < found.miou.high


def test_images_without_any_label_are_in_no_sample() -> None:
    truth = torch.cat((TRUTH, torch.full_like(TRUTH, 255)))
    found = measure_segmentation(
        [(GREY.expand(2, -1, -1, -1), truth)], reading(LABELS.expand(2, -1, -1)), classes=4, ignore=255
    )
    assert (found.images, found.miou.count) == (2, 1)
    assert found.miou.interval is None
    with pytest.raises(CatError, match=r"E602.*no pixel of 1 label maps has a label: all are 255"):
        measure_segmentation([(GREY, truth[1:])], reading(LABELS), classes=4, ignore=255)


def table(tmp_path: Path, labels: dict[int, int]) -> LabelTable:
    return LabelTable(tmp_path / "table.csv", labels)


def test_a_table_joins_classes_and_leaves_some_out(tmp_path: Path) -> None:
    truth = torch.tensor([[[0, 0, 1, 1], [1, 1, 0, 0]]])
    shown = torch.tensor([[[2, 3, 0, 0], [1, 3, 2, 0]]])
    joined = table(tmp_path, {2: 0, 0: 1, 1: 1})
    by_hand = [[2, 1, 1], [0, 3, 1]]
    for network in (ColourSegmenter(), AsIndices()):
        found = measure_segmentation([(painted(shown), truth)], segmenter(network), classes=2, table=joined)
        assert found.confusion.tolist() == by_hand
        # What stands for no label is a miss for the true one, and takes from no other.
        assert found.iou == (2 / 4, 3 / 5)
        assert found.accuracy.value == 5 / 8


def test_index_maps_may_hold_classes_far_beyond_the_table(tmp_path: Path) -> None:
    shown, truth = torch.tensor([[[0, 1, 2, 10**12]]]), torch.tensor([[[0, 1, 1, 1]]])
    found = measure_segmentation(
        [(GREY[:, :, :1], truth)], reading(shown), classes=2, table=table(tmp_path, {0: 0, 1: 1})
    )
    assert found.confusion.tolist() == [[1, 0, 0], [0, 1, 2]]


def test_a_table_to_the_ignored_label_is_one_that_leaves_out(tmp_path: Path) -> None:
    truth = torch.tensor([[[0, 0, 1, 255]]])
    found = measure_segmentation(
        [(painted(torch.tensor([[[0, 3, 1, 3]]])), truth)],
        segmenter(ColourSegmenter()), classes=2, ignore=255, table=table(tmp_path, {0: 0, 1: 1, 2: 255, 3: 255}),
    )  # fmt: skip
    assert found.confusion.tolist() == [[1, 0, 1], [0, 1, 0]]


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        ({4: 0}, r"E607.*table.csv speaks of class 4, and the segmenter has classes 0 to 3"),
        ({0: 2}, r"E607.*table.csv speaks of label 2, and the data has labels 0 to 1"),
    ],
)
def test_a_table_for_other_classes(tmp_path: Path, labels: dict[int, int], complaint: str) -> None:
    truth = torch.zeros(1, 2, 4, dtype=torch.int64)
    with pytest.raises(CatError, match=complaint):
        measure_segmentation([(GREY, truth)], segmenter(ColourSegmenter()), classes=2, table=table(tmp_path, labels))


def test_other_classes_without_a_table() -> None:
    truth = torch.zeros(1, 2, 4, dtype=torch.int64)
    with pytest.raises(CatError, match=r"E607.*colours has 4 classes, and the data has 2 labels\n.*table"):
        measure_segmentation([(GREY, truth)], segmenter(ColourSegmenter()), classes=2)
    with pytest.raises(CatError, match=r"E607.*fixed gives classes 0 to 3, and labels are 0 to 1\n.*table"):
        measure_segmentation([(GREY, truth)], reading(LABELS), classes=2)
    with pytest.raises(CatError, match=r"E607.*fixed gives classes -1 to 2"):
        measure_segmentation([(GREY, truth)], reading(LABELS - 1), classes=4)


@pytest.mark.parametrize(
    ("truth", "complaint"),
    [
        (torch.zeros(1, 4, 4, dtype=torch.int64), r"E602.*label maps of 1 x 4 x 4 .* images of 1 x 2 x 4"),
        (torch.zeros(2, 2, 4, dtype=torch.int64), r"E602.*label maps of 2 x 2 x 4 .* images of 1 x 2 x 4"),
        (torch.zeros(1, 1, 2, 4, dtype=torch.int64), r"E602.*label maps of 1 x 1 x 2 x 4"),
        (TRUTH, r"E602.*label map 2 holds label 255, and labels are 0 to 3\n.*ignore"),
        (TRUTH - 1, r"E602.*label map 2 holds labels -1, 254, and labels are 0 to 3"),
        (torch.arange(8).view(1, 2, 4) + 4, r"E602.*label map 2 holds labels 4, 5, 6, 7, 8, \.\.\., and"),
    ],
)
def test_label_maps_that_do_not_fit(truth: Tensor, complaint: str) -> None:
    fitting = torch.zeros(1, 2, 4, dtype=torch.int64)
    with pytest.raises(CatError, match=complaint):
        measure_segmentation([(GREY, fitting), (GREY, truth)], reading(LABELS, LABELS), classes=4)


def test_no_images() -> None:
    with pytest.raises(CatError, match=r"E601.*no images to segment"):
        measure_segmentation([], reading(), classes=2)


@pytest.mark.parametrize("edges", [False, True])
def test_labels_come_back_from_the_generators_input(edges: bool) -> None:
    packed_HWC = np.array([[[0], [2], [3]], [[1], [3], [0]]], np.uint8)
    if edges:
        packed_HWC = np.concatenate((packed_HWC, np.ones_like(packed_HWC)), -1)
    one_hot = to_one_hot(packed_HWC, LabelMap(classes=3, edges=edges))[None]
    # 3 stands for what is ignored.
    assert shown_labels(one_hot, classes=3, ignore=255).tolist() == [[[0, 2, 255], [1, 255, 0]]]
    assert shown_labels(one_hot, classes=3, ignore=None).tolist() == [[[0, 2, 3], [1, 3, 0]]]


class Painter(nn.Module):
    """A perfect generator, which in training mode paints everything in one colour."""

    def forward(self, labels_BKHW: Tensor) -> Tensor:
        return painted(labels_BKHW.argmax(1) * (not self.training))


def test_a_generator_that_paints_what_its_label_maps_say(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0)
    for folder in ("label", "photo"):
        (tmp_path / folder).mkdir()
    maps = numbers.integers(0, 5, (4, 8, 8)).astype(np.uint8)
    for number, labels in enumerate(np.where(maps == 4, 255, maps)):
        Image.fromarray(labels).save(tmp_path / "label" / f"{number}.png")
        Image.new("RGB", (8, 8)).save(tmp_path / "photo" / f"{number}.png")
    labels = LabelMap(classes=4, edges=False)
    settings = DataSettings(kind="labels", holdout=3, ignore=255)
    data = opened(tmp_path, settings, size=(8, 8), source=Side(4, labels))
    generator = Painter().train()
    found = measure_segmentation(
        generated(generator, data.validation, classes=4, ignore=255, batch=2),
        segmenter(ColourSegmenter()), classes=4, ignore=255,
    )  # fmt: skip
    assert (found.miou.value, found.images) == (1, 3)
    assert found.confusion.sum() == (maps[1:] < 4).sum()
    assert generator.training
