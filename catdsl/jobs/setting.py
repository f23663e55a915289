"""What every training job begins with: a verified data set, a device, and a recipe that can be followed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm
from pathlib import Path

import torch

from catdsl.analysis.cost import floor_counts
from catdsl.diagnostics import CatError
from catdsl.ir.counts import complete_counts
from catdsl.ir.types import total
from catdsl.project import Project
from catdsl.search.slicing import check_sliceable
from catdsl.train.data.batches import training_batches
from catdsl.train.data.pairs import PairedData, open_pairs
from catdsl.train.data.scenes import default_scenes
from catdsl.train.losses.alignment import check_alignment
from catdsl.train.recipe import student_recipe, teacher_recipe
from catdsl.train.schedule import plan_schedule


@dataclass(frozen=True, slots=True)
class JobOptions:
    """Flags that all training commands share."""

    data: Path | None
    seed: int = 0
    steps: int | None = None
    device: str = "auto"
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """What is settled before a run folder is made, so that a mistake in it costs nothing."""

    options: JobOptions
    data: PairedData

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
    device = choose_device(options.device)
    data, place = open_data(project, options.data)
    say(f"data     {place}: {len(data.train)} training and {len(data.validation)} validation pairs")
    return Setting(replace(options, device=device), data)


def check_distillation(project: Project, setting: Setting, counts: Mapping[str, int] | None = None) -> None:
    """Refuse a distillation that would fail, before anything is trained for it.

    `counts` are those of the student; without them the smallest student stands for it. Raises
    CatError E601 (fewer images than a batch), E607.
    """
    graph = project.teacher_graph
    distill = project.settings.distill
    recipe = student_recipe(distill, project.settings.train)
    batches = training_batches(setting.data, batch=recipe.batch, seed=setting.options.seed)
    if not plan_schedule(recipe, steps_per_epoch=batches.steps_per_epoch, steps=setting.options.steps).total_steps:
        raise CatError.one("E607", "the student would be trained for 0 epochs", help="raise `epochs` in distill { }")
    if recipe.aligns:
        smallest = complete_counts(graph, {**floor_counts(graph), **(counts or {})})
        taps = [graph.node[tap.node].type.channels for tap in graph.taps]
        channels = [(total(tap, graph.counts), total(tap, smallest)) for tap in taps]
        check_alignment(recipe.similarity, batch=recipe.batch, channels=channels)
    if distill.init == "inherited":
        check_sliceable(graph)


def open_data(project: Project, folder: Path | None) -> tuple[PairedData, Path]:
    """The data folder, or the embedded scenes; every file verified. Raises CatError E601, E602, E607."""
    graph = project.teacher_graph
    if len(graph.inputs) != 1:
        names = ", ".join(n.name for n in graph.inputs)
        raise CatError.one(
            "E607",
            f"paired training needs a generator with one input, this one has {names}",
            graph.inputs[1].span,
        )
    # A spec whose recipe cannot be trained is refused before any image is read.
    teacher_recipe(project.settings.train)
    source, output = graph.inputs[0], graph.node[graph.output]
    size = (source.type.height, source.type.width)
    if source.attrs["kind"] != "image":
        raise CatError.one(
            "E607", "label maps cannot be trained on yet; only `image` inputs can", source.span,
            help="declare `image(3, height, width)` and give the labels as colour images",
        )  # fmt: skip
    _check_crop(project, project.settings.data.crop or size)
    made = (output.type.height, output.type.width)
    place = folder if folder is not None else default_scenes(max(size, made))
    data = open_pairs(
        place, project.settings.data, size=size, scale=(Fraction(made[0], size[0]), Fraction(made[1], size[1])),
        input_channels=graph.channels(source.name), target_channels=graph.channels(output.name),
    )  # fmt: skip
    return data, place


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
    graph = project.teacher_graph
    source = graph.inputs[0].type
    ratios = [source.height // n.type.height for n in graph.nodes if source.height % n.type.height == 0]
    return lcm(1, *ratios)


def _check_crop(project: Project, crop: tuple[int, int]) -> None:
    step = stride(project)
    if any(side % step for side in crop):
        raise CatError.one(
            "E607",
            f"crops of {crop[0]} x {crop[1]} do not fit the generator: each side must be a multiple of {step}",
            help="change `crop` in data { }",
        )
