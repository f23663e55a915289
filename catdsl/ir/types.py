"""Tensor types: a list of segments of widths, and a height and width in pixels."""

from collections.abc import Mapping
from dataclasses import dataclass

from catdsl.diagnostics import Span
from catdsl.ir.linear import Linear


@dataclass(frozen=True, slots=True)
class Width:
    """A channel count that the search may change.

    `count` is the number of channels in this graph; students take `low`, `low + step`, ... up to
    `high` (the teacher itself may lie above). A width with a `tie` follows others and is chosen
    by nobody. `made_by_input` marks the channels of the generator's inputs.
    """

    name: str
    count: int
    low: int
    high: int
    step: int = 1
    tie: Linear | None = None
    made_by_input: bool = False
    span: Span | None = None

    @property
    def independent(self) -> bool:
        return self.tie is None and not self.made_by_input

    @property
    def searched(self) -> bool:
        """Whether a student may differ from the teacher here."""
        return self.independent and (self.low < self.high or self.high < self.count)

    @property
    def choices(self) -> int:
        """How many counts a student may take."""
        return (self.high - self.low) // self.step + 1


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive channels of one width, each `repeat` times in a row (as `pixel_shuffle` needs)."""

    width: str
    repeat: int = 1


Channels = tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class TensorType:
    """An image batch, B x channels x height x width."""

    channels: Channels
    height: int
    width: int


def total(channels: Channels, counts: Mapping[str, int]) -> int:
    """How many channels a list of segments has at the given counts."""
    return sum(counts[s.width] * s.repeat for s in channels)
