"""How near images come to their targets, pair by pair: L1, PSNR and SSIM, beside what costs nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from catdsl.diagnostics import CatError
from catdsl.evaluate.ssim import structural_similarity, too_small
from catdsl.evaluate.trivial import Answer, mean_image, unchanged
from catdsl.train.data.batches import plain_batches
from catdsl.train.data.image_sets import ImageSet
from catdsl.train.data.opening import ImageData
from catdsl.train.modes import evaluating

_SMALLEST_ERROR = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Means over `images` pairs; see `PairedValues`."""

    images: int
    l1: float
    psnr: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairedValues:
    """One value for each of N pairs, in their order, of images whose values are scaled to [0, 1].

    `l1_N` is the mean absolute error of an image. `psnr_N` is 10 log10(1 / MSE) in dB; an exact copy
    counts as 100 dB. `ssim_N` is the structural similarity (see `ssim`), or None, and `without_ssim`
    says why. The difference of two answers to the same inputs is that of their arrays.
    """

    l1_N: np.ndarray
    psnr_N: np.ndarray
    ssim_N: np.ndarray | None
    without_ssim: str

    @property
    def means(self) -> Quality:
        return Quality(images=len(self.l1_N), l1=float(self.l1_N.mean()), psnr=float(self.psnr_N.mean()))


def compare_pairs(pairs: Iterable[tuple[Tensor, Tensor]], *, ssim: bool = False) -> PairedValues:
    """Batches of made and true images, B x C x H x W in [-1, 1]; what lies outside is clipped, as in a file.

    Raises CatError E601 without any pair, E607 where made and true images differ in shape.
    """
    absolute: list[Tensor] = []
    decibels: list[Tensor] = []
    similar: list[Tensor] = []
    without = "" if ssim else "it was not asked for"
    for made_BCHW, true_BCHW in pairs:
        _check_alike(made_BCHW, true_BCHW)
        made, true = ((image.cpu().double().clamp(-1, 1) + 1) / 2 for image in (made_BCHW, true_BCHW))
        error = made - true
        absolute.append(error.abs().mean(dim=(1, 2, 3)))
        decibels.append(-10 * error.square().mean(dim=(1, 2, 3)).clamp_min(_SMALLEST_ERROR).log10())
        without = without or too_small(made)
        if not without:
            similar.append(structural_similarity(made, true))
    if not sum(map(len, absolute)):
        raise CatError.one("E601", "there are no pairs of images to compare", help="add images to the folder")
    return PairedValues(
        l1_N=torch.cat(absolute).numpy(),
        psnr_N=torch.cat(decibels).numpy(),
        ssim_N=None if without else torch.cat(similar).numpy(),
        without_ssim=without,
    )


def measure_quality(
    generator: nn.Module, images: ImageSet, *, batch: int = 8, device: str = "cpu", ssim: bool = False
) -> PairedValues:
    """What `generator` makes of each input, in evaluation mode, beside its target. Raises CatError E601."""
    _check_some(images)
    with evaluating(generator):
        pairs = plain_batches(images, batch=batch)
        made = ((generator(pair.input_BCHW.to(device)), pair.target_BCHW) for pair in pairs)
        return compare_pairs(made, ssim=ssim)


def measure_likeness(
    images: ImageSet, made: Answer, by: Answer, *, batch: int = 8, device: str = "cpu", ssim: bool = False
) -> PairedValues:
    """What `made` makes of each input where what `by` makes of it is the truth.

    Both take B x C x H x W on the device to images of one size. Raises CatError E601.
    """
    _check_some(images)
    inputs = (pair.input_BCHW.to(device) for pair in plain_batches(images, batch=batch))
    return compare_pairs(((made(x_BCHW), by(x_BCHW)) for x_BCHW in inputs), ssim=ssim)


def mean_image_quality(data: ImageData, *, ssim: bool = False) -> PairedValues:
    """One answer to everything: the mean of all training targets. Raises CatError E601."""
    _check_some(data.validation)
    return _answered(data.validation, mean_image(data), ssim=ssim)


def input_quality(data: ImageData, *, ssim: bool = False) -> PairedValues:
    """The input left as it is. Raises CatError E601."""
    _check_some(data.validation)
    return _answered(data.validation, unchanged(data.validation.format), ssim=ssim)


def joined(parts: Sequence[PairedValues]) -> PairedValues:
    """The values of several batches, one after the other."""
    similar = [part.ssim_N for part in parts if part.ssim_N is not None]
    return PairedValues(
        l1_N=np.concatenate([part.l1_N for part in parts]),
        psnr_N=np.concatenate([part.psnr_N for part in parts]),
        ssim_N=np.concatenate(similar) if len(similar) == len(parts) else None,
        without_ssim=next((part.without_ssim for part in parts if part.without_ssim), ""),
    )


def _answered(images: ImageSet, answer: Answer, *, ssim: bool) -> PairedValues:
    pairs = plain_batches(images, batch=8)
    return compare_pairs(((answer(pair.input_BCHW), pair.target_BCHW) for pair in pairs), ssim=ssim)


def _check_some(images: ImageSet) -> None:
    if not len(images):
        raise CatError.one(
            "E601",
            "there are no validation pairs",
            help="set `holdout` in data { } to 1 or more, or add a folder `val`",
        )


def _check_alike(made_BCHW: Tensor, true_BCHW: Tensor) -> None:
    if made_BCHW.shape != true_BCHW.shape:
        made, true = (" x ".join(map(str, image.shape)) for image in (made_BCHW, true_BCHW))
        raise CatError.one(
            "E607",
            f"made images of {made} cannot be compared with true ones of {true} (batch x channels x height x width)",
            help="give images of the same number, channels and size",
        )
