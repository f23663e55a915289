"""The two trainings put together: a teacher from pairs, and a student from pairs and its teacher."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from catdsl.diagnostics import CatError
from catdsl.semantics.settings import SpecSettings
from catdsl.train.checkpoint import load_checkpoint
from catdsl.train.data.batches import Batch, plain_batches, training_batches
from catdsl.train.data.pairs import PairedData
from catdsl.train.discriminator import build_discriminator
from catdsl.train.engine import CHECKPOINT, Outcome, Run, run_training
from catdsl.train.losses.alignment import check_alignment
from catdsl.train.recipe import Recipe, student_recipe, teacher_recipe
from catdsl.train.run_settings import run_settings, weights_digest
from catdsl.train.schedule import plan_schedule
from catdsl.train.systems.distillation import Distillation
from catdsl.train.systems.pix2pix import Pix2Pix
from catdsl.train.systems.system import System

_SAMPLED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What the command line says about a run.

    `steps` replaces the epochs of the settings.
    """

    folder: Path
    seed: int = 0
    steps: int | None = None
    resume: bool = False
    device: str = "cpu"


def train_teacher(generator: nn.Module, data: PairedData, settings: SpecSettings, options: RunOptions) -> Outcome:
    """Train `generator` in place as pix2pix does, and leave its run in the options' folder.

    Its weights at the call are the start. Raises CatError as `run_training` does, and E601 or E607
    where data and settings do not fit together.
    """
    recipe = teacher_recipe(settings.train)
    discriminator = _discriminator(data, settings, options.seed)
    system = Pix2Pix(generator.to(options.device), discriminator.to(options.device), recipe)
    return _train(system, recipe, data, settings, options, label="teacher", more={})


def distill_student(
    student: nn.Module,
    data: PairedData,
    settings: SpecSettings,
    options: RunOptions,
    *,
    tapped_student: nn.Module,
    tapped_teacher: nn.Module,
    discriminator: Mapping[str, Tensor] | None,
) -> Outcome:
    """Train `student` in place by distillation, and leave its run in the options' folder.

    The tapped modules map B x C x H x W to (image, (tap, ...)). `discriminator` are the weights of
    the teacher's (see `trained_weights`); with None it starts afresh. Raises as `train_teacher`,
    and E605 where the discriminator's weights do not fit the settings.
    """
    recipe = student_recipe(settings.distill, settings.train)
    check_alignment(recipe.similarity if recipe.aligns else "none", batch=recipe.batch)
    judge = _discriminator(data, settings, options.seed)
    if discriminator is not None:
        _inherit(judge, discriminator)
    more = {
        "taps": settings.distill.taps,
        "teacher weights": weights_digest(tapped_teacher),
        "discriminator weights": weights_digest(judge),
    }
    system = Distillation(
        student=student.to(options.device),
        tapped_student=tapped_student.to(options.device),
        tapped_teacher=tapped_teacher.to(options.device),
        discriminator=judge.to(options.device),
        recipe=recipe,
    )
    return _train(system, recipe, data, settings, options, label="student", more=more)


def trained_weights(folder: Path, network: str) -> dict[str, Tensor]:
    """The weights of `network` (generator, student, discriminator) in the checkpoint of a run folder.

    Raises CatError E603 where the folder holds no such run, E604 where its checkpoint is damaged.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        raise CatError.one(
            "E603", f"{folder} holds no run: {CHECKPOINT} is missing", help="give the folder of a training"
        )
    networks = load_checkpoint(path).networks
    if network not in networks:
        raise CatError.one(
            "E603",
            f"the run in {folder} trained no {network}, but: {', '.join(networks)}",
            help="give the folder of the training that is meant",
        )
    return dict(networks[network])


def _train(
    system: System,
    recipe: Recipe,
    data: PairedData,
    settings: SpecSettings,
    options: RunOptions,
    *,
    label: str,
    more: Mapping[str, object],
) -> Outcome:
    batches = training_batches(data, batch=recipe.batch, seed=options.seed)
    known = run_settings(recipe, data, settings.data, seed=options.seed, steps=options.steps)
    width, layers = settings.train.ndf, settings.train.discriminator_layers
    judge = {"ndf": width, "discriminator_layers": layers, "norm": settings.style.norm}
    run = Run(
        folder=options.folder,
        seed=options.seed,
        settings={**known, **judge, **more},
        checkpoint_every=settings.train.checkpoint_every,
        sample_every=settings.train.sample_every,
        label=label,
        device=options.device,
        resume=options.resume,
    )
    schedule = plan_schedule(recipe, steps_per_epoch=batches.steps_per_epoch, steps=options.steps)
    return run_training(system, batches, schedule=schedule, run=run, sample_batch=_sampled(data))


def _discriminator(data: PairedData, settings: SpecSettings, seed: int) -> nn.Module:
    return build_discriminator(
        channels=data.train.format.input_channels + data.train.format.target_channels,
        size=data.validation.format.target_size,
        width=settings.train.ndf,
        layers=settings.train.discriminator_layers,
        norm=settings.style.norm,
        seed=seed,
    )


def _inherit(discriminator: nn.Module, weights: Mapping[str, Tensor]) -> None:
    try:
        discriminator.load_state_dict(dict(weights))
    except RuntimeError as error:
        raise CatError.one(
            "E605",
            "the teacher's discriminator does not fit these settings",
            notes=tuple(line.strip() for line in str(error).splitlines()[1:4]),
            help="use the `ndf`, `discriminator_layers` and `norm` that the teacher was trained with",
        ) from error


def _sampled(data: PairedData) -> Batch:
    """The first validation pairs, or training pairs where there are none."""
    return next(plain_batches(data.validation if len(data.validation) else data.train, batch=_SAMPLED))
