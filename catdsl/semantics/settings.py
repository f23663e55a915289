"""The settings blocks of a spec as pydantic models. Everything that changes a result stands here.

Defaults are those of the method's recipes (Jin et al., CVPR 2021, section 4.1) on one device.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from catdsl.semantics.recipes import PUBLISHED, READ_BY


def _as_pair(value: object) -> object:
    """A single size stands for height and width alike."""
    return (value, value) if isinstance(value, int) and not isinstance(value, bool) else value


Extent = Annotated[int, Field(ge=8, le=8192)]
Size = Annotated[tuple[Extent, Extent], BeforeValidator(_as_pair)]


def _rising(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] >= value[1]:
        raise ValueError("must be the level of black and, above it, that of white")
    return value


Level = Annotated[float, Field(allow_inf_nan=False)]
Levels = Annotated[tuple[Level, Level], AfterValidator(_rising)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Rate = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Beta = Annotated[float, Field(ge=0, lt=1)]
Epochs = Annotated[int, Field(ge=0, le=100_000)]
Batch = Annotated[int, Field(ge=1, le=4096)]
GanMode = Literal["lsgan", "hinge", "vanilla"]
SystemName = Literal["pix2pix", "cyclegan", "gaugan"]
ScheduleName = Literal["linear", "cosine"]
PrecisionName = Literal["fp32", "bf16", "fp16"]
Similarity = Literal["gka", "gcka", "ka", "mse", "none"]
ReconTo = Literal["target", "teacher"]
DataKind = Literal["paired", "unpaired", "labels"]
LabelLevel = Annotated[int, Field(ge=-65_535, le=16_777_215)]


class Settings(BaseModel):
    """Common ground: frozen, strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class StyleSettings(Settings):
    """What operators do unless told otherwise."""

    norm: Literal["instance", "batch"] = "instance"
    bias: Literal["auto"] | bool = "auto"
    pad: Literal["zero", "reflect", "replicate"] = "zero"
    init: Literal["normal", "xavier", "kaiming"] = "normal"
    init_gain: Annotated[float, Field(gt=0, le=100)] = 0.02
    spectral: bool = False


class SearchSettings(Settings):
    """How channels are ranked, and the fewest that a width may keep."""

    score: Literal["norm_scale", "l1", "l2", "taylor", "random"] = "norm_scale"
    batches: Annotated[int, Field(ge=1, le=100_000)] = 16
    group: Literal["first", "mean", "max"] = "first"
    policy: Literal["threshold", "value_per_cost", "uniform"] = "threshold"
    floor: Annotated[int, Field(ge=0, le=65_536)] = 16


