"""Bootstrap intervals: how much a figure owes to the images that happened to be measured.

Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 7, 1979; percentiles.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95
"""The share of the drawn samples that lies inside an interval."""


FEWEST = 10
"""Images without which no interval is given: it would be far too narrow, and hide how little is known.

Drawn from a normal distribution, the 95 % intervals here hold the mean in 52 % of the cases for 2
images, 82 % for 4, 87 % for 8 and 91 % for 10; those of halves (see `halves`) in 0, 77, 87 and 90 %.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure of all `count` images, and the percentile interval that resampling them gives.

    There is none of fewer than `FEWEST` images.
    """

    value: float
    low: float | None
    high: float | None
    count: int

    @property
    def interval(self) -> tuple[float, float] | None:
        return None if self.low is None or self.high is None else (self.low, self.high)


def too_few(count: int) -> str:
    """Why a figure of so few images has no interval."""
    return f"no intervals: {FEWEST} images are needed at least to estimate one, and there are {count}"


def bootstrap(figure: Callable[[np.ndarray], float], count: int, *, draws: int, seed: int = 0) -> Estimate:
    """`figure` of the images 0 to `count` - 1, each once, and its spread over samples with replacement.

    `figure` takes indices, shape (n,), and gives a number.
    """
    numbers = np.random.default_rng(seed)
    value = float(figure(np.arange(count)))
    if count < FEWEST:
        return Estimate(value=value, low=None, high=None, count=count)
    drawn = [figure(numbers.integers(count, size=count)) for _ in range(draws)]
    low, high = np.quantile(drawn, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Estimate(value=value, low=float(low), high=float(high), count=count)


def mean_estimate(values: np.ndarray, *, draws: int = 1000, seed: int = 0) -> Estimate:
    """The mean of one value per image, shape (n,)."""
    return bootstrap(lambda indices: float(values[indices].mean()), len(values), draws=draws, seed=seed)
