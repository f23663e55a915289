"""A canvas that is painted twice at once: flat label colours and a shaded photograph."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.floating[Any]]
"""One number per pixel of a window."""

Mask = npt.NDArray[np.bool_]
Colour = tuple[float, float, float]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in units of the image height; y points down."""

SAMPLES = 3
"""Samples per pixel and axis: enough that slanted edges of the photograph look smooth."""

# What each thing is called and the flat colour that marks it in the label map.
LABELS: dict[str, tuple[int, int, int]] = {
    "sky": (110, 180, 245),
    "night": (25, 20, 90),
    "sun": (255, 225, 0),
    "moon": (215, 215, 255),
    "cloud": (235, 245, 250),
    "hill": (60, 110, 130),
    "grass": (120, 215, 60),
    "road": (125, 60, 125),
    "brick": (205, 60, 50),
    "brick side": (140, 30, 40),
    "plaster": (250, 195, 130),
    "plaster side": (190, 135, 80),
    "roof": (90, 40, 10),
    "door": (0, 130, 130),
    "window": (0, 255, 255),
    "trunk": (105, 75, 0),
    "crown": (0, 150, 0),
    "conifer": (0, 80, 45),
}


@dataclass(frozen=True, slots=True)
class Light:
    """Where the light comes from, its colour, and whether it is day. `low` is 1 at the horizon."""

    x: float
    y: float
    low: float
    day: bool

    @property
    def tint(self) -> Field:
        """What white becomes in it: neutral at noon, orange when low, blue by the moon."""
        noon, evening, night = (1.0, 1.0, 0.98), (1.0, 0.82, 0.62), (0.42, 0.50, 0.74)
        if not self.day:
            return np.asarray(night, np.float32)
        return np.asarray(noon, np.float32) * (1 - self.low) + np.asarray(evening, np.float32) * self.low

    def side(self, x: Field | float) -> Field:
        """From -1 (the light is far to the left of x) to 1 (far to the right)."""
        return np.clip((self.x - np.asarray(x, np.float32)) / 0.6, -1, 1)

    def on(self, albedo: Colour | Field, amount: Field | float) -> Field:
        """`albedo` under this light, `amount` of it per pixel."""
        return np.asarray(albedo, np.float32) * self.tint * np.asarray(amount, np.float32)[..., None]


class Canvas:
    """Height 1, width `aspect`, painted back to front."""

    def __init__(self, size: tuple[int, int]):
        self.scale = size[0] * SAMPLES
        self.aspect = size[1] / size[0]
        self._label = np.zeros((size[0] * SAMPLES, size[1] * SAMPLES, 3), np.uint8)
        self._photo = np.zeros(self._label.shape, np.float32)

    def paint(
        self,
        box: Box,
        label: str,
        colour: Callable[[Field, Field], Field],
        inside: Callable[[Field, Field], Mask] | None = None,
    ) -> None:
        """Both images within `box` (and `inside`); `colour` gives the photograph, H x W x 3, 0 to 1."""
        window = self._window(box)
        x, y = self._places(window)
        mask = np.ones(x.shape, np.bool_) if inside is None else inside(x, y)
        self._label[window][mask] = LABELS[label]
        self._photo[window][mask] = colour(x, y)[mask]

    def paint_photo(
        self, box: Box, colour: Callable[[Field, Field], Field], inside: Callable[[Field, Field], Mask]
    ) -> None:
        """Only the photograph: detail that the label map does not show."""
        window = self._window(box)
        x, y = self._places(window)
        mask = inside(x, y)
        self._photo[window][mask] = colour(x, y)[mask]

    def shade(self, box: Box, amount: Callable[[Field, Field], Field]) -> None:
        """Multiply the photograph by `amount`: shadows and mottling, which no label map shows."""
        window = self._window(box)
        x, y = self._places(window)
        self._photo[window] *= amount(x, y)[..., None]

    def finish(self, noise: Field) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        """Label map (one sample per pixel, so no mixed colours) and photograph (all samples, plus noise)."""
        middle = SAMPLES // 2
        label = self._label[middle::SAMPLES, middle::SAMPLES]
        height, width, _ = label.shape
        blocks = self._photo.reshape(height, SAMPLES, width, SAMPLES, 3)
        photo = np.clip(blocks.mean(axis=(1, 3)) + noise[..., None], 0, 1)
        return label.copy(), np.round(photo * 255).astype(np.uint8)

    def _window(self, box: Box) -> tuple[slice, slice]:
        left, top, right, bottom = (round(edge * self.scale) for edge in box)
        height, width, _ = self._label.shape
        rows = slice(min(max(top, 0), height), min(max(bottom, 0), height))
        return rows, slice(min(max(left, 0), width), min(max(right, 0), width))

    def _places(self, window: tuple[slice, slice]) -> tuple[Field, Field]:
        rows, columns = window
        y = (np.arange(rows.start, max(rows.start, rows.stop), dtype=np.float32) + 0.5) / self.scale
        x = (np.arange(columns.start, max(columns.start, columns.stop), dtype=np.float32) + 0.5) / self.scale
        grid_y, grid_x = np.meshgrid(y, x, indexing="ij")
        return grid_x, grid_y


def ellipse(x0: float, y0: float, a: float, b: float) -> Callable[[Field, Field], Mask]:
    """Inside test of an ellipse around (x0, y0) with half axes a and b."""
    return lambda x, y: ((x - x0) / a) ** 2 + ((y - y0) / b) ** 2 < 1
