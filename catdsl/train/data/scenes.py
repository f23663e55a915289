"""The embedded data set: label-to-photo scenes drawn from a seed, so that nothing needs downloading."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from catdsl.diagnostics import CatError
from catdsl.files import cache_folder, not_writable, whole_folder, write_text
from catdsl.train.data.scene_drawing import draw_scene
from catdsl.train.seeding import numbers_for

VERSION = 1
"""Raised with every change of what is drawn, so that a cached older set is never mistaken for it."""

_MANIFEST = "scenes.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class _SceneSet:
    """All numbers that a set of scenes follows from; its manifest holds the same."""

    height: int
    width: int
    count: int
    validation: int
    seed: int
    version: int = VERSION

    @property
    def name(self) -> str:
        size, count = f"{self.height}x{self.width}", f"{self.count}+{self.validation}"
        return f"scenes-{self.version}-{size}-{count}-{self.seed}"

    @property
    def splits(self) -> tuple[tuple[str, int], ...]:
        return ("train", self.count), ("val", self.validation)

    def files(self) -> Iterator[tuple[Path, npt.NDArray[np.uint8]]]:
        """Every A|B image with its place; each depends on the seed and its own number only."""
        for split, count in self.splits:
            for index in range(count):
                label, photo = draw_scene((self.height, self.width), numbers_for(self.seed, split, index))
                yield Path(split) / f"{index + 1:04d}.png", np.concatenate((label, photo), axis=1)

    def lies_in(self, folder: Path) -> bool:
        """Whether exactly this set lies there, complete."""
        try:
            found = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        complete = all(len(list((folder / split).glob("*.png"))) == n for split, n in self.splits)
        return complete and found == asdict(self)


def default_scenes(size: tuple[int, int], *, count: int = 300, validation: int = 40, seed: int = 0) -> Path:
    """The folder of the embedded set at `size` (height, width), drawn on first use.

    It lies in the user's cache (see `cache_folder`). Raises CatError E608 where that cannot be written.
    """
    scenes = _SceneSet(height=size[0], width=size[1], count=count, validation=validation, seed=seed)
    return _write(cache_folder(scenes.name), scenes)


def write_scenes(folder: Path, *, count: int, size: tuple[int, int], seed: int, validation: int = 0) -> Path:
    """Write `count` A|B scenes to `folder/train` and `validation` more to `folder/val`, as PNG.

    A is the label map, B the photograph, each `size` (height, width). The set is drawn beside
    `folder` and renamed, so a folder with its manifest is complete; a complete set of the same
    numbers is left as it is. Returns `folder`. Raises CatError E608 where the folder cannot be
    written, or holds something else.
    """
    return _write(
        folder,
        _SceneSet(height=size[0], width=size[1], count=count, validation=validation, seed=seed),
    )


def _write(folder: Path, scenes: _SceneSet) -> Path:
    if scenes.lies_in(folder):
        return folder
    if folder.exists() and not (folder / _MANIFEST).is_file() and any(folder.iterdir()):
        raise CatError.one(
            "E608",
            f"{folder} holds something that is no set of scenes, and is not overwritten",
            help="choose another folder, or remove this one",
        )
    try:
        _draw_into(folder, scenes)
    except _AlreadyThere:
        pass
    except OSError as error:
        raise not_writable(folder, error) from error
    except CatError:
        # Another process may have put the same set there in the meantime.
        if not scenes.lies_in(folder):
            raise
    return folder


def _draw_into(folder: Path, scenes: _SceneSet) -> None:
    with whole_folder(folder) as fresh:
        for path, pixels in scenes.files():
            (fresh / path).parent.mkdir(exist_ok=True)
            Image.fromarray(pixels).save(fresh / path)
        write_text(fresh / _MANIFEST, json.dumps(asdict(scenes)) + "\n")
        # Another process may have drawn them in the meantime, and be reading them.
        if scenes.lies_in(folder):
            raise _AlreadyThere


class _AlreadyThere(Exception):
    """Nothing needs to be put there."""
