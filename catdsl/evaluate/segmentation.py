"""Whether generated images show what they were asked to: segmented, and compared with the label maps.

The measure of Isola et al. (CVPR 2017, section 4.1) and Park et al. (CVPR 2019, section 4): a network
that was trained on real photos labels the generated ones, and its labels are compared with those that
the images were made from.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from catdsl.diagnostics import CatError
from catdsl.evaluate.bootstrap import Estimate, bootstrap
from catdsl.evaluate.label_table import LabelTable
from catdsl.evaluate.segmenters import Predicted, Segmenter
from catdsl.train.data.batches import plain_batches
from catdsl.train.data.image_sets import ImageSet
from catdsl.train.modes import evaluating

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segmentation:
    """Over `images` images, of all pixels that have a label, each pixel counting alike.

    `confusion` counts pixels, int64, labels x (labels + 1): a row for each true label, a column for
    each predicted one, and a last column for predictions that stand for no label. The IoU of a label
    is hits / (true + predicted - hits), or None where it neither is nor is predicted anywhere.
    `miou` is the mean of those that are not None, `accuracy` the share of pixels labelled rightly. The
    intervals come from images drawn with replacement, whose confusions are summed; in each such
    sample the labels that occur in it count.
    """

    miou: Estimate
    iou: tuple[float | None, ...]
    accuracy: Estimate
    confusion: np.ndarray
    images: int


def measure_segmentation(
    images: Iterable[tuple[Tensor, Tensor]], segmenter: Segmenter, *, classes: int, ignore: int | None = None,
    table: LabelTable | None = None, draws: int = 1000, seed: int = 0,
) -> Segmentation:  # fmt: skip
    """Segment made images, B x 3 (or 1) x H x W in [-1, 1], and compare with the truth, B x H x W of int64.

    Pixels whose true label is `ignore` count nowhere; to predict `ignore` is to predict no label.
    Without a table the segmenter's classes are the data's labels, 0 to `classes` - 1.
    Raises CatError E601 without images, E602 for label maps of another size or with other labels,
    E605 and E607 where the segmenter does not take the images or does not fit to the labels.
    """
    confusion = np.zeros((classes, classes + 1), np.int64)
    counts: list[np.ndarray] = []
    for made_BCHW, truth_BHW in images:
        _check_truth(made_BCHW, truth_BHW, before=len(counts), classes=classes, ignore=ignore)
        predicted = segmenter.predict(made_BCHW)
        labels_BHW = _labels(predicted, segmenter, table, classes=classes, ignore=ignore)
        for labels_HW, truth_HW in zip(labels_BHW, truth_BHW.cpu(), strict=True):
            of_image = count_confusion(labels_HW, truth_HW, classes=classes, ignore=ignore)
            confusion += of_image
            counts.append(_margins(of_image))
    if not counts:
        raise CatError.one("E601", "there are no images to segment", help="add images to the folder")
    if not confusion.any():
        raise CatError.one(
            "E602", f"no pixel of {len(counts)} label maps has a label: all are {ignore}, which is ignored",
            help="check `ignore` in data { }",
        )  # fmt: skip
    # An image without any labelled pixel adds nothing to any sample, and could be all of a small one.
    counts_N3K = np.stack([of_image for of_image in counts if of_image.any()])
    return Segmentation(
        miou=bootstrap(lambda drawn: _miou(counts_N3K[drawn].sum(0)), len(counts_N3K), draws=draws, seed=seed),
        iou=tuple(None if np.isnan(value) else float(value) for value in _iou(_margins(confusion))),
        accuracy=bootstrap(lambda drawn: _accuracy(counts_N3K[drawn].sum(0)), len(counts_N3K), draws=draws, seed=seed),
        confusion=confusion,
        images=len(counts),
    )


def count_confusion(labels: Tensor, truth: Tensor, *, classes: int, ignore: int | None) -> np.ndarray:
    """Pixels by true and predicted label, int64, classes x (classes + 1), exactly.

    Both are int64 of one shape. A prediction of `classes` stands for none; the truth holds labels and `ignore`.
    """
    counted = truth != ignore if ignore is not None else torch.ones_like(truth, dtype=torch.bool)
    places = truth[counted] * (classes + 1) + labels[counted]
    return torch.bincount(places, minlength=classes * (classes + 1)).view(classes, classes + 1).numpy()


def generated(
    generator: nn.Module, images: ImageSet, *, classes: int, ignore: int | None, batch: int = 8, device: str = "cpu"
) -> Iterator[tuple[Tensor, Tensor]]:
    """What a label-conditioned generator makes of each label map, in evaluation mode, with that map.

    `classes` and `ignore` are those that `measure_segmentation`, which takes these pairs, is told.
    """
    with evaluating(generator):
        for pair in plain_batches(images, batch=batch):
            yield generator(pair.input_BCHW.to(device)), shown_labels(pair.input_BCHW, classes=classes, ignore=ignore)


def shown_labels(input_BCHW: Tensor, *, classes: int, ignore: int | None) -> Tensor:
    """The label maps behind the one-hot input of a generator, B x H x W; an edge channel is left out.

    Pixels that are zero in all classes get the label `ignore`.
    """
    one_hot = input_BCHW[:, :classes]
    return torch.where(one_hot.amax(1) > 0, one_hot.argmax(1), classes if ignore is None else ignore)


def _margins(confusion: np.ndarray) -> np.ndarray:
    """Hits, true and predicted pixels of each label, shape (3, K): all that its IoU depends on."""
    labels = confusion[:, :-1]
    return np.stack([np.diagonal(labels), confusion.sum(1), labels.sum(0)])


def _iou(counts_3K: np.ndarray) -> np.ndarray:
    """IoU of each label; NaN where it does not occur."""
    hits, true, predicted = counts_3K
    union = true + predicted - hits
    return np.divide(hits, union, out=np.full(len(hits), np.nan), where=union > 0)


def _miou(counts_3K: np.ndarray) -> float:
    return float(np.nanmean(_iou(counts_3K)))


def _accuracy(counts_3K: np.ndarray) -> float:
    hits, true, _ = counts_3K.sum(1)
    return float(hits / true)


def _labels(
    predicted: Predicted, segmenter: Segmenter, table: LabelTable | None, *, classes: int, ignore: int | None
) -> Tensor:
    """The labels that the predicted classes stand for, B x H x W; `classes` where they stand for none."""
    low, high = (int(end) for end in predicted.classes_BHW.aminmax())
    if table is not None and low >= 0:
        # Of index maps nobody says how many classes there are; all beyond the table are left out of it.
        known = predicted.of or max(table.labels) + 2
        lookup = table.lookup(known, labels=classes, ignore=ignore)
        return lookup[predicted.classes_BHW.clamp(max=known - 1)]
    if predicted.of not in (None, classes):
        raise CatError.one(
            "E607", f"segmenter {segmenter.name} has {predicted.of} classes, and the data has {classes} labels",
            help="give a table from its classes to the labels of the data",
        )  # fmt: skip
    if low < 0 or high >= classes:
        raise CatError.one(
            "E607", f"segmenter {segmenter.name} gives classes {low} to {high}, and labels are 0 to {classes - 1}",
            help="give a table from its classes to the labels of the data" if low >= 0 else "classes begin at 0",
        )  # fmt: skip
    return torch.where(predicted.classes_BHW == (classes if ignore is None else ignore), classes, predicted.classes_BHW)


def _check_truth(made_BCHW: Tensor, truth_BHW: Tensor, *, before: int, classes: int, ignore: int | None) -> None:
    made, true = ((len(t), *t.shape[-2:]) for t in (made_BCHW, truth_BHW))
    if made != true or truth_BHW.dim() != 3:
        shapes = (" x ".join(map(str, shape)) for shape in (truth_BHW.shape, made))
        raise CatError.one(
            "E602", "label maps of {} do not fit to images of {} (batch x height x width)".format(*shapes),
            help="resize the label maps to the images by nearest neighbour",
        )  # fmt: skip
    blank = truth_BHW == ignore if ignore is not None else torch.zeros_like(truth_BHW, dtype=torch.bool)
    wrong = ~blank & ((truth_BHW < 0) | (truth_BHW >= classes))
    if wrong.any():
        number = before + 1 + int(wrong.flatten(1).any(1).nonzero()[0])
        held = truth_BHW[wrong].unique().tolist()
        shown = ", ".join(map(str, held[:_SHOWN])) + (", ..." if len(held) > _SHOWN else "")
        raise CatError.one(
            "E602", f"label map {number} holds label{'s' * (len(held) > 1)} {shown}, and labels are 0 to {classes - 1}",
            help="set `ignore` in data { } to the label of pixels without a class",
        )  # fmt: skip
