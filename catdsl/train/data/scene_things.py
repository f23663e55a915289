"""What stands on the ground of a scene, and the shadow that it casts: trees and the common parts."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from catdsl.train.data.scene_canvas import Canvas, Field, Light, Mask, ellipse


@dataclass(frozen=True, slots=True)
class Thing:
    """Something with its `foot` on the ground: what has a greater `foot` is nearer, and drawn later."""

    foot: float
    shadow: Callable[[], None]
    draw: Callable[[], None]


def tree(canvas: Canvas, light: Light, horizon: float, numbers: np.random.Generator) -> Thing:
    """A tree with a round crown or a conifer, somewhere below the horizon."""
    x0 = numbers.uniform(0.05, 0.95) * canvas.aspect
    foot = numbers.uniform(horizon + 0.04, 0.93)
    size = 0.11 + 0.30 * (foot - horizon)
    conifer = numbers.random() < 0.4
    leaves = 1 + numbers.normal(0, 0.08, (24, 24)).astype(np.float32)
    trunk_top = foot - (0.35 if conifer else 0.75) * size

    def bark(x: Field, y: Field) -> Field:
        return light.on((0.40, 0.27, 0.16), 0.8 + 0.35 * (x - x0) / (0.09 * size) * light.side(x0))

    def crown(x: Field, y: Field) -> Field:
        u, v = (x - x0) / size, (y - (foot - 1.3 * size)) / size
        lit = 0.72 + 0.42 * np.clip(u * light.side(x0) - 0.7 * v, -0.8, 0.8)
        row, column = (np.clip(((w + 1.2) * 10).astype(int), 0, 23) for w in (v, u))
        boughs = 1 + (0.12 * np.sin(22 * v) if conifer else 0.0)
        return light.on((0.13, 0.36, 0.20) if conifer else (0.34, 0.54, 0.15), lit * leaves[row, column] * boughs)

    def inside_crown(x: Field, y: Field) -> Mask:
        if conifer:
            down = (y - (foot - 2.1 * size)) / (1.8 * size)
            steps = 0.75 * down + 0.25 * np.mod(3 * down, 1) * (down > 0.15)
            return (down > 0) & (down < 1) & (np.abs(x - x0) < 0.55 * size * steps)
        lobes = ((0.0, -1.45, 0.62), (-0.35, -1.1, 0.5), (0.35, -1.15, 0.5))
        return np.logical_or.reduce(
            [ellipse(x0 + a * size, foot + b * size, r * size, r * size)(x, y) for a, b, r in lobes]
        )

    def draw() -> None:
        canvas.paint((x0 - 0.09 * size, trunk_top, x0 + 0.09 * size, foot), "trunk", bark)
        box = (x0 - 0.9 * size, foot - 2.12 * size, x0 + 0.9 * size, foot)
        canvas.paint(box, "conifer" if conifer else "crown", crown, inside_crown)

    return Thing(foot, lambda: cast_shadow(canvas, light, horizon, x0, foot, 0.45 * size, 0.9 * size), draw)


def cast_shadow(
    canvas: Canvas, light: Light, horizon: float, x0: float, foot: float, half: float, length: float
) -> None:
    """Cast on the ground, away from the light; longer when the light is low."""
    away = -float(light.side(x0))
    reach = length * (0.7 + 0.8 * light.low)
    centre = x0 + 0.6 * away * reach
    inside = ellipse(centre, foot, half + 0.6 * abs(away) * reach, 0.22 * half + 0.012)

    def darker(x: Field, y: Field) -> Field:
        return np.where(inside(x, y) & (y > horizon), 0.62, 1.0).astype(np.float32)

    wide = half + reach
    canvas.shade((centre - wide, foot - 0.3 * half - 0.02, centre + wide, foot + 0.3 * half + 0.02), darker)
