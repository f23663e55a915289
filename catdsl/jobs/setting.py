"""What every training job begins with: a verified data set, a device, and a generator that fits them."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import torch

from catdsl.diagnostics import CatError
from catdsl.project import Project
from catdsl.train.data.pairs import PairedData, open_pairs
from catdsl.train.data.scenes import default_scenes
from catdsl.train.recipe import teacher_recipe


@dataclass(frozen=True, slots=True)
class JobOptions:
    """Flags that all training commands share."""

    data: Path | None
    seed: int = 0
    steps: int | None = None
    device: str = "auto"
    resume: bool = False


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
    made = (output.type.height, output.type.width)
    place = folder if folder is not None else default_scenes(max(size, made))
    data = open_pairs(
        place, project.settings.data, size=size, scale=(Fraction(made[0], size[0]), Fraction(made[1], size[1])),
        input_channels=graph.channels(source.name), target_channels=graph.channels(output.name),
    )  # fmt: skip
    _check_crop(project, data)
    return data, place


def choose_device(asked: str) -> str:
    """`auto` takes CUDA or Apple's MPS where there is one. Raises CatError E607 for one that is absent."""
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if asked == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if available[name])
    kind = asked.partition(":")[0]
    if not available.get(kind, False):
        found = ", ".join(name for name, there in available.items() if there)
        raise CatError.one("E607", f"there is no device `{asked}` here", help=f"available: {found}")
    return asked


def stride(project: Project) -> int:
    """The number of pixels that an input's height and width must be a multiple of."""
    graph = project.teacher_graph
    source = graph.inputs[0].type
    ratios = [source.height // n.type.height for n in graph.nodes if source.height % n.type.height == 0]
    return max(1, *ratios)


def _check_crop(project: Project, data: PairedData) -> None:
    step = stride(project)
    if any(side % step for side in data.crop):
        raise CatError.one(
            "E607",
            f"crops of {data.crop[0]} x {data.crop[1]} do not fit the generator: "
            f"each side must be a multiple of {step}",
            help="change `crop` in data { }",
        )
