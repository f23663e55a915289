"""Levels of label maps to numbers of classes: as they are, or by a list of the levels that stand for classes."""

import numpy as np

from catdsl.train.data.label_maps import Indices, checked_labels
from catdsl.train.data.sides import LabelMap

_SHOWN = 5


def classes_of(levels_HW: Indices, labels: LabelMap, *, ignore: int | None) -> Indices | str:
    """The class of each pixel, `labels.classes` where its level is to be ignored, or what is wrong with the levels."""
    if labels.values is None:
        found = checked_labels(levels_HW, classes=labels.classes, ignore=ignore)
        if isinstance(found, str):
            return f"{found}; levels that do not number the classes are listed in `label_values`"
        return found
    order = np.argsort(labels.values)
    values = np.asarray(labels.values, np.int64)[order]
    places = np.searchsorted(values, levels_HW).clip(max=len(values) - 1)
    known = values[places] == levels_HW
    blank = levels_HW == ignore if ignore is not None else np.zeros(levels_HW.shape, bool)
    beyond = np.unique(levels_HW[~known & ~blank])
    if len(beyond):
        held = ", ".join(map(str, beyond[:_SHOWN])) + (", ..." if len(beyond) > _SHOWN else "")
        return (
            f"holds label{'s' * (len(beyond) > 1)} {held}, and `label_values` in data {{ }} does not list"
            f" {'them' if len(beyond) > 1 else 'it'}; add what is missing, or set `ignore` to the label of pixels"
            " without a class"
        )
    return np.where(blank, labels.classes, order[places])
