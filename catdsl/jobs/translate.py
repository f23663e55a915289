"""`translate`: images in, images out, through a run's student or teacher or through a spec's network."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor
from torch.fx import GraphModule
from torch.nn import functional as F

from catdsl.backend.weights import module_with_weights
from catdsl.diagnostics import CatError
from catdsl.jobs.inputs import input_side, read_input
from catdsl.jobs.run_folder import WEIGHTS, existing_run
from catdsl.jobs.setting import stride
from catdsl.project import Project, load
from catdsl.train.data.images import write_image
from catdsl.train.data.layouts import image_files
from catdsl.train.data.level_check import check_bits_used
from catdsl.train.data.pixels import Unreadable
from catdsl.train.data.sides import Side
from catdsl.train.modes import evaluating

_LISTED = 10


@dataclass(frozen=True, slots=True)
class Translator:
    """A network with its weights, and the multiple that its inputs' sides must be of."""

    module: GraphModule
    input: Side
    stride: int
    size: tuple[int, int]
    """The declared height and width of its input."""
    shown: str
    ignore: int | None = None
    """The label of pixels that belong to no class."""


def translator(source: Path, weights: Path | None, overrides: dict[str, str], *, teacher: bool) -> Translator:
    """The network of a run (its student, or its teacher), or of a spec with a weights file.

    Raises CatError E603 where a run has not got that far, E605 where weights do not fit.
    """
    project, path = trained_network(source, weights, overrides, teacher=teacher)
    graph = project.graph
    main = graph.inputs[0]
    if len(graph.inputs) != 1:
        raise CatError.one("E607", "only generators with one input can translate files", main.span)
    module = module_with_weights(graph, path)
    size = (main.type.height, main.type.width)
    side = input_side(graph, project.settings.data)
    return Translator(module, side, stride(project), size, str(path), project.settings.data.ignore)


def trained_network(
    source: Path, weights: Path | None, overrides: dict[str, str], *, teacher: bool
) -> tuple[Project, Path]:
    """The program of a run (its student, or its teacher) or of a spec, and the file of its weights.

    Raises CatError E603 where a run has not got that far, E605 where a spec was given without weights.
    """
    project, found = _of_run(source, teacher=teacher) if source.is_dir() else (load(source, overrides), weights)
    path = weights or found
    if path is None:
        raise CatError.one("E605", f"{source} has no weights by itself", help="add --weights FILE.safetensors")
    return project, path


def find_images(given: Sequence[Path]) -> list[Path]:
    """Files as given, and the images in folders. Raises CatError E602 where there are none."""
    found: list[Path] = []
    for path in given:
        found += image_files(path) if path.is_dir() else [path]
    if not found:
        raise CatError.one(
            "E602",
            f"there are no images in {', '.join(map(str, given))}",
            help="give image files, or folders of them",
        )
    return found


def translate(network: Translator, images: Sequence[Path], folder: Path, *, device: str) -> list[Path]:
    """Write the network's picture of each image as PNG, at the image's own size (or as many times
    that as the network enlarges).

    Sides that are no multiple of the stride are padded for the network and cut again. All images
    that can be read are translated; then CatError E602 lists the others.
    """
    if network.input.labels is None:
        check_bits_used(images, network.input.levels)
    module = network.module.to(device)
    written: list[Path] = []
    odd: list[str] = []
    targets = [folder / f"{name}.png" for name in _names(images)]
    _spare(images, targets)
    for path, target in zip(images, targets, strict=True):
        image = read_input(path, network.input, ignore=network.ignore)
        if isinstance(image, Unreadable):
            odd.append(f"{path} {image.reason}")
            continue
        try:
            with evaluating(module):
                result = _padded_call(module, image[None].to(device), network.stride)
        except (RuntimeError, ValueError):
            # Reflection and instance norms need several pixels at every level of the network.
            if min(image.shape[1:]) >= min(network.size):
                raise
            odd.append(f"{path} is {image.shape[1]} x {image.shape[2]}, too small for this network")
            continue
        write_image(target, result[0].cpu())
        written.append(target)
    if odd:
        more = (f"and {len(odd) - _LISTED} more",) if len(odd) > _LISTED else ()
        raise CatError.one(
            "E602",
            f"{len(odd)} of {len(images)} images cannot be translated",
            notes=(*odd[:_LISTED], *more),
            help=f"the others were translated into {folder}" if written else "give images that can be read",
        )
    return written


def _spare(images: Sequence[Path], targets: Sequence[Path]) -> None:
    """Raise CatError E608 where a result would take the place of an image that is read."""
    read = {_identity(image) for image in images if image.exists()}
    for target in targets:
        if target.exists() and _identity(target) in read:
            raise CatError.one(
                "E608", f"{target} is one of the images that are read", help="choose another folder with -o"
            )


def _identity(path: Path) -> tuple[int, int]:
    """What is equal for two names of one file."""
    found = path.stat()
    return found.st_dev, found.st_ino


def _padded_call(module: GraphModule, x_BCHW: Tensor, step: int) -> Tensor:
    height, width = x_BCHW.shape[2:]
    padded = F.pad(x_BCHW, (0, -width % step, 0, -height % step), mode="replicate")
    result = module(padded)
    # A generator may enlarge (super-resolution) or shrink: what was added is cut in proportion.
    return result[
        :, :, : -(-height * result.shape[2] // padded.shape[2]), : -(-width * result.shape[3] // padded.shape[3])
    ]


def _names(images: Sequence[Path]) -> list[str]:
    """A name for each result: the stem, with the folder where two stems are equal, with a number where that is too."""
    stems = Counter(p.stem for p in images)
    names = [p.stem if stems[p.stem] == 1 else f"{p.absolute().parent.name}_{p.stem}" for p in images]
    count = Counter(names)
    return [n if count[n] == 1 else f"{i}_{n}" for i, n in enumerate(names)]


def _of_run(folder: Path, *, teacher: bool) -> tuple[Project, Path]:
    run = existing_run(folder)
    if not teacher and (run.student / WEIGHTS).exists():
        return load(run.student_program), run.student / WEIGHTS
    path = run.teacher / WEIGHTS
    if not path.exists():
        raise CatError.one("E603", f"the run {folder} has no trained network yet", help="finish it with --resume")
    return run.project(), path
