"""One scene: a landscape with houses and trees, by day or by night, as label map and photograph.

What the label map leaves out must be inferred: the colour of the light from how high the sun
stands, bright and dark sides and cast shadows from where it stands, bricks and tiles from the
distance to the edges of their wall.
"""

import math

import numpy as np
import numpy.typing as npt

from catdsl.train.data.scene_canvas import Canvas, Field, Light, ellipse
from catdsl.train.data.scene_houses import house
from catdsl.train.data.scene_things import Thing, tree

_SENSOR_NOISE = 0.010


def draw_scene(
    size: tuple[int, int], numbers: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Label map and photograph, both height x width x 3, 0 to 255, all drawn from `numbers`."""
    canvas = Canvas(size)
    day = numbers.random() < 0.7
    height = numbers.uniform(0.07, 0.34)
    light = Light(x=numbers.uniform(0.1, 0.9) * canvas.aspect, y=height, low=(height - 0.07) / 0.27, day=day)
    horizon = numbers.uniform(0.50, 0.62)
    _sky(canvas, light, horizon, numbers)
    _hills(canvas, light, horizon, numbers)
    _ground(canvas, light, horizon, numbers)
    things = _things(canvas, light, horizon, numbers)
    for thing in things:
        thing.shadow()
    for thing in things:
        thing.draw()
    return canvas.finish(numbers.normal(0, _SENSOR_NOISE, size).astype(np.float32))


def _things(canvas: Canvas, light: Light, horizon: float, numbers: np.random.Generator) -> list[Thing]:
    """Houses in places of their own, trees anywhere; from back to front."""
    count = max(1, round(canvas.aspect * numbers.choice((1, 2, 2))))
    places = (np.arange(count) + numbers.uniform(0.3, 0.7, count)) * canvas.aspect / count
    things = [house(canvas, light, horizon, float(x), numbers) for x in places]
    trees = round(canvas.aspect * numbers.integers(1, 5))
    things += [tree(canvas, light, horizon, numbers) for _ in range(trees)]
    return sorted(things, key=lambda thing: thing.foot)


def _sky(canvas: Canvas, light: Light, horizon: float, numbers: np.random.Generator) -> None:
    zenith, rim = _sky_colours(light)

    def sky(x: Field, y: Field) -> Field:
        t = np.clip(y / horizon, 0, 1)[..., None]
        glow = np.exp(-np.hypot(x - light.x, y - light.y) / 0.16)[..., None]
        warm = np.asarray((0.40, 0.26, 0.08) if light.day else (0.16, 0.18, 0.26), np.float32)
        return zenith * (1 - t) + rim * t + warm * glow

    everything = (0.0, 0.0, canvas.aspect, 1.0)
    canvas.paint(everything, "sky" if light.day else "night", sky)
    _disc(canvas, light)
    for _ in range(int(numbers.integers(0, 4))):
        _cloud(canvas, light, numbers)


def _sky_colours(light: Light) -> tuple[Field, Field]:
    """At the top and at the horizon."""
    if not light.day:
        return np.asarray((0.04, 0.06, 0.20), np.float32), np.asarray((0.20, 0.24, 0.46), np.float32)
    noon = np.asarray(((0.25, 0.50, 0.86), (0.74, 0.87, 0.96)), np.float32)
    evening = np.asarray(((0.34, 0.40, 0.66), (0.97, 0.68, 0.46)), np.float32)
    zenith, rim = noon * (1 - light.low) + evening * light.low
    return zenith, rim


def _disc(canvas: Canvas, light: Light) -> None:
    """Sun or moon."""
    radius = 0.075 if light.day else 0.065
    box = (light.x - radius, light.y - radius, light.x + radius, light.y + radius)

    def sun(x: Field, y: Field) -> Field:
        edge = (np.hypot(x - light.x, y - light.y) / radius)[..., None]
        return np.asarray((1.0, 0.98, 0.85), np.float32) - edge**2 * np.asarray((0, 0.12, 0.35), np.float32)

    def moon(x: Field, y: Field) -> Field:
        u, v = (x - light.x) / radius, (y - light.y) / radius
        craters = ((-0.35, -0.25, 0.28), (0.3, 0.2, 0.34), (-0.1, 0.55, 0.2))
        dark = np.sum([np.exp(-((u - a) ** 2 + (v - b) ** 2) / r**2) for a, b, r in craters], axis=0)
        return np.asarray((0.93, 0.93, 0.88), np.float32) * (1 - 0.25 * dark)[..., None]

    inside = ellipse(light.x, light.y, radius, radius)
    canvas.paint(box, "sun" if light.day else "moon", sun if light.day else moon, inside)


def _cloud(canvas: Canvas, light: Light, numbers: np.random.Generator) -> None:
    """Three puffs, lit from the sun's side, grey below; never before the sun, which must be seen."""
    x0, y0 = numbers.uniform(0, canvas.aspect), numbers.uniform(0.08, 0.36)
    width = numbers.uniform(0.10, 0.17)
    if abs(x0 - light.x) < 1.4 * width + 0.07:
        return
    puffs = ((-0.75, 0.15, 0.6), (0.0, 0.0, 0.8), (0.75, 0.2, 0.55))
    discs = [ellipse(x0 + a * width, y0 + b * width, r * width, 0.6 * r * width) for a, b, r in puffs]

    def colour(x: Field, y: Field) -> Field:
        below = np.clip((y - y0) / (0.5 * width) * 0.5 + 0.5, 0, 1)
        toward = np.sign(light.x - x0) * (x - x0) / (1.5 * width)
        amount = np.clip(0.97 - 0.25 * below + 0.08 * toward, 0, 1)
        return light.on((1.0, 1.0, 1.0), amount)

    box = (x0 - 1.5 * width, y0 - 0.6 * width, x0 + 1.5 * width, y0 + 0.55 * width)
    canvas.paint(box, "cloud", colour, lambda x, y: np.logical_or.reduce([disc(x, y) for disc in discs]))


def _hills(canvas: Canvas, light: Light, horizon: float, numbers: np.random.Generator) -> None:
    phases, base = numbers.uniform(0, 2 * math.pi, 2), numbers.uniform(0.04, 0.13)

    def ridge(x: Field) -> Field:
        wave = 0.6 * np.sin(4.1 * x + phases[0]) + 0.4 * np.sin(9.3 * x + phases[1])
        return horizon - base * (1 + 0.55 * wave)

    def colour(x: Field, y: Field) -> Field:
        haze = np.clip((y - ridge(x)) / 0.14, 0, 1)[..., None]
        far, near = np.asarray((0.38, 0.50, 0.60), np.float32), np.asarray((0.60, 0.70, 0.72), np.float32)
        return light.on(far * (1 - haze) + near * haze, 0.92 - 0.12 * np.abs(light.side(x)))

    box = (0.0, horizon - 0.28, canvas.aspect, horizon + 0.01)
    canvas.paint(box, "hill", colour, lambda x, y: y > ridge(x))


def _ground(canvas: Canvas, light: Light, horizon: float, numbers: np.random.Generator) -> None:
    """Grass that gets darker and coarser towards us, and often a road to the horizon."""
    rows, columns = 48, max(1, round(48 * canvas.aspect))
    mottling = 1 + numbers.normal(0, 0.05, (rows, columns)).astype(np.float32)

    def grass(x: Field, y: Field) -> Field:
        depth = np.clip((y - horizon) / (1 - horizon), 0, 1)
        stripes = 1 + 0.06 * np.sin(9 * np.log(depth + 0.08))
        blade = mottling[
            np.minimum((y * rows).astype(int), rows - 1),
            np.minimum((x / canvas.aspect * columns).astype(int), columns - 1),
        ]
        far, near = np.asarray((0.62, 0.71, 0.38), np.float32), np.asarray((0.27, 0.48, 0.15), np.float32)
        colour = far * (1 - depth[..., None]) + near * depth[..., None]
        return light.on(colour, stripes * blade * (1 - 0.12 * np.abs(light.side(x))))

    canvas.paint((0.0, horizon, canvas.aspect, 1.0), "grass", grass)
    if numbers.random() < 0.7:
        _road(canvas, light, horizon, numbers)


def _road(canvas: Canvas, light: Light, horizon: float, numbers: np.random.Generator) -> None:
    far, near = numbers.uniform(0.25, 0.75, 2) * canvas.aspect

    def depth(y: Field) -> Field:
        return np.clip((y - horizon) / (1 - horizon), 0, 1)

    def across(x: Field, y: Field) -> Field:
        """-1 at the left edge of the road, 1 at the right."""
        return (x - far - (near - far) * depth(y)) / (0.012 + 0.17 * depth(y))

    def asphalt(x: Field, y: Field) -> Field:
        u, d = np.abs(across(x, y)), depth(y)
        paint = ((u < 0.06) & (np.sin(14 * np.sqrt(d)) > 0)) | ((u > 0.86) & (u < 0.93))
        grey = np.where(paint, 0.92, 0.50 - 0.12 * d + 0.03 * np.cos(6 * u))
        return light.on(np.repeat(grey[..., None], 3, axis=-1).astype(np.float32), 1.0)

    box = (0.0, horizon, canvas.aspect, 1.0)
    canvas.paint(box, "road", asphalt, lambda x, y: np.abs(across(x, y)) < 1)
