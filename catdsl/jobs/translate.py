"""`translate`: images in, images out, through a run's student or teacher or through a spec's network."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor
from torch.fx import GraphModule

from catdsl.acceptance import Acceptance
from catdsl.backend.out_of_memory import of_memory
from catdsl.diagnostics import CatError
from catdsl.diagnostics.diagnostic import first_line
from catdsl.files import not_writable
from catdsl.jobs.inputs import input_side, read_input
from catdsl.jobs.output_names import output_names
from catdsl.jobs.picture_sizes import PictureSizes, picture_sizes
from catdsl.jobs.run_networks import trained_network
from catdsl.jobs.setting import stride
from catdsl.jobs.targets import holds, refusal
from catdsl.reading import Door, check_kind
from catdsl.train.data.images import write_image
from catdsl.train.data.layouts import image_files
from catdsl.train.data.level_check import check_bits_used
from catdsl.train.data.pixels import Unreadable
from catdsl.train.data.sides import Side
from catdsl.train.modes import evaluating

_LISTED = 10
_PICTURES = Door("picture", "E602", "picture", "give image files, or folders of them")


@dataclass(frozen=True, slots=True)
class Translator:
    """A network with its weights, and the pictures that it takes."""

    module: GraphModule
    input: Side
    sizes: PictureSizes
    shown: str
    ignore: int | None = None
    """The label of pixels that belong to no class."""


def translator(
    source: Path, weights: Path | None, overrides: Mapping[str, str], *, teacher: bool, acceptance: Acceptance
) -> Translator:
    """The network of a run (its student, or its teacher), or of a spec with a weights file.

    Raises CatError E603 where a run has not got that far, E605 where weights do not fit.
    """
    found = trained_network(source, weights, overrides, teacher=teacher, acceptance=acceptance)
    project, graph = found.project, found.project.graph
    main = graph.inputs[0]
    if len(graph.inputs) != 1:
        raise CatError.one("E607", "only generators with one input can translate files", main.span)
    side, sizes = input_side(graph, project.settings.data), picture_sizes(graph, stride(project))
    return Translator(found.module(), side, sizes, str(found.weights), project.settings.data.ignore)


def find_images(given: Sequence[Path]) -> list[Path]:
    """Files as given, each once, and the images in folders. What is neither is refused at once.

    Raises CatError E602 for a device, a pipe or a socket, and where there are no images.
    """
    found: dict[str, Path] = {}
    for path in given:
        images = image_files(path) if path.is_dir() else [path]
        for image in images:
            _check_file(image)
            found.setdefault(os.path.abspath(image), image)
    if not found:
        raise CatError.one(
            "E602",
            f"there are no images in {', '.join(map(str, given))}",
            help="give image files, or folders of them",
        )
    return list(found.values())


def _check_file(path: Path) -> None:
    """Opening a pipe would wait for ever. What is not there is listed with others that cannot be translated."""
    with suppress(OSError, ValueError, RuntimeError):
        check_kind(path.stat().st_mode, path, _PICTURES)


def translate(
    network: Translator, images: Sequence[Path], folder: Path, *, device: str, overwrite: bool = False
) -> list[Path]:
    """Write the network's picture of each image as PNG, at the image's own size (or as many times
    that as the network enlarges).

    Sides that are no multiple of the stride are padded for the network and cut again. A picture that lies
    in `folder` already is replaced where this command has made it of the same image, and all others where
    `overwrite` says so; what is read is never replaced. Raises CatError E608 before anything is done where
    a file would be lost. All images that can be read and are neither too small nor too large are
    translated; then CatError E602 lists the others.
    """
    if network.input.labels is None:
        check_bits_used(images, network.input.levels)
    module = network.module.to(device)
    targets = [folder / name for name in output_names(images)]
    _spare(images, targets, overwrite=overwrite)
    written: list[Path] = []
    odd: list[str] = []
    for path, target in zip(images, targets, strict=True):
        result = _translated(network, module, path, device)
        if isinstance(result, str):
            odd.append(f"{path} {result}")
            continue
        write_image(target, result, said=_mark(path))
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


def _translated(network: Translator, module: GraphModule, path: Path, device: str) -> Tensor | str:
    """The network's picture of one image, CHW on the CPU; or what is wrong with the image, to follow its name."""
    try:
        image = read_input(path, network.input, ignore=network.ignore)
        if isinstance(image, Unreadable):
            return image.reason
        height, width = image.shape[1:]
        refusal = network.sizes.refusal(height, width)
        if refusal is not None:
            return refusal
        padded = network.sizes.padded(image[None].to(device))
        with evaluating(module):
            result_BCHW = module(padded)
        # A generator may enlarge (super-resolution) or shrink: what was added is cut in proportion.
        kept = (
            -(-side * made // taken)
            for side, made, taken in zip((height, width), result_BCHW.shape[2:], padded.shape[2:], strict=True)
        )
        rows, columns = kept
        result: Tensor = result_BCHW[0, :, :rows, :columns].cpu()
        return result
    except CatError as error:
        return f"cannot be used: {'; '.join(diagnostic.message for diagnostic in error.diagnostics)}"
    except (RuntimeError, MemoryError) as error:
        if not of_memory(error):
            raise
        return f"is too large for the memory of {device}: {first_line(error)}"


def _spare(images: Sequence[Path], targets: Sequence[Path], *, overwrite: bool) -> None:
    """Raise CatError E608 where a result would take the place of an image that is read, or of another file."""
    there = [(image, target) for image, target in zip(images, targets, strict=True) if os.path.lexists(target)]
    read = {_identity(image) for image in images if image.exists()} if there else set()
    lost: list[Path] = []
    for image, target in there:
        if target.exists() and _identity(target) in read:
            raise CatError.one(
                "E608", f"{target} is one of the images that are read", help="choose another folder with -o"
            )
        if not overwrite and not _made_before(target, image):
            lost.append(target)
    if lost:
        more = (f"and {len(lost) - _LISTED} more",) if len(lost) > _LISTED else ()
        notes = (*(str(target) for target in lost[1:_LISTED]), *more)
        raise refusal(lost[0], "`catdsl translate` has not made it of the same image", notes=notes)


def _made_before(target: Path, image: Path) -> bool:
    """Whether a file is this command's picture of an image. Raises CatError E608 where that cannot be read."""
    try:
        return target.is_file() and holds(target, f"catdsl\0{_mark(image)}".encode())
    except OSError as error:
        raise not_writable(target, error) from error


def _mark(image: Path) -> str:
    """What a picture says of its origin: not where it lies, which is nobody's business, but a digest of that."""
    return f"translate {hashlib.sha256(os.fsencode(os.path.abspath(image))).hexdigest()[:16]}"


def _identity(path: Path) -> tuple[int, int]:
    """What is equal for two names of one file."""
    found = path.stat()
    return found.st_dev, found.st_ino
