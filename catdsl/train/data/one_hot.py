"""Label maps to tensors: one channel per class, and the edges between instances behind them."""

import numpy as np
import torch

from catdsl.train.data.label_maps import PackedLabels
from catdsl.train.data.sides import LabelMap


def to_one_hot(packed_HWC: PackedLabels, labels: LabelMap) -> torch.Tensor:
    """float32 CHW of zeros and ones, `classes` + `edges` channels; what is ignored is zero in all classes."""
    index_1HW = torch.from_numpy(packed_HWC[None, ..., 0].astype(np.int64))
    planes = torch.zeros(labels.classes + 1, *index_1HW.shape[1:]).scatter_(0, index_1HW, 1.0)
    if not labels.edges:
        return planes[: labels.classes]
    # The channel behind the classes has caught what is ignored, and is free now.
    planes[labels.classes] = torch.from_numpy(packed_HWC[..., 1].astype(np.float32))
    return planes
