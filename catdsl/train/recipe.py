"""What one training follows: the settings of the spec with every gap filled in."""

from dataclasses import dataclass
from typing import TypeVar

from catdsl.diagnostics import CatError
from catdsl.semantics.settings import DistillSettings, GanMode, TrainSettings
from catdsl.train.losses.alignment import Similarity

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Losses, their weights and the optimisation; `alignment` weighs what `similarity` compares."""

    gan: GanMode
    gan_weight: float
    recon: float
    epochs: int
    decay_epochs: int
    batch: int
    lr: float
    betas: tuple[float, float]
    similarity: Similarity = "none"
    alignment: float = 0.0

    @property
    def aligns(self) -> bool:
        return self.similarity != "none" and self.alignment > 0


def teacher_recipe(train: TrainSettings) -> Recipe:
    """The teacher's. Raises CatError E607 for a system other than pix2pix."""
    if train.system != "pix2pix":
        raise CatError.one(
            "E607",
            f"system = {train.system} cannot be trained on paired images",
            help="set system = pix2pix in train { }",
        )
    return Recipe(
        gan=train.gan,
        gan_weight=train.gan_weight,
        recon=train.recon,
        epochs=train.epochs,
        decay_epochs=train.decay_epochs,
        batch=train.batch,
        lr=train.lr,
        betas=train.betas,
    )


def student_recipe(distill: DistillSettings, train: TrainSettings) -> Recipe:
    """The student's: what `distill` leaves open is the teacher's. Raises CatError E607."""
    teacher = teacher_recipe(train)
    return Recipe(
        gan=teacher.gan,
        gan_weight=_given(distill.gan_weight, teacher.gan_weight),
        recon=_given(distill.recon, teacher.recon),
        epochs=_given(distill.epochs, teacher.epochs),
        decay_epochs=_given(distill.decay_epochs, teacher.decay_epochs),
        batch=_given(distill.batch, teacher.batch),
        lr=_given(distill.lr, teacher.lr),
        betas=teacher.betas,
        similarity=distill.similarity,
        alignment=distill.weight,
    )


def _given(value: T | None, otherwise: T) -> T:
    return otherwise if value is None else value
