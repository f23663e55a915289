"""How many images of an evaluated run a SqueezeNet takes rather for a zebra than for a horse.

    python -m benchmarks.zebras runs/horse --squeezenet FILE

Reads the images of RUN/report. ImageNet's horse is the sorrel, class 339; zebra is class 340. `log odds`
is the mean of log p(zebra) - log p(sorrel).
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from catdsl.evaluate.squeezenet import ZEBRA, load_squeezenet
from catdsl.jobs.run_folder import existing_run
from catdsl.train.data.pixels import Unreadable, read_pixels

SORREL = 339


def pixels(path: Path) -> torch.Tensor:
    found = read_pixels(path, 3)
    assert not isinstance(found, Unreadable), found
    return torch.from_numpy(np.ascontiguousarray(found.transpose(2, 0, 1)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--squeezenet", type=Path, required=True)
    args = parser.parse_args()
    network = load_squeezenet(args.squeezenet)
    print("| images | rather a zebra | log odds |\n|---|---:|---:|")
    for name in ("input", "teacher", "student", "target"):
        folder = existing_run(args.run).report / "images" / name
        images = torch.stack([pixels(path) for path in sorted(folder.glob("*.png"))])
        with torch.no_grad():
            logits = torch.cat([network(part)[1] for part in images.split(16)])
        odds = logits[:, ZEBRA] - logits[:, SORREL]
        print(f"| {name} | {float((odds > 0).float().mean()):.0%} | {float(odds.mean()):.2f} |")


if __name__ == "__main__":
    main()
