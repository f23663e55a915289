"""How good a generator is on held-out pairs, against what costs nothing, and how fast it is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import interpolate

from catdsl.backend.timing import median_seconds
from catdsl.diagnostics import CatError
from catdsl.train.data.batches import plain_batches
from catdsl.train.data.image_sets import ImageSet
from catdsl.train.data.opening import ImageData
from catdsl.train.modes import evaluating

_SMALLEST_ERROR = 1e-10

Generator = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Over `images` pairs, with values scaled to [0, 1].

    `l1` is the mean absolute error of all values. `psnr` is 10 log10(1 / MSE) in dB, taken for each
    image and then averaged; an exact copy counts as 100 dB.
    """

    images: int
    l1: float
    psnr: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The median time of one image of `size` (height, width), batch 1, on `device` with `threads`."""

    milliseconds: float
    runs: int
    size: tuple[int, int]
    threads: int
    device: str


def measure_quality(generator: nn.Module, images: ImageSet, *, batch: int = 8, device: str = "cpu") -> Quality:
    """The quality of what `generator` makes of each input, in evaluation mode. Raises CatError E601."""
    _check_some(images)
    with evaluating(generator):
        made = (
            (generator(pair.input_BCHW.to(device)).cpu(), pair.target_BCHW)
            for pair in plain_batches(images, batch=batch)
        )
        return _quality(made)


def mean_image_quality(data: ImageData) -> Quality:
    """The quality of one answer to everything: the mean of all training targets. Raises CatError E601."""
    _check_some(data.validation)
    targets = (target for i in range(len(data.train)) for _, target in data.train.read([i]))
    total = sum(target.astype(np.float64) for target in targets)
    mean_HWC = np.asarray(total / len(data.train), np.float32) / 127.5 - 1
    height, width = data.validation.format.target_size
    planes = [
        np.asarray(Image.fromarray(mean_HWC[..., c]).resize((width, height), Image.Resampling.BICUBIC))
        for c in range(mean_HWC.shape[2])
    ]
    mean_CHW = torch.from_numpy(np.stack(planes))
    pairs = plain_batches(data.validation, batch=8)
    return _quality((mean_CHW.expand_as(pair.target_BCHW), pair.target_BCHW) for pair in pairs)


def input_quality(data: ImageData) -> Quality:
    """The quality of leaving the input as it is.

    Grey stands for colour and the other way round; another size is resized to the target's (bicubic).
    """
    _check_some(data.validation)
    pairs = plain_batches(data.validation, batch=8)
    return _quality((_like(pair.input_BCHW, pair.target_BCHW), pair.target_BCHW) for pair in pairs)


def measure_likeness(
    images: ImageSet, made: Generator, by: Generator, *, batch: int = 8, device: str = "cpu"
) -> Quality:
    """The quality of what `made` makes of each input where what `by` makes of it is the truth.

    Both take B x C x H x W on the device to images of one size. Raises CatError E601.
    """
    _check_some(images)
    inputs = (pair.input_BCHW.to(device) for pair in plain_batches(images, batch=batch))
    return _quality((made(x_BCHW).cpu(), by(x_BCHW).cpu()) for x_BCHW in inputs)


def measure_time(
    generator: nn.Module, *, channels: int, size: tuple[int, int], runs: int, device: str = "cpu"
) -> Timing:
    """Time `generator` on one image of zeros, in evaluation mode, after a warm-up of 3 runs."""
    x_BCHW = torch.zeros(1, channels, *size, device=device)
    with evaluating(generator):
        seconds = median_seconds(lambda: generator(x_BCHW), device, runs=runs)
    return Timing(
        milliseconds=1000 * seconds,
        runs=runs,
        size=size,
        threads=torch.get_num_threads(),
        device=device,
    )


def _quality(pairs: Iterable[tuple[Tensor, Tensor]]) -> Quality:
    """Of made and true images B x C x H x W in [-1, 1]; what lies outside is clipped, as a file would be."""
    absolute: list[float] = []
    decibels: list[float] = []
    for made_BCHW, true_BCHW in pairs:
        error = (made_BCHW.clamp(-1, 1).double() - true_BCHW.double()) / 2
        absolute += error.abs().mean(dim=(1, 2, 3)).tolist()
        squared = error.square().mean(dim=(1, 2, 3)).clamp_min(_SMALLEST_ERROR)
        decibels += (-10 * squared.log10()).tolist()
    return Quality(
        images=len(absolute),
        l1=sum(absolute) / len(absolute),
        psnr=sum(decibels) / len(decibels),
    )


def _like(image_BCHW: Tensor, other_BCHW: Tensor) -> Tensor:
    if image_BCHW.shape[1] != other_BCHW.shape[1] and other_BCHW.shape[1] == 1:
        image_BCHW = image_BCHW.mean(1, keepdim=True)
    if image_BCHW.shape[2:] != other_BCHW.shape[2:]:
        resized = interpolate(
            image_BCHW, size=other_BCHW.shape[2:], mode="bicubic", align_corners=False, antialias=True
        )
        image_BCHW = resized.clamp(-1, 1)
    return image_BCHW.expand_as(other_BCHW)


def _check_some(images: ImageSet) -> None:
    if not len(images):
        raise CatError.one(
            "E601",
            "there are no validation pairs",
            help="set `holdout` in data { } to 1 or more, or add a folder `val`",
        )
