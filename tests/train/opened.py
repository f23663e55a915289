"""Data folders opened as colour images on either side, unless a test says otherwise."""

from pathlib import Path
from typing import Any

from catdsl.semantics.settings import DataSettings
from catdsl.train.data.opening import ImageData, open_images
from catdsl.train.data.sides import Side

COLOUR = Side(3)


def opened(
    folder: Path, settings: DataSettings, *, size: tuple[int, int], source: Side = COLOUR, target: Side = COLOUR,
    **more: Any,
) -> ImageData:  # fmt: skip
    return open_images(folder, settings, size=size, source=source, target=target, **more)
