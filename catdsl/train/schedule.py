"""The learning rate over a training: constant, then falling to 0, as a pure function of the step."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from catdsl.semantics.settings import ScheduleName
from catdsl.train.recipe import Recipe

# What is left of the rate at a share of the fall: from 1 at the share 0 to 0 at 1.
_FALLS: Mapping[str, Callable[[float], float]] = {
    "linear": lambda share: 1 - share,
    # Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5, without restarts
    "cosine": lambda share: (1 + math.cos(math.pi * share)) / 2,
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """`constant` steps at the full rate, then `decay` steps that fall to 0 after the last."""

    constant: int
    decay: int
    fall: ScheduleName = "linear"

    @property
    def total_steps(self) -> int:
        return self.constant + self.decay

    def factor(self, step: int) -> float:
        """What the learning rate of `step`, counted from 0, is multiplied with."""
        if step < self.constant:
            return 1.0
        if step >= self.total_steps:
            return 0.0
        return _FALLS[self.fall]((step - self.constant) / self.decay)


def plan_schedule(recipe: Recipe, *, steps_per_epoch: int, steps: int | None = None) -> Schedule:
    """The recipe's epochs in steps; with `steps`, that many in all, in the recipe's proportion."""
    if steps is None:
        return Schedule(recipe.epochs * steps_per_epoch, recipe.decay_epochs * steps_per_epoch, recipe.schedule)
    epochs = recipe.epochs + recipe.decay_epochs
    constant = round(steps * recipe.epochs / epochs) if epochs else steps
    return Schedule(constant, steps - constant, recipe.schedule)
