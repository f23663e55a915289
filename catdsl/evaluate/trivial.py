"""Answers that cost nothing: what a generator must beat to have learnt anything.

Each is a function of inputs, B x C x H x W in [-1, 1] (or one-hot), to images like targets.
"""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from catdsl.train.data.batches import plain_batches
from catdsl.train.data.formats import ImageFormat
from catdsl.train.data.opening import ImageData

Answer = Callable[[Tensor], Tensor]


def mean_image(data: ImageData) -> Answer:
    """The mean of all training targets, whatever is asked; resized to the held-out targets (bicubic)."""
    targets = (target for i in range(len(data.train)) for _, target in data.train.read([i]))
    total = sum(target.astype(np.float64) for target in targets)
    mean_HWC = np.asarray(total / len(data.train), np.float32) / 127.5 - 1
    height, width = data.validation.format.target_size
    planes = [
        np.asarray(Image.fromarray(mean_HWC[..., c]).resize((width, height), Image.Resampling.BICUBIC))
        for c in range(mean_HWC.shape[2])
    ]
    mean_CHW = torch.from_numpy(np.stack(planes))
    return lambda input_BCHW: mean_CHW.to(input_BCHW.device).expand(len(input_BCHW), -1, -1, -1)


def unchanged(format: ImageFormat) -> Answer:
    """The input as it is: grey stands for colour and the other way round, another size is resized (bicubic)."""
    channels, size = format.target_channels, format.target_size

    def answer(input_BCHW: Tensor) -> Tensor:
        image_BCHW = input_BCHW
        if image_BCHW.shape[1] != channels and channels == 1:
            image_BCHW = image_BCHW.mean(1, keepdim=True)
        if image_BCHW.shape[2:] != size:
            resized = interpolate(image_BCHW, size=size, mode="bicubic", align_corners=False, antialias=True)
            image_BCHW = resized.clamp(-1, 1)
        return image_BCHW.expand(-1, channels, -1, -1)

    return answer


def class_colours(data: ImageData) -> Answer:
    """Each pixel of a label map in the mean colour that its class has in the training images."""
    assert data.source.labels is not None
    # The channel of edges, where there is one, comes after the classes, and is none of them.
    classes = data.source.labels.classes
    total, count = torch.zeros(classes, data.train.format.target_channels), torch.zeros(classes, 1)
    for batch in plain_batches(data.train, batch=8):
        labels_BNHW = batch.input_BCHW[:, :classes]
        total += torch.einsum("bnhw,bchw->nc", labels_BNHW, batch.target_BCHW)
        count += labels_BNHW.sum((0, 2, 3)).unsqueeze(1)
    colours_NC = total / count.clamp(min=1)

    def answer(input_BCHW: Tensor) -> Tensor:
        return torch.einsum("bnhw,nc->bchw", input_BCHW[:, :classes], colours_NC.to(input_BCHW.device))

    return answer
