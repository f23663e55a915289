"""Houses of a scene: a front wall with a gable, and a side wall under the slope of the roof."""

from dataclasses import dataclass

import numpy as np

from catdsl.train.data.scene_canvas import Box, Canvas, Colour, Field, Light, Mask
from catdsl.train.data.scene_things import Thing, cast_shadow

_WALLS: dict[str, Colour] = {"brick": (0.66, 0.33, 0.26), "plaster": (0.90, 0.83, 0.70)}


def house(canvas: Canvas, light: Light, horizon: float, x0: float, numbers: np.random.Generator) -> Thing:
    """A house whose front is centred at `x0`, somewhere below the horizon."""
    foot = numbers.uniform(horizon + 0.08, 0.88)
    width = 0.12 + 0.36 * (foot - horizon)
    away = 1.0 if x0 < canvas.aspect / 2 else -1.0
    built = _House(light, x0, foot, width, away, str(numbers.choice(tuple(_WALLS))))
    shadow_size = {"half": 0.75 * width, "length": 1.1 * width}
    return Thing(
        foot,
        lambda: cast_shadow(canvas, light, horizon, x0, foot, **shadow_size),
        lambda: built.draw(canvas),
    )


@dataclass(frozen=True, slots=True)
class _House:
    """`away` is 1 where the side wall lies to the right of the front, -1 where to the left."""

    light: Light
    x0: float
    foot: float
    width: float
    away: float
    material: str

    @property
    def wall(self) -> float:
        return 0.85 * self.width

    @property
    def rise(self) -> float:
        return 0.5 * self.width

    @property
    def depth(self) -> float:
        return 1.15 * self.width

    @property
    def corner(self) -> float:
        return self.x0 + self.away * self.width / 2

    @property
    def eaves(self) -> float:
        return self.foot - self.wall

    def draw(self, canvas: Canvas) -> None:
        x0, foot, width, depth, eaves = self.x0, self.foot, self.width, self.depth, self.eaves
        ridge = eaves - self.rise
        left, right = sorted((self.corner - self.away * width, self.corner + self.away * 1.1 * depth))
        side, gable = self.material + " side", (x0 - width / 2, ridge, x0 + width / 2, eaves)
        canvas.paint((left, eaves, right, foot), side, self._side_wall, self._inside_side)
        canvas.paint((left, ridge, right, eaves + 0.03 * width), "roof", self._roof, self._inside_roof)
        canvas.paint((x0 - width / 2, eaves, x0 + width / 2, foot), self.material, self._front)
        canvas.paint(gable, self.material, self._front, self._inside_gable)
        _door(canvas, self.light, (x0 - 0.13 * width, foot - 0.45 * width, x0 + 0.13 * width, foot))
        for x in (x0 - 0.3 * width, x0 + 0.3 * width):
            _window(canvas, self.light, x, eaves + 0.2 * width, 0.11 * width)
        middle = self.corner + self.away * 0.5 * depth
        for x in (middle - 0.24 * depth, middle + 0.24 * depth):
            _window(canvas, self.light, x, foot - 0.5 * self.wall, 0.12 * width)

    def _along(self, x: Field) -> Field:
        """0 at the corner between the walls, 1 at the far end of the side wall."""
        return (x - self.corner) * self.away / self.depth

    def _toward_light(self) -> Field:
        """1 where the side wall faces the light fully, -1 where it faces away."""
        return self.light.side(self.x0) * self.away

    def _bricks(self, u: Field, v: Field) -> Field:
        """Joints of a brick wall, u along it and v up it, both in units of the house's width."""
        if self.material != "brick":
            return np.ones_like(u)
        row = np.floor(v * 9)
        joint = (np.mod(v * 9, 1) < 0.22) | (np.mod(u * 5 + 0.5 * np.mod(row, 2), 1) < 0.10)
        return np.where(joint, 1.28, 1.0).astype(np.float32)

    def _front(self, x: Field, y: Field) -> Field:
        u, v = (x - self.x0) / self.width, (self.foot - y) / self.width
        amount = 0.92 + 0.22 * self.light.side(self.x0) * u - 0.14 * np.exp(-v / 0.12)
        return self.light.on(_WALLS[self.material], amount * self._bricks(u, v))

    def _side_wall(self, x: Field, y: Field) -> Field:
        amount = 0.66 + 0.34 * self._toward_light() - 0.08 * self._along(x)
        bricks = self._bricks(self._along(x) * 1.15, (self.foot - y) / self.width)
        return self.light.on(_WALLS[self.material], amount * bricks)

    def _roof(self, x: Field, y: Field) -> Field:
        down = (y - (self.eaves - self.rise)) / self.rise
        tiles = np.where(np.mod(down * 6, 1) < 0.3, 0.8, 1.0)
        return self.light.on((0.50, 0.25, 0.18), (0.80 + 0.28 * self._toward_light()) * tiles * (1.05 - 0.15 * down))

    def _inside_side(self, x: Field, y: Field) -> Mask:
        along = self._along(x)
        lift = 0.10 * self.wall * along
        return (along >= 0) & (along <= 1) & (y < self.foot - lift) & (y >= self.eaves + 0.3 * lift)

    def _inside_roof(self, x: Field, y: Field) -> Mask:
        slope = self._along(x) - 0.43 * (y - self.eaves) / self.rise
        below = y > self.eaves - self.rise
        return (y < self.eaves + 0.03 * self.width) & below & (slope > 0) & (slope < 1.03)

    def _inside_gable(self, x: Field, y: Field) -> Mask:
        return np.abs(x - self.x0) < 0.5 * self.width * (y - (self.eaves - self.rise)) / self.rise


def _door(canvas: Canvas, light: Light, box: Box) -> None:
    left, top, right, _ = box

    def wood(x: Field, y: Field) -> Field:
        u = (x - left) / (right - left)
        frame = (np.abs(u - 0.5) > 0.36) | (y - top < 0.14 * (right - left))
        panel = np.where(frame, 1.0, 0.72)
        return light.on((0.46, 0.30, 0.16), panel * (0.9 + 0.2 * light.side(left) * (u - 0.5)))

    canvas.paint(box, "door", wood)


def _window(canvas: Canvas, light: Light, x0: float, y0: float, half: float) -> None:
    """A light frame around glass that mirrors the sky by day, with a glint, and glows by night."""
    box = (x0 - half, y0 - half, x0 + half, y0 + half)

    def glass(x: Field, y: Field) -> Field:
        u, v = (x - x0) / half, (y - y0) / half
        frame = (np.maximum(np.abs(u), np.abs(v)) > 0.74) | (np.abs(u) < 0.1)
        toward = u * np.where(light.x > x0, 1.0, -1.0)
        glint = np.exp(-(((toward - v - 0.5) / 0.35) ** 2))[..., None]
        pane = np.asarray((0.22, 0.34, 0.46), np.float32) * (1 - 0.3 * v[..., None]) + 0.55 * glint
        lamp = np.asarray((1.0, 0.80, 0.36), np.float32) * (1.0 - 0.18 * v[..., None])
        return np.where(frame[..., None], light.on((0.94, 0.93, 0.90), 1.0), pane if light.day else lamp)

    canvas.paint(box, "window", glass)
