"""How images are delivered: what each side is, and how large."""

from dataclasses import dataclass
from fractions import Fraction

from catdsl.train.data.sides import Side

SAME_SIZE = (Fraction(1), Fraction(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFormat:
    """`size` (height, width) is the input's; the target's is `scale` times that, along each side."""

    size: tuple[int, int]
    scale: tuple[Fraction, Fraction]
    source: Side
    target: Side

    @property
    def target_size(self) -> tuple[int, int]:
        return scaled(self.size, self.scale)

    @property
    def input_channels(self) -> int:
        return self.source.channels

    @property
    def target_channels(self) -> int:
        return self.target.channels

    @property
    def source_bytes(self) -> int:
        """Of one decoded input."""
        return self.size[0] * self.size[1] * self.source.bytes_per_pixel

    @property
    def target_bytes(self) -> int:
        """Of one decoded target."""
        return self.target_size[0] * self.target_size[1] * self.target.bytes_per_pixel

    def misfit(self, source: tuple[int, ...], target: tuple[int, ...]) -> str | None:
        """Why two images of these heights and widths do not show one scene, or None where they do.

        A pair for super-resolution may come in the two sizes, or twice in the large one.
        """
        height, width = source[:2]
        enlarged = (height * self.scale[0], width * self.scale[1])
        if target[:2] in ((height, width), enlarged):
            return None
        others = f"; {by(source)} or {'x'.join(map(str, enlarged))} would fit" if self.scale != SAME_SIZE else ""
        return f"is {by(source)}, but its partner is {by(target)} (height x width){others}"


def scaled(size: tuple[int, int], scale: tuple[Fraction, Fraction]) -> tuple[int, int]:
    """Height and width times their factors, which must come out whole."""
    height, width = (int(side * times) for side, times in zip(size, scale, strict=True))
    return height, width


def by(size: tuple[int, ...]) -> str:
    """Height and width for a message."""
    return f"{size[0]}x{size[1]}"
