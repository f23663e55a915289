"""Intervals of distances between sets of images, from halves of the sets.

A half drawn without replacement (Politis and Romano, "Large Sample Confidence Regions Based on
Subsamples under Minimal Assumptions", 1994; for half of a set it is the delete-half jackknife of
Shao and Wu, 1989) varies about the whole as the whole varies about what another collection would
give: the variance of a mean is s^2 (1/m - 1/n), which for m = n/2 is s^2 / n.

A bootstrap does not serve here. It draws images twice, which lowers the rank of a covariance and
puts the diagonal of a kernel among its pairs, so that the distances of its samples all lie above
that of the set. In a simulation with 40 images of 64 features a side, its 95 % interval never held
the expected Frechet distance, and that of halves in 97 % of the cases; for a kernel distance it was
78 and 96 %, and 0 and 100 % where both sides had one distribution.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catdsl.evaluate.bootstrap import FEWEST, LEVEL, Estimate
from catdsl.train.seeding import numbers_for

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Halves:
    """Halves of two sets, as many of each: indices of shape (draws, n // 2) and (draws, m // 2)."""

    first: Indices
    second: Indices

    def taken(self, counts: tuple[int, int]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """1 where an image is in a half and 0 elsewhere, shapes (draws, n) and (draws, m)."""
        first, second = (np.zeros((len(self.first), count)) for count in counts)
        np.put_along_axis(first, self.first, 1, axis=1)
        np.put_along_axis(second, self.second, 1, axis=1)
        return first, second

    def figures(self, figure: Callable[[Indices, Indices], float]) -> npt.NDArray[np.float64]:
        """`figure` of every pair of halves."""
        return np.array([figure(i, j) for i, j in zip(self.first, self.second, strict=True)])


def draw_halves(counts: tuple[int, int], *, draws: int, seed: int, together: bool = False) -> Halves:
    """Halves of sets of `counts` images, at least two in each half.

    Those of the two sets are drawn apart, or `together`, the same places of both, where the images
    at one place show one scene: then scenes are what another collection would have others of.
    """
    assert not together or counts[0] == counts[1], "sets that belong together have equal numbers"
    first = _halves(counts[0], draws, numbers_for(seed, "halves", "first"))
    return Halves(first, first if together else _halves(counts[1], draws, numbers_for(seed, "halves", "second")))


def _halves(count: int, draws: int, numbers: np.random.Generator) -> Indices:
    size = max(2, count // 2)
    return np.stack([numbers.choice(count, size, replace=False) for _ in range(draws)])


def estimate_around(value: float, drawn: npt.NDArray[np.float64], *, count: int) -> Estimate:
    """`value` of whole sets, and around it how the figures of halves lie about their own mean.

    The interval says what other images of the same origin might have given for the same number of
    them. It says nothing about how far a Frechet distance of few images lies above that of many:
    that offset is in `value`, too, and is only the same for equal numbers. `count` is the smaller
    number of images of the two sets; below `FEWEST` there is no interval.
    """
    if count < FEWEST:
        return Estimate(value=value, low=None, high=None, count=count)
    low, high = value + np.quantile(drawn - drawn.mean(), ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Estimate(value=value, low=float(low), high=float(high), count=count)
