"""What tests of distances look through and at: networks with random weights, small images."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from catdsl.evaluate.squeezenet import SqueezeNet
from catdsl.evaluate.torchvision_operators import import_torchvision


def random_squeezenet(path: Path) -> Path:
    """Weights of a SqueezeNet, scaled so that activations neither vanish nor grow from layer to layer."""
    torch.manual_seed(0)
    network = SqueezeNet()
    for name, weight in network.named_parameters():
        if name.endswith("weight"):
            torch.nn.init.kaiming_normal_(weight.data)
        else:
            torch.nn.init.zeros_(weight.data)
    torch.save(network.state_dict(), path)
    return path


def random_inception(path: Path) -> Path:
    """Weights for torch-fidelity's Inception, as torch initialises its layers."""
    import_torchvision()
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Unfilled(FeatureExtractorInceptionV3):
        def load_state_dict(self, *_: Any, **__: Any) -> None:
            """Keep what torch has drawn."""

    nothing = BytesIO()
    torch.save({}, nothing)
    nothing.seek(0)
    torch.manual_seed(0)
    torch.save(Unfilled("random", ["2048"], feature_extractor_weights_path=nothing).state_dict(), path)
    return path


def write_images(folder: Path, count: int, *, seed: int, size: tuple[int, int] = (24, 32)) -> list[Path]:
    """`count` PNG files of `size` (height, width): coarse colours that are the same for equal seeds."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = np.random.default_rng(seed)
    paths = []
    for index in range(count):
        coarse = Image.fromarray(numbers.integers(0, 256, (4, 4, 3), dtype=np.uint8))
        paths.append(folder / f"{index}.png")
        coarse.resize(size[::-1], Image.Resampling.BICUBIC).save(paths[-1])
    return paths


def write_noise(folder: Path, count: int, *, seed: int, size: tuple[int, int] = (24, 32)) -> list[Path]:
    """`count` PNG files of `size` (height, width), every level drawn alone."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = np.random.default_rng(seed)
    paths = [folder / f"{index}.png" for index in range(count)]
    for path in paths:
        Image.fromarray(numbers.integers(0, 256, (*size, 3), dtype=np.uint8)).save(path)
    return paths
