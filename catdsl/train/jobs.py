"""The two trainings put together: a teacher from images, and a student from images and its teacher."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from catdsl.acceptance import NOBODY, STRICT, Acceptance, Owner, silent
from catdsl.diagnostics import CatError
from catdsl.reading import there
from catdsl.semantics.settings import SpecSettings
from catdsl.train import collective
from catdsl.train.checkpoint import load_checkpoint
from catdsl.train.data.batches import Batch, plain_batches, training_batches
from catdsl.train.data.opening import ImageData
from catdsl.train.data.prefetch import Prefetched
from catdsl.train.discriminator import Discriminator, discriminator_for
from catdsl.train.engine import CHECKPOINT, Outcome, Run, run_training
from catdsl.train.losses.alignment import check_alignment
from catdsl.train.losses.perceptual import Perceptual
from catdsl.train.preconditions import check_parts, check_system, perceptual_loss
from catdsl.train.recipe import Recipe, student_recipe, teacher_recipe
from catdsl.train.run_settings import run_settings, weights_digest
from catdsl.train.schedule import plan_schedule
from catdsl.train.seeding import derived_seed
from catdsl.train.sync_norm import synchronise_norms
from catdsl.train.systems.cyclegan import CycleGan
from catdsl.train.systems.distillation import Distillation, build_adapters
from catdsl.train.systems.judge import Judge
from catdsl.train.systems.paired import Paired
from catdsl.train.systems.system import System

_SAMPLED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What the command line says about a run.

    `steps` replaces the epochs of the settings; `vgg` is the weights file of the perceptual loss;
    with `accept_changes` a run is continued though its settings have changed.
    """

    folder: Path
    seed: int = 0
    steps: int | None = None
    resume: bool = False
    device: str = "cpu"
    vgg: Path | None = None
    accept_changes: bool = False
    tensorboard: bool = False
    owner: Owner = NOBODY
    """The network that is trained, and the run that it is trained in."""
    say: Callable[[str], None] = silent


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Tapped:
    """Networks that also return their taps, B x C x H x W to (image, (tap, ...)), and the taps' channels."""

    student: nn.Module
    teacher: nn.Module
    channels: Sequence[tuple[int, int]] = ()
    """Of each tap: the teacher's and the student's."""


def train_teacher(
    generator: nn.Module,
    data: ImageData,
    settings: SpecSettings,
    options: RunOptions,
    *,
    back: nn.Module | None = None,
) -> Outcome:
    """Train `generator` in place by its system, and leave its run in the options' folder.

    Its weights at the call are the start. CycleGAN trains `back`, from targets to inputs, beside it.
    Raises CatError as `run_training` does, and E601 or E607 where data and settings do not fit
    together.
    """
    recipe = teacher_recipe(settings.train)
    perceptual = perceptual_loss(recipe, options.vgg)
    judge = _judge(recipe, data, settings, options)
    _prepare(generator, recipe, options.device)
    if recipe.system != "cyclegan":
        system: System = Paired(generator, judge, recipe, perceptual and perceptual.to(options.device))
    else:
        assert back is not None
        _prepare(back, recipe, options.device)
        judge_back = _judge(recipe, data, settings, options, of="input")
        system = CycleGan(
            generator=generator, back=back, judge=judge, judge_back=judge_back, recipe=recipe, seed=options.seed
        )
    return _train(system, recipe, data, settings, options, label="teacher", more=_known(perceptual))


def distill_student(
    student: nn.Module,
    data: ImageData,
    settings: SpecSettings,
    options: RunOptions,
    *,
    tapped: Tapped,
    discriminator: Mapping[str, Tensor] | None,
) -> Outcome:
    """Train `student` in place by distillation, and leave its run in the options' folder.

    `discriminator` are the weights of the teacher's (see `trained_weights`); with None it starts
    afresh. Raises as `train_teacher`, and E605 where the discriminator's weights do not fit the
    settings.
    """
    recipe = student_recipe(settings.distill, settings.train)
    check_alignment(recipe.similarity if recipe.aligns else "none", batch=recipe.batch, parts=recipe.accumulate)
    perceptual = perceptual_loss(recipe, options.vgg)
    judge = _judge(recipe, data, settings, options, weights=discriminator)
    more = {
        "taps": settings.distill.taps,
        "teacher weights": weights_digest(tapped.teacher),
        "discriminator weights": weights_digest(judge.network) if judge.network is not None else None,
        **_known(perceptual),
    }
    for network in (student, tapped.student, tapped.teacher):
        _prepare(network, recipe, options.device)
    system = Distillation(
        student=student,
        tapped_student=tapped.student,
        tapped_teacher=tapped.teacher,
        judge=judge,
        recipe=recipe,
        adapters=_adapters(recipe, tapped.channels, options),
        perceptual=perceptual and perceptual.to(options.device),
    )
    return _train(system, recipe, data, settings, options, label="student", more=more)


