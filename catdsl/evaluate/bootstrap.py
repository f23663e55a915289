"""Bootstrap intervals: how much a figure owes to the images that happened to be measured.

Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 7, 1979; percentiles.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95
"""The share of the drawn samples that lies inside an interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure of all `count` images, and the percentile interval that resampling them gives."""

    value: float
    low: float
    high: float
    count: int


def bootstrap(figure: Callable[[np.ndarray], float], count: int, *, draws: int, seed: int = 0) -> Estimate:
    """`figure` of the images 0 to `count` - 1, each once, and its spread over samples with replacement.

    `figure` takes indices, shape (n,), and gives a number. The interval is empty for a single image.
    """
    numbers = np.random.default_rng(seed)
    value = figure(np.arange(count))
    drawn = [figure(numbers.integers(count, size=count)) for _ in range(draws)] if count > 1 else [value]
    low, high = np.quantile(drawn, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Estimate(value=float(value), low=float(low), high=float(high), count=count)


def mean_estimate(values: np.ndarray, *, draws: int = 1000, seed: int = 0) -> Estimate:
    """The mean of one value per image, shape (n,)."""
    return bootstrap(lambda indices: float(values[indices].mean()), len(values), draws=draws, seed=seed)
