"""How good a run's teacher and student are on held-out images, beside what costs nothing.

    python -m benchmarks.systems runs/camvid --data DIR --squeezenet FILE

For every way to answer: the kernel distance (KD; smaller is better) of its images to the real held-out
ones in the features of a SqueezeNet, scaled so that those of real images have a mean square of 1; L1
where there are targets; and the share that the SqueezeNet calls a zebra. `real` is half of the held-out
images against the other half: how small the distance gets. With few images it has a spread, given as
the standard deviation over halves of the images, which is that of the whole over other images.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from catdsl.evaluate.distances import kernel_distance, kernel_distances
from catdsl.evaluate.halves import draw_halves
from catdsl.evaluate.squeezenet import ZEBRA, SqueezeNet, load_squeezenet
from catdsl.jobs.run_folder import WEIGHTS, existing_run
from catdsl.jobs.setting import open_data
from catdsl.jobs.translate import translator
from catdsl.train.data.batches import plain_batches
from catdsl.train.data.opening import ImageData
from catdsl.train.modes import evaluating

DRAWS = 200


def answers(run: Path, data: ImageData, *, unpaired: bool) -> Iterator[tuple[str, Tensor]]:
    """Every way to answer, by name, with its images."""
    batches = list(plain_batches(data.validation, batch=8))
    inputs = torch.cat([b.input_BCHW for b in batches])
    for name in ("teacher", "student"):
        if (existing_run(run).path / name / WEIGHTS).exists():
            network = translator(run, None, {}, teacher=name == "teacher").module
            with evaluating(network):
                yield name, torch.cat([network(b.input_BCHW) for b in batches])
    if inputs.shape[1] == 3:
        yield "input", inputs
    if unpaired:
        return
    targets = (to_float(t) for i in range(len(data.train)) for _, t in data.train.read([i]))
    mean = torch.stack(list(targets)).mean(0, keepdim=True)
    size = batches[0].target_BCHW.shape[2:]
    mean = torch.nn.functional.interpolate(mean, size, mode="bicubic", align_corners=False).clamp(-1, 1)
    yield "mean image", mean.expand(len(inputs), -1, -1, -1)
    if inputs.shape[1] > 3:
        yield "mean colour of each class", class_colours(data, inputs)


def class_colours(data: ImageData, inputs_BNHW: Tensor) -> Tensor:
    """Each pixel as the mean colour of its class in the training images."""
    total, count = torch.zeros(inputs_BNHW.shape[1], 3), torch.zeros(inputs_BNHW.shape[1], 1)
    for batch in plain_batches(data.train, batch=8):
        total += torch.einsum("bnhw,bchw->nc", batch.input_BCHW, batch.target_BCHW)
        count += batch.input_BCHW.sum((0, 2, 3)).unsqueeze(1)
    return torch.einsum("bnhw,nc->bchw", inputs_BNHW, total / count.clamp(min=1))


def to_float(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32)) / 127.5 - 1


@torch.no_grad()
def seen(network: SqueezeNet, images: Tensor) -> tuple[Tensor, Tensor]:
    """Features and logits of images in [-1, 1], as of the files that they would be written to."""
    levels = images.clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    features, logits = zip(*(network(part) for part in levels.split(16)), strict=True)
    return torch.cat(features), torch.cat(logits)


def distance(x_ND: Tensor, y_MD: Tensor) -> tuple[float, float]:
    """The kernel distance, and its standard deviation over other images of the same origin."""
    x, y = (features.double().numpy() for features in (x_ND, y_MD))
    counts = len(x), len(y)
    halves = draw_halves(counts, draws=DRAWS, seed=0)
    return kernel_distance(x, y), float(np.std(kernel_distances(x, y, *halves.taken(counts))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--squeezenet", type=Path, required=True)
    args = parser.parse_args()
    project = existing_run(args.run).project()
    data, _ = open_data(project, args.data)
    network = load_squeezenet(args.squeezenet)
    unpaired = project.settings.data.kind == "unpaired"
    places = range(data.validation.counts[1])
    real = torch.stack(
        [to_float(t) for _, t in data.validation.read_places([(0 if unpaired else i, i) for i in places])]
    )
    features, logits = seen(network, real)
    scale = features.square().mean().rsqrt()
    features = features * scale
    rows = []
    for name, images in answers(args.run, data, unpaired=unpaired):
        found, classes = seen(network, images)
        found = found * scale
        between, deviation = distance(found, features)
        error = None if unpaired else float((images.clamp(-1, 1) - real).abs().mean() / 2)
        zebras = float((classes.argmax(1) == ZEBRA).float().mean())
        rows.append({"answer": name, "KD": between, "±": deviation, "L1": error, "zebras": zebras})
    halves, _ = distance(features[::2], features[1::2])
    zebras = float((logits.argmax(1) == ZEBRA).float().mean())
    rows.append({"answer": "real", "KD": halves, "±": None, "L1": 0.0, "zebras": zebras})
    for row in rows:
        print(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}, ensure_ascii=False))


if __name__ == "__main__":
    main()