def trained_weights(
    folder: Path, network: str, wanted: Owner = NOBODY, acceptance: Acceptance = STRICT
) -> dict[str, Tensor] | None:
    """The weights of `network` (generator, student, discriminator) in the checkpoint of a run folder.

    None where that training had no such network, as one without an adversarial loss has no discriminator.
    Raises CatError E603 where the folder holds no run, E604 where its checkpoint is damaged.
    """
    path = folder / CHECKPOINT
    if not there(path):
        raise CatError.one(
            "E603", f"{folder} holds no run: {CHECKPOINT} is missing", help="give the folder of a training"
        )
    networks = load_checkpoint(path, wanted, acceptance).networks
    return dict(networks[network]) if network in networks else None


def _train(
    system: System,
    recipe: Recipe,
    data: ImageData,
    settings: SpecSettings,
    options: RunOptions,
    *,
    label: str,
    more: Mapping[str, object],
) -> Outcome:
    check_parts(recipe)
    check_system(recipe, settings.data)
    batches = training_batches(
        data, batch=recipe.batch, seed=options.seed, rank=collective.rank(), world=collective.world()
    )
    known = run_settings(recipe, data, settings.data, seed=options.seed, steps=options.steps)
    judge = {name: getattr(settings.train, name) for name in ("ndf", "discriminator_layers", "discriminator_scales")}
    run = Run(
        folder=options.folder,
        seed=options.seed,
        recipe=recipe,
        settings={**known, **judge, "norm": settings.style.norm, **more},
        checkpoint_every=settings.train.checkpoint_every,
        sample_every=settings.train.sample_every,
        label=label,
        device=options.device,
        resume=options.resume,
        accept_changes=options.accept_changes,
        tensorboard=options.tensorboard,
        owner=options.owner,
        say=options.say,
    )
    schedule = plan_schedule(recipe, steps_per_epoch=batches.steps_per_epoch, steps=options.steps)
    with Prefetched(batches, workers=settings.data.workers) as ahead:
        return run_training(system, ahead, schedule=schedule, run=run, sample_batch=_sampled(data))


def _judge(
    recipe: Recipe,
    data: ImageData,
    settings: SpecSettings,
    options: RunOptions,
    *,
    of: Literal["target", "input"] = "target",
    weights: Mapping[str, Tensor] | None = None,
) -> Judge:
    """The discriminator of one side of the data, with `weights` where they are given; none where nothing is judged."""
    if not recipe.judges:
        return Judge(None, recipe)
    network = discriminator_for(recipe, settings, data.validation.format, seed=options.seed, of=of)
    if weights is not None:
        _inherit(network, weights)
    _prepare(network, recipe, options.device)
    return Judge(network, recipe)


def _inherit(discriminator: Discriminator, weights: Mapping[str, Tensor]) -> None:
    try:
        discriminator.load_state_dict(dict(weights))
    except RuntimeError as error:
        raise CatError.one(
            "E605",
            "the teacher's discriminator does not fit these settings",
            notes=tuple(line.strip() for line in str(error).splitlines()[1:4]),
            help="use the `ndf`, `discriminator_layers`, `discriminator_scales` and `norm` "
            "that the teacher was trained with",
        ) from error


def _prepare(network: nn.Module, recipe: Recipe, device: str) -> None:
    """Put a network on its device, in place, as the recipe has it computed."""
    network.to(device)
    if recipe.channels_last:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
    if recipe.sync_norm:
        synchronise_norms(network)
    if recipe.compile:
        network.compile()


def _adapters(recipe: Recipe, channels: Sequence[tuple[int, int]], options: RunOptions) -> nn.ModuleList | None:
    if recipe.similarity != "mse" or not recipe.aligns:
        return None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(options.seed, "adapters"))
        return build_adapters(channels).to(options.device)


def _known(perceptual: Perceptual | None) -> dict[str, object]:
    return {} if perceptual is None else {"vgg weights": weights_digest(perceptual)}


def _sampled(data: ImageData) -> Batch:
    """The first validation pairs, or training pairs where there are none."""
    return next(plain_batches(data.validation if len(data.validation) else data.train, batch=_SAMPLED))
