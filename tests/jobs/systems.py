"""Tiny specs of the three systems, and images that they can be trained on."""

from pathlib import Path

import numpy as np
from PIL import Image

_GENERATOR = """
use inc_res from std.inception
param ngf = 8
param direction = a_to_b
style {{ norm = {norm}, bias = auto, pad = reflect, init = normal(0.02) }}
generator tiny {{
    input given: {input}
    stem = given -> conv(ngf, 3) -> norm -> relu -> conv(2 * ngf, 3, stride = 2, pad = zero) -> norm -> relu
    body = stem -> 2 * inc_res(kernels = [1, 3])
    head = body -> deconv(ngf, 3) -> norm -> relu -> dropout(0.3) -> conv(3, 3) -> tanh
    output head
}}
search  {{ floor = 2 }}
budget  {{ macs = 60% }}
data    {{ {data}, load = 18, crop = 16, holdout = 3 }}
train   {{ system = {system}, {train}, batch = 2, ndf = 4, lr = 1e-3, checkpoint_every = 3, sample_every = 7,
          ema = 0.9 }}
distill {{ taps = [stem, body[1]], similarity = {similarity} }}
evaluate {{ timing_runs = 2 }}
"""

_CASES = {
    "pix2pix": {
        "norm": "batch", "input": "image(3, 16, 16)", "data": "kind = paired", "similarity": "mse",
        "train": "discriminator_layers = 1",
    },
    "cyclegan": {
        "norm": "instance", "input": "image(3, 16, 16)", "data": "kind = unpaired, direction = direction",
        "train": "discriminator_layers = 1, pool = 5", "similarity": "ka",
    },
    "gaugan": {
        "norm": "batch", "input": "labels(4, 16, 16, edges = true)", "data": "kind = labels, ignore = 9",
        "train": "discriminator_layers = 2, perceptual = 0", "similarity": "gka",
    },
}  # fmt: skip


def write_spec(folder: Path, system: str) -> Path:
    path = folder / f"{system}.cat"
    path.write_text(_GENERATOR.format(system=system, **_CASES[system]), encoding="utf-8")
    return path


def write_images(folder: Path, system: str, *, count: int = 13) -> Path:
    """Noise in the layout of the system: what is learnt from it does not matter."""
    numbers = np.random.default_rng(0)
    for index in range(count):
        photos = numbers.integers(0, 256, (2, 20, 20, 3), dtype=np.uint8)
        name = f"{index:02d}.png"
        if system == "pix2pix":
            _save(folder / "train" / name, np.concatenate(list(photos), axis=1))
        elif system == "cyclegan":
            _save(folder / "trainA" / name, photos[0])
            # Sides of different sizes, too.
            if index % 3:
                _save(folder / "trainB" / name, photos[1])
        else:
            _save(folder / "train" / "photo" / name, photos[0])
            _save(folder / "train" / "label" / name, numbers.choice([0, 1, 2, 3, 9], (20, 20)).astype(np.uint8))
            _save(folder / "train" / "instance" / name, numbers.integers(0, 5, (20, 20)).astype(np.uint8))
    return folder


def _save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
