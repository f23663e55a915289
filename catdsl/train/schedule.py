"""The learning rate over a training: constant, then linear to 0, as a pure function of the step."""

from dataclasses import dataclass

from catdsl.train.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Schedule:
    """`constant` steps at the full rate, then `decay` steps on a line that reaches 0 after the last."""

    constant: int
    decay: int

    @property
    def total_steps(self) -> int:
        return self.constant + self.decay

    def factor(self, step: int) -> float:
        """What the learning rate of `step`, counted from 0, is multiplied with."""
        if step < self.constant:
            return 1.0
        return max(0.0, (self.total_steps - step) / self.decay) if self.decay else 0.0


def plan_schedule(recipe: Recipe, *, steps_per_epoch: int, steps: int | None = None) -> Schedule:
    """The recipe's epochs in steps; with `steps`, that many in all, in the recipe's proportion."""
    if steps is None:
        return Schedule(recipe.epochs * steps_per_epoch, recipe.decay_epochs * steps_per_epoch)
    epochs = recipe.epochs + recipe.decay_epochs
    constant = round(steps * recipe.epochs / epochs) if epochs else steps
    return Schedule(constant, steps - constant)
