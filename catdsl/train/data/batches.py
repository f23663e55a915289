"""Batches as pure functions of (seed, step): continuing a run needs nothing but its step number."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from catdsl.diagnostics import CatError
from catdsl.train.data.formats import ImageFormat
from catdsl.train.data.image_sets import Decoded, ImageSet, OneSide
from catdsl.train.data.images import to_tensor
from catdsl.train.data.one_hot import to_one_hot
from catdsl.train.data.opening import ImageData
from catdsl.train.data.order import places_at
from catdsl.train.data.sides import Side
from catdsl.train.data.windows import windows_at


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Inputs and targets as float32, B x C x H x W; targets may be of another height and width.

    Images lie in [-1, 1]; label maps are one-hot, with the edges between instances as last channel.
    """

    input_BCHW: torch.Tensor
    target_BCHW: torch.Tensor

    def __len__(self) -> int:
        return self.input_BCHW.shape[0]

    def to(self, device: torch.device | str, *, channels_last: bool = False) -> "Batch":
        layout = torch.channels_last if channels_last else torch.preserve_format
        moved = (image.to(device, memory_format=layout) for image in (self.input_BCHW, self.target_BCHW))
        return Batch(*moved)

    def split(self, parts: int) -> "tuple[Batch, ...]":
        """Equal parts, whose number divides that of the samples."""
        pairs = zip(self.input_BCHW.chunk(parts), self.target_BCHW.chunk(parts), strict=True)
        return tuple(Batch(*pair) for pair in pairs)


class Batches(Protocol):
    """Where a training takes its batches from; `batch` is the size over all processes."""

    @property
    def batch(self) -> int: ...

    @property
    def steps_per_epoch(self) -> int: ...

    def at(self, step: int) -> Batch: ...


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TrainingBatches:
    """Shuffled (see `order`), cropped and flipped at random; an incomplete last batch is dropped.

    `batch` is the size of the whole batch: of `world` processes, the one of number `rank` gets its
    share of the rows, and reads no other files. The shares together are what one process would
    get. Raises CatError E601 where there are fewer images than a batch has.
    """

    images: ImageSet
    crop: tuple[int, int]
    flip: bool
    batch: int
    seed: int
    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        assert 0 <= self.rank < self.world
        assert self.batch % self.world == 0
        if len(self.images) < self.batch:
            what = "training images on either side" if self.images.apart else "training pairs"
            raise CatError.one(
                "E601",
                f"{len(self.images)} {what} cannot fill a batch of {self.batch}",
                help="add images, or lower `batch` in train { } (or in distill { }, for the student)",
            )

    @property
    def steps_per_epoch(self) -> int:
        return len(self.images) // self.batch

    def at(self, step: int) -> Batch:
        """This process's share of the batch of `step`, counted from 0. Raises CatError E602."""
        images, share = self.images, self.batch // self.world
        rows = slice(self.rank * share, (self.rank + 1) * share)
        places = places_at(images, batch=self.batch, seed=self.seed, step=step)[rows]
        windows = windows_at(
            images.format, self.crop, flip=self.flip, apart=images.apart, batch=self.batch, seed=self.seed, step=step
        )[rows]
        read = images.read_places(places)
        cut = [(s.of(source), t.of(target)) for (s, t), (source, target) in zip(windows, read, strict=True)]
        return _stack(cut, images.format)


def training_batches(data: ImageData, *, batch: int, seed: int, rank: int = 0, world: int = 1) -> TrainingBatches:
    """The training batches of a data folder; those of process `rank` of `world`. Raises CatError E601, E607."""
    return TrainingBatches(
        images=data.train, crop=data.crop, flip=data.flip, batch=batch, seed=seed, rank=rank, world=world
    )  # fmt: skip


def plain_batches(images: ImageSet, *, batch: int, both_sides: bool = False) -> Iterator[Batch]:
    """All items once, in order, resized but neither cropped nor flipped; the last batch may be short.

    With `both_sides` there are as many as the larger of two sides has that are apart, and the smaller one
    goes round again.
    """
    count = max(images.counts) if both_sides else len(images)
    for start in range(0, count, batch):
        yield _stack(images.read(range(start, min(start + batch, count))), images.format)


def _stack(items: Sequence[Decoded], format: ImageFormat) -> Batch:
    inputs, targets = zip(*items, strict=True)
    return Batch(_tensor(inputs, format.source), _tensor(targets, format.target))


def _tensor(images: Sequence[OneSide], side: Side) -> torch.Tensor:
    """B x C x H x W."""
    if side.labels is None:
        return torch.stack([to_tensor(image) for image in images])
    return torch.stack([to_one_hot(image, side.labels) for image in images])
