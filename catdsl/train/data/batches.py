"""Batches as pure functions of (seed, step): continuing a run needs nothing but its step number."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

from catdsl.diagnostics import CatError
from catdsl.train.data.images import Pixels, to_tensor
from catdsl.train.data.pairs import Decoded, PairedData, PairImages, scaled
from catdsl.train.seeding import numbers_for


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Paired images as float32 in [-1, 1], B x C x H x W; targets may be of another height and width."""

    input_BCHW: torch.Tensor
    target_BCHW: torch.Tensor

    def __len__(self) -> int:
        return self.input_BCHW.shape[0]

    def to(self, device: torch.device | str) -> "Batch":
        return Batch(self.input_BCHW.to(device), self.target_BCHW.to(device))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TrainingBatches:
    """Shuffled anew in each epoch, cropped and flipped at random; an incomplete last batch is dropped.

    Input and target of a pair get the same crop and the same flip. Raises CatError E601 where
    there are fewer images than a batch has.
    """

    images: PairImages
    crop: tuple[int, int]
    flip: bool
    batch: int
    seed: int

    def __post_init__(self) -> None:
        if len(self.images) < self.batch:
            raise CatError.one(
                "E601",
                f"{len(self.images)} training pairs cannot fill a batch of {self.batch}",
                help="add images, or lower `batch` in train { } (or in distill { }, for the student)",
            )

    @property
    def steps_per_epoch(self) -> int:
        return len(self.images) // self.batch

    def at(self, step: int) -> Batch:
        """The batch of `step`, counted from 0."""
        epoch, place = divmod(step, self.steps_per_epoch)
        order = _shuffled(self.seed, epoch, len(self.images))
        chosen = order[place * self.batch : (place + 1) * self.batch]
        numbers = numbers_for(self.seed, "crop and flip", step)
        pairs = [self._cut(pair, numbers) for pair in self.images.read(chosen.tolist())]
        return _stack(pairs)

    def _cut(self, pair: Decoded, numbers: np.random.Generator) -> Decoded:
        """One joint random window of `crop` size, mirrored half of the time where `flip` is set."""
        format = self.images.format
        # Where a target is smaller, only corners that fall on its pixels too.
        corner = tuple(
            times.denominator * int(numbers.integers((loaded - side) // times.denominator + 1))
            for loaded, side, times in zip(format.size, self.crop, format.scale, strict=True)
        )
        mirrored = bool(numbers.integers(2)) and self.flip
        source, target = pair
        return (
            _window(source, (corner[0], corner[1]), self.crop, mirrored),
            _window(target, scaled((corner[0], corner[1]), format.scale), scaled(self.crop, format.scale), mirrored),
        )


def training_batches(data: PairedData, *, batch: int, seed: int) -> TrainingBatches:
    """The training batches of a data folder. Raises CatError E601."""
    return TrainingBatches(images=data.train, crop=data.crop, flip=data.flip, batch=batch, seed=seed)


def plain_batches(images: PairImages, *, batch: int) -> Iterator[Batch]:
    """All pairs once, in order, resized but neither cropped nor flipped; the last batch may be short."""
    for start in range(0, len(images), batch):
        yield _stack(images.read(range(start, min(start + batch, len(images)))))


def _window(image: Pixels, corner: tuple[int, int], size: tuple[int, int], mirrored: bool) -> Pixels:
    (top, left), (height, width) = corner, size
    return image[top : top + height, left : left + width][:, :: -1 if mirrored else 1]


def _stack(pairs: list[Decoded]) -> Batch:
    inputs, targets = zip(*pairs, strict=True)
    return Batch(torch.stack([to_tensor(i) for i in inputs]), torch.stack([to_tensor(t) for t in targets]))


@lru_cache(maxsize=4)
def _shuffled(seed: int, epoch: int, count: int) -> npt.NDArray[np.int64]:
    """The order of one epoch; remembered, since each step of the epoch asks for it."""
    order = numbers_for(seed, "order", epoch).permutation(count)
    order.flags.writeable = False
    return order
