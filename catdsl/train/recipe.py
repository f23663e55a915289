"""What one training follows: the settings of the spec with every gap filled in."""

from dataclasses import dataclass, fields, replace

from catdsl.semantics.settings import (
    DistillSettings,
    GanMode,
    PrecisionName,
    ReconTo,
    ScheduleName,
    Similarity,
    SystemName,
    TrainSettings,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Losses, their weights and the optimisation; `alignment` weighs what `similarity` compares.

    `recon` weighs L1 to the target or, where `recon_to` says so, to the teacher's image.
    """

    system: SystemName = "pix2pix"
    gan: GanMode
    gan_weight: float
    recon: float
    recon_to: ReconTo = "target"
    cycle: float = 0.0
    identity: float = 0.0
    pool: int = 0
    feature_matching: float = 0.0
    perceptual: float = 0.0
    epochs: int
    decay_epochs: int
    schedule: ScheduleName = "linear"
    batch: int
    accumulate: int = 1
    lr: float
    betas: tuple[float, float]
    ttur: bool = False
    clip: float | None = None
    ema: float | None = None
    precision: PrecisionName = "fp32"
    compile: bool = False
    channels_last: bool = False
    sync_norm: bool = False
    similarity: Similarity = "none"
    alignment: float = 0.0

    @property
    def aligns(self) -> bool:
        return self.similarity != "none" and self.alignment > 0

    @property
    def judges(self) -> bool:
        """Whether a discriminator has a say."""
        return self.gan_weight > 0 or self.feature_matching > 0

    @property
    def conditional(self) -> bool:
        """Whether a discriminator sees the input beside the image: where both show the same scene."""
        return self.system != "cyclegan"

    @property
    def generator_lr(self) -> float:
        return self.lr / 2 if self.ttur else self.lr

    @property
    def discriminator_lr(self) -> float:
        return self.lr * 2 if self.ttur else self.lr


def teacher_recipe(train: TrainSettings) -> Recipe:
    """The teacher's."""
    settings = train.model_dump()
    return Recipe(**{f.name: settings[f.name] for f in fields(Recipe) if f.name in settings})


def student_recipe(distill: DistillSettings, train: TrainSettings) -> Recipe:
    """The student's: what `distill` leaves open is the teacher's, or what suits the system.

    Without pairs there is no target, and the reconstruction is that of the teacher's image.
    """
    given = {name: value for name, value in distill.model_dump().items() if value is not None}
    known = {f.name for f in fields(Recipe)} - {"system"}
    teacher = teacher_recipe(train)
    changed = {name: value for name, value in given.items() if name in known}
    return replace(
        teacher,
        **{"recon_to": "target" if teacher.conditional else "teacher", **changed},
        alignment=distill.weight,
    )