def _as_amount(value: object) -> object:
    """Shares come as text (`25%`); other text is an amount as the command line takes it."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("must be an amount such as 2.6G, 400K or 25%")
    digits = re.fullmatch(r"([0-9.]+(?:e[+-]?[0-9]+)?) *[KMGT%]?", str(value))
    if isinstance(value, str) and digits is None:
        raise ValueError("must be an amount such as 2.6G, 400K or 25%")
    if (float(digits[1]) if isinstance(value, str) and digits else float(value)) <= 0:
        raise ValueError("must be above 0")
    return value


Amount = Annotated[float | str, BeforeValidator(_as_amount)]


# Seconds: a number above has lost its unit.
_LONGEST_LATENCY = 10


def _as_time(value: object) -> object:
    """Seconds, as `12ms` reads, or a share as text; a bare whole number names no unit."""
    share = isinstance(value, str) and re.fullmatch(r"[0-9.]+(?:e[+-]?[0-9]+)?%", value)
    if not share and not isinstance(value, float):
        raise ValueError("must be a time such as 12ms or 800us, or a share such as 50%")
    if float(str(value).rstrip("%")) <= 0:
        raise ValueError("must be above 0")
    if isinstance(value, float) and value >= _LONGEST_LATENCY:
        raise ValueError(f"is {value:g} seconds; write the unit, such as 12ms")
    return value


Time = Annotated[float | str, BeforeValidator(_as_time)]


class BudgetSettings(Settings):
    """The most that a student may cost: absolute counts, or shares of the teacher (`25%`).

    `weights` and `memory` are in bytes: those of the weights file, and the peak of activations.
    """

    macs: Amount | None = None
    params: Amount | None = None
    weights: Amount | None = None
    memory: Amount | None = None
    latency: Time | None = None
    count: Literal["exact", "paper"] = "exact"


class TrainSettings(Settings):
    """The teacher's training: system, losses and their weights, optimisation.

    What is not said follows the published recipe of the system (`semantics/recipes.py`).
    """

    system: SystemName = "pix2pix"
    gan: GanMode = "hinge"
    gan_weight: Weight = 1.0
    recon: Weight = 100.0
    cycle: Weight = 10.0
    identity: Weight = 0.5
    feature_matching: Weight = 0.0
    perceptual: Weight = 0.0
    pool: Annotated[int, Field(ge=0, le=10_000)] = 50
    ndf: Annotated[int, Field(ge=1, le=1024)] = 64
    discriminator_layers: Annotated[int, Field(ge=1, le=8)] = 3
    discriminator_scales: Annotated[int, Field(ge=1, le=5)] = 1
    epochs: Epochs = 500
    decay_epochs: Epochs = 750
    schedule: ScheduleName = "linear"
    batch: Batch = 1
    accumulate: Annotated[int, Field(ge=1, le=4096)] = 1
    lr: Rate = 2e-4
    betas: tuple[Beta, Beta] = (0.5, 0.999)
    ttur: bool = False
    clip: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    precision: PrecisionName = "fp32"
    compile: bool = False
    channels_last: bool = False
    sync_norm: bool = False
    sample_every: Annotated[int, Field(ge=1)] = 500
    checkpoint_every: Annotated[int, Field(ge=1)] = 250

    @model_validator(mode="before")
    @classmethod
    def _published(cls, given: Any) -> Any:
        system = given.get("system", "pix2pix") if isinstance(given, dict) else None
        recipe = PUBLISHED.get(system, {}) if isinstance(system, str) else {}
        return {**recipe, **given} if recipe else given

    @model_validator(mode="after")
    def _read_by_the_system(self) -> "TrainSettings":
        for name, systems in READ_BY.items():
            if name in self.model_fields_set and getattr(self, name) and self.system not in systems:
                raise ValueError(f"`{name}` means nothing to system = {self.system}, only to {' and '.join(systems)}")
        return self

    @model_validator(mode="after")
    def _some_training(self) -> "TrainSettings":
        if self.epochs + self.decay_epochs == 0:
            raise ValueError("epochs and decay_epochs are both 0: nothing would be trained")
        return self


class DistillSettings(Settings):
    """The student's training: what it learns from the teacher.

    Whatever is not said here is taken from `train`. `recon` pulls towards the target of paired
    images, or towards the teacher's image (`recon_to`); `init` says whether the student starts from
    slices of the teacher's weights.
    """

    taps: tuple[str, ...] = ()
    similarity: Similarity = "gka"
    weight: Weight = 1.0
    recon: Weight | None = None
    recon_to: ReconTo | None = None
    gan_weight: Weight | None = None
    init: Literal["inherited", "fresh"] = "inherited"
    epochs: Epochs | None = None
    decay_epochs: Epochs | None = None
    batch: Batch | None = None
    lr: Rate | None = None

    @model_validator(mode="after")
    def _taps_where_needed(self) -> "DistillSettings":
        if self.similarity != "none" and self.weight > 0 and not self.taps:
            raise ValueError(
                f"similarity = {self.similarity} compares tensors, and `taps` names none; "
                "list some, for example taps = [stem, body[2]], or set similarity = none"
            )
        return self


class DataSettings(Settings):
    """How images are read. `holdout` images at the end of the sorted list are for validation.

    `joined` insists that files hold both images of a pair, or that none does; without it their looks decide.
    `levels` are black and white of files with more than 8 bits, `target_levels` those of the target's
    where they are others. `label_values` are the levels that label maps hold, in the order of the
    classes; `ignore` is the level of pixels without a class. `workers` threads read ahead, and change
    no result.
    """

    kind: DataKind = "paired"
    direction: Literal["a_to_b", "b_to_a"] = "a_to_b"
    load: Size | None = None
    crop: Size | None = None
    flip: bool = True
    holdout: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    joined: bool | None = None
    levels: Levels | None = None
    target_levels: Levels | None = None
    ignore: LabelLevel | None = None
    label_values: Annotated[tuple[LabelLevel, ...], Field(min_length=1, max_length=4096)] | None = None
    workers: Annotated[int, Field(ge=0, le=64)] = 2

    @model_validator(mode="after")
    def _belong_to_the_kind(self) -> "DataSettings":
        if self.joined is not None and self.kind != "paired":
            raise ValueError("joined is for kind = paired")
        if self.label_values is None:
            return self
        if self.kind != "labels":
            raise ValueError("label_values are for kind = labels")
        if len(set(self.label_values)) < len(self.label_values):
            raise ValueError("label_values name a level twice, which would be two classes")
        if self.ignore in self.label_values:
            raise ValueError(f"{self.ignore} is both in label_values and the level to ignore")
        return self

    def ignored_class(self, classes: int) -> int | None:
        """What stands for `ignore` once labels are numbers of classes; a level of the file may be one of them."""
        return self.ignore if self.label_values is None or self.ignore is None else classes


class EvaluateSettings(Settings):
    """How teacher and student are compared."""

    timing_runs: Annotated[int, Field(ge=1, le=10_000)] = 20


class SpecSettings(Settings):
    """All settings of one spec. A block that the spec does not hold is None or all defaults."""

    style: StyleSettings = StyleSettings()
    search: SearchSettings = SearchSettings()
    budget: BudgetSettings = BudgetSettings()
    distill: DistillSettings = DistillSettings(similarity="none")
    train: TrainSettings = TrainSettings()
    data: DataSettings = DataSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
