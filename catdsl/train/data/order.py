"""Which images make a batch: the order of each epoch, a pure function of (seed, step)."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from catdsl.train.data.image_sets import ImageSet, Place
from catdsl.train.seeding import numbers_for


def places_at(images: ImageSet, *, batch: int, seed: int, step: int) -> list[Place]:
    """The places of the batch of `step`, counted from 0. There must be as many items as a batch has."""
    return _apart(images, batch, seed, step) if images.apart else _together(images, batch, seed, step)


def _together(images: ImageSet, batch: int, seed: int, step: int) -> list[Place]:
    """Shuffled anew in each epoch; an incomplete last batch is dropped."""
    epoch, place = divmod(step, len(images) // batch)
    order = _shuffled(seed, "order", epoch, len(images))
    return [(i, i) for i in order[place * batch : (place + 1) * batch].tolist()]


def _apart(images: ImageSet, batch: int, seed: int, step: int) -> list[Place]:
    """Each side goes round by itself, shuffled anew in each round, across batches and epochs.

    So at any step no image was shown more than once more often than another of its side.
    """
    shown = range(step * batch, (step + 1) * batch)
    inputs, targets = images.counts
    return [(_in_round(seed, "inputs", n, inputs), _in_round(seed, "targets", n, targets)) for n in shown]


def _in_round(seed: int, side: str, number: int, count: int) -> int:
    """The image that is shown as the `number`-th of its side."""
    turn, place = divmod(number, count)
    return int(_shuffled(seed, f"order of {side}", turn, count)[place])


@lru_cache(maxsize=8)
def _shuffled(seed: int, purpose: str, turn: int, count: int) -> npt.NDArray[np.int64]:
    """The order of one epoch or round; remembered, since each step of it asks for it."""
    order = numbers_for(seed, purpose, turn).permutation(count)
    order.flags.writeable = False
    return order
