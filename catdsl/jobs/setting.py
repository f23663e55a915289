"""What every training job begins with: a verified data set, a device, and a recipe that can be followed."""

from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass, replace
from fractions import Fraction
from pathlib import Path

import torch

from catdsl.analysis.stride import stride as graph_stride
from catdsl.diagnostics import CatError, Span
from catdsl.jobs.inputs import input_side
from catdsl.project import Project
from catdsl.search.slicing import check_sliceable
from catdsl.train.collective import by_first, together
from catdsl.train.data.batches import training_batches
from catdsl.train.data.opening import ImageData, check_kind, open_images
from catdsl.train.data.scenes import default_scenes
from catdsl.train.data.sides import Side
from catdsl.train.losses.alignment import check_alignment
from catdsl.train.preconditions import check_judge, check_losses, check_parts, check_system, perceptual_loss
from catdsl.train.processes import precision_of, start
from catdsl.train.recipe import student_recipe, teacher_recipe
from catdsl.train.records import check_board
from catdsl.train.schedule import plan_schedule


@dataclass(frozen=True, slots=True)
class JobOptions:
    """Flags that all training commands share."""

    data: Path | None
    _: KW_ONLY
    seed: int = 0
    steps: int | None = None
    device: str = "auto"
    resume: bool = False
    devices: int | None = None
    vgg: Path | None = None
    accept_changes: bool = False
    tensorboard: bool = False
    command: tuple[str, ...] = ()
    """The words that were typed."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is settled before a run folder is made, so that a mistake in it costs nothing."""

    options: JobOptions
    data: ImageData

    @property
    def identity(self) -> dict[str, object]:
        """What must be the same when a run is continued."""
        return {"seed": self.options.seed, "steps": self.options.steps, "data": self.data.fingerprint}


def settle(project: Project, options: JobOptions, say: Callable[[str], None]) -> Setting:
    """Choose the device and verify the data. Raises CatError E405, E601, E602, E607."""
    if project.student is not None:
        raise CatError.one(
            "E405", f"{project.source.shown} is a student program, and this job needs its spec",
            help=f"give {project.spec.files[0].shown}",
        )  # fmt: skip
    if project.teacher_graph.kind != "generator":
        raise CatError.one(
            "E211", f"{project.source.shown} holds no generator", project.teacher_graph.nodes[0].span,
            help="give a spec of the generator; its train { } says what discriminator it is trained against",
        )  # fmt: skip
    device = start(choose_device(options.device), options.devices)
    if options.data is None:
        # Drawn by one process, not by each of them.
        by_first(lambda: _embedded(project), device)
    data, place = together(lambda: open_data(project, options.data), device)
    for line in told_of(data, place):
        say(line)
    return Setting(replace(options, device=device), data)


def check_teacher(project: Project, setting: Setting) -> None:
    """Refuse a teacher's training that would fail, before a folder is made for it.

    Raises CatError E601 (fewer images than a batch), E605, E607.
    """
    recipe = teacher_recipe(project.settings.train)
    check_parts(recipe)
    check_losses(recipe, "teacher")
    training_batches(setting.data, batch=recipe.batch, seed=setting.options.seed)
    _check_training(project, setting)


def _check_training(project: Project, setting: Setting) -> None:
    """What teacher and student have in common."""
    recipe, options = teacher_recipe(project.settings.train), setting.options
    check_judge(recipe, setting.data, project.settings.train)
    precision_of(recipe.precision, options.device)
    perceptual_loss(recipe, options.vgg)
    if options.tensorboard:
        check_board()


def check_distillation(project: Project, setting: Setting) -> None:
    """Refuse a distillation that would fail, before anything is trained for it.

    Raises CatError E601 (fewer images than a batch), E605, E607.
    """
    _check_training(project, setting)
    graph = project.teacher_graph
    distill = project.settings.distill
    recipe = student_recipe(distill, project.settings.train)
    batches = training_batches(setting.data, batch=recipe.batch, seed=setting.options.seed)
    if not plan_schedule(recipe, steps_per_epoch=batches.steps_per_epoch, steps=setting.options.steps).total_steps:
        raise CatError.one("E607", "the student would be trained for 0 epochs", help="raise `epochs` in distill { }")
    check_parts(recipe)
    check_losses(recipe, "student")
    check_scores(project)
    if recipe.recon_to == "target" and not recipe.conditional:
        raise CatError.one(
            "E607", "recon_to = target needs paired images, and cyclegan has none",
            help="leave it out, or set recon_to = teacher",
        )  # fmt: skip
    if recipe.aligns:
        check_alignment(recipe.similarity, batch=recipe.batch, parts=recipe.accumulate)
    if distill.init == "inherited":
        check_sliceable(graph)


def check_scores(project: Project) -> None:
    """Refuse scores that images of this kind cannot give. Raises CatError E607."""
    if project.settings.search.score == "taylor" and project.settings.data.kind == "unpaired":
        raise CatError.one(
            "E607", "score = taylor needs targets to tell what a channel is worth, and unpaired images have none",
            help="set score = norm_scale in search { }",
        )  # fmt: skip


