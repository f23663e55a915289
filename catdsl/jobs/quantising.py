"""Int8 exports: calibration images, and what the rounding costs in L1 and in distance to real images."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from catdsl.analysis.stride import stride
from catdsl.diagnostics import CatError
from catdsl.evaluate.bootstrap import Estimate, mean_estimate
from catdsl.evaluate.distances import frechet_distance
from catdsl.evaluate.quality import compare_pairs
from catdsl.evaluate.squeezenet import SqueezeNet, load_squeezenet
from catdsl.export.network import Network
from catdsl.export.quantised import quantise, run_batches
from catdsl.jobs.inputs import input_side, read_input
from catdsl.jobs.setting import open_data
from catdsl.jobs.translate import find_images
from catdsl.project import Project
from catdsl.train.data.batches import plain_batches
from catdsl.train.data.level_check import check_bits_used
from catdsl.train.data.pixels import Unreadable

MOST_CALIBRATED = 128
"""Ranges hardly change after so many images; they are taken evenly from all."""

_BATCH = 4


@dataclass(frozen=True, slots=True)
class Int8Options:
    """Where images come from: those that ranges are taken from, and those that the cost is measured on."""

    calibration: Path
    _: KW_ONLY
    data: Path | None = None
    squeezenet: Path | None = None


@dataclass(frozen=True, slots=True)
class Distances:
    """Frechet distances in SqueezeNet's features to the real images: of the float32 network, and in int8."""

    float32: float
    int8: float


@dataclass(frozen=True, slots=True)
class Int8Cost:
    """What int8 changes: the mean absolute difference of images scaled to [0, 1], with its interval."""

    calibrated: int
    images: int
    held_out: bool
    """Whether they are the held-out images of `--data`; else those of the calibration."""
    l1: Estimate
    distances: Distances | None


def check_options(network: Network, options: Int8Options) -> SqueezeNet | None:
    """Refuse what cannot be done before anything is made. Raises CatError E602, E605, E607."""
    if len(network.graph.inputs) != 1:
        raise CatError.one(
            "E607", "only generators with one input can be calibrated with files", network.graph.inputs[1].span,
            help="export in float32, or with --half",
        )  # fmt: skip
    if options.squeezenet is not None and options.data is None:
        raise CatError.one(
            "E607", "--squeezenet-weights measures distances to real images, and no --data were given",
            help="add --data DIR",
        )  # fmt: skip
    if not options.calibration.is_dir():
        raise CatError.one(
            "E602", f"there is no folder {options.calibration} with images for the calibration", help="check the path"
        )
    find_images([options.calibration])
    return load_squeezenet(options.squeezenet) if options.squeezenet is not None else None


def export_int8(
    project: Project, network: Network, model: Path, out: Path, options: Int8Options, *,
    judge: SqueezeNet | None, say: Callable[[str], None],
) -> Int8Cost:  # fmt: skip
    """Quantise the float32 `model` into `out`, and measure what it costs. Raises CatError E602, E607, E609.

    `judge` is what `check_options` gave.
    """
    images = _calibration_images(project, network, options.calibration)
    say(f"int8     ranges from {len(images)} images of {options.calibration}")
    quantise(model, out, images, dict(network.facts))
    pairs = _held_out(project, options.data) if options.data is not None else [(x, None) for x in images]
    made, true, real = _outputs(network, out, pairs)
    values = compare_pairs(zip(made, true, strict=True))
    if not np.isfinite(values.l1_N).all():
        raise CatError.one("E609", "in int8 the network gives values that are not finite", help="use --half instead")
    distances = _distances(judge, true, made, real) if judge is not None else None
    return Int8Cost(len(images), len(values.l1_N), options.data is not None, mean_estimate(values.l1_N), distances)


def _calibration_images(project: Project, network: Network, folder: Path) -> list[Tensor]:
    """As `translate` reads them: at their own size, each side brought to a multiple of the stride."""
    files = find_images([folder])
    taken = [files[i] for i in np.unique(np.linspace(0, len(files) - 1, MOST_CALIBRATED).round().astype(int))]
    side, step = input_side(network.graph, project.settings.data), stride(network.graph)
    if side.labels is None:
        check_bits_used(taken, side.levels)
    images: list[Tensor] = []
    for path in taken:
        image = read_input(path, side, ignore=project.settings.data.ignore)
        if isinstance(image, Unreadable):
            raise CatError.one(
                "E602", f"{path} cannot be used for calibration: it {image.reason}", help="give images like the input's"
            )
        height, width = image.shape[1:]
        images.append(F.pad(image[None], (0, -width % step, 0, -height % step), mode="replicate"))
    return images


def _held_out(project: Project, folder: Path) -> list[tuple[Tensor, Tensor | None]]:
    data, place = open_data(project, folder, as_shown=True)
    if not len(data.validation):
        raise CatError.one(
            "E601", f"no images of {place} are held out, so that the cost of int8 cannot be measured",
            help="set holdout in data { }, or leave out --data",
        )  # fmt: skip
    return [(b.input_BCHW, b.target_BCHW) for b in plain_batches(data.validation, batch=_BATCH)]


def _outputs(
    network: Network, model: Path, pairs: Sequence[tuple[Tensor, Tensor | None]]
) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Batches in int8, in float32, and the real images."""
    made = list(run_batches(model, (given for given, _ in pairs)))
    with torch.no_grad():
        true = [network.module(given) for given, _ in pairs]
    return made, true, [target for _, target in pairs if target is not None]


def _distances(
    judge: SqueezeNet, true: Sequence[Tensor], made: Sequence[Tensor], real: Sequence[Tensor]
) -> Distances | None:
    """None where there are fewer than two images, of which no spread is known."""
    sets = [np.concatenate(list(_features(judge, batches))) for batches in (real, true, made)]
    if len(sets[0]) < 2:
        return None
    return Distances(frechet_distance(sets[1], sets[0]), frechet_distance(sets[2], sets[0]))


def _features(judge: SqueezeNet, batches: Sequence[Tensor]) -> Iterator[np.ndarray]:
    for x_BCHW in batches:
        levels = ((x_BCHW.clamp(-1, 1) + 1) * 127.5).round().byte()
        with torch.no_grad():
            features, _ = judge(levels.expand(-1, 3, -1, -1) if levels.shape[1] == 1 else levels)
        yield features.double().numpy()