def open_data(project: Project, folder: Path | None, *, as_shown: bool = False) -> tuple[ImageData, Path]:
    """The data folder, or the embedded scenes; every file verified. Raises CatError E601, E602, E607.

    With `as_shown` training images, too, are read at the size of crops, as those for validation always are.
    """
    graph = project.teacher_graph
    if len(graph.inputs) != 1:
        names = ", ".join(n.name for n in graph.inputs)
        raise CatError.one(
            "E607",
            f"training needs a generator with one input, this one has {names}",
            graph.inputs[1].span,
        )
    # A spec whose recipe cannot be trained is refused before any image is read.
    check_system(teacher_recipe(project.settings.train), project.settings.data)
    source, output = graph.inputs[0], graph.node[graph.output]
    size, settings = (source.type.height, source.type.width), project.settings.data
    if as_shown:
        settings = settings.model_copy(update={"load": None})
    taken, made = input_side(graph, settings), Side(graph.channels(output.name))
    check_kind(settings, taken, source.span)
    _check_crop(project, settings.crop or size)
    made_size = (output.type.height, output.type.width)
    _check_both_ways(settings.kind, taken, made, size == made_size, output.span)
    place = folder if folder is not None else _embedded(project)
    data = open_images(
        place, settings, size=size, source=taken, target=made,
        scale=(Fraction(made_size[0], size[0]), Fraction(made_size[1], size[1])),
    )  # fmt: skip
    return data, place


def _check_both_ways(kind: str, taken: Side, made: Side, same_size: bool, span: Span | None) -> None:
    """CycleGAN sends the images of each side through the generator of the other. Raises CatError E607."""
    if kind == "unpaired" and not (same_size and taken.channels == made.channels):
        raise CatError.one(
            "E607", "unpaired training needs images in and out of the same size and channels", span,
            help="declare the input with as many channels as the output, and leave its size as it is",
        )  # fmt: skip


def _embedded(project: Project) -> Path:
    """The folder of the embedded scenes, which are pairs. Raises CatError E601 for another kind of data."""
    kind, graph = project.settings.data.kind, project.teacher_graph
    if kind != "paired":
        raise CatError.one(
            "E601",
            f"there is no embedded data of kind = {kind}",
            help="give --data with a folder of your own; `catdsl data check DIR` says what a folder holds",
        )
    shown = (graph.inputs[0].type, graph.node[graph.output].type)
    return default_scenes(max((type_.height, type_.width) for type_ in shown))


def told_of(data: ImageData, place: Path) -> Iterator[str]:
    """What a person must know of the data before a job begins: amounts, and what is not read of the folder."""
    yield f"data     {place}: {_amounts(data)}"
    yield from told_of_unused(data, place)


def told_of_unused(data: ImageData, place: Path) -> Iterator[str]:
    """A line where files of the folder are not read. Hidden ones nobody expects to be."""
    groups = data.unused.by_reason
    if groups:
        first, count = groups[0][0], len(data.unused.files)
        which = f"{first.path}" if count == 1 else f"{count} files, such as {first.path}"
        yield f"not used {which}: {first.reason}; `catdsl data check {place}` lists all"


def _amounts(data: ImageData) -> str:
    """How many images there are, for a person."""
    if data.kind != "unpaired":
        cut = ", each file cut in two (A|B)" if data.joined else ""
        what = f"pairs{cut}" if data.kind == "paired" else "labelled photos"
        return f"{len(data.train)} training and {len(data.validation)} validation {what}"
    trained, validated = (f"{inputs} + {targets}" for inputs, targets in (data.train.counts, data.validation.counts))
    return f"{trained} training and {validated} validation images (input + target side)"


def choose_device(asked: str) -> str:
    """`auto` takes CUDA or Apple's MPS where there is one. Raises CatError E607 for one that is absent."""
    available = {"cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available()), "cpu": 1}
    if asked == "auto":
        return next(name for name, count in available.items() if count)
    kind, separator, index = asked.partition(":")
    if (index.isdigit() or not separator) and int(index or 0) < available.get(kind, 0):
        return asked
    found = ", ".join(name for name, count in available.items() if count)
    raise CatError.one("E607", f"there is no device `{asked}` here", help=f"available: {found}")


def stride(project: Project) -> int:
    """The number of pixels that an input's height and width must be a multiple of."""
    return graph_stride(project.teacher_graph)


def _check_crop(project: Project, crop: tuple[int, int]) -> None:
    """Raise CatError E607 where a side is no multiple of the generator's stride."""
    step = stride(project)
    if any(side % step for side in crop):
        raise CatError.one(
            "E607",
            f"crops of {crop[0]} x {crop[1]} do not fit the generator: each side must be a multiple of {step}",
            help="change `crop` in data { }",
        )  # fmt: skip
