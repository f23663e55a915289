"""What one side of a data set is: images of some channels, or label maps that become one-hot."""

from dataclasses import dataclass, replace

from catdsl.train.data.label_maps import label_type
from catdsl.train.data.levels import Levels


@dataclass(frozen=True, slots=True)
class LabelMap:
    """Maps of indices below `classes`; with `edges`, one channel more shows where instances meet.

    `values` are the levels that files hold, in the order of the classes; None where they are the indices.
    """

    classes: int
    edges: bool
    values: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """The images that a generator takes or makes; `labels` is None for those of grey or colour.

    `levels` are black and white of files with more than 8 bits, None where nothing is said.
    """

    channels: int
    labels: LabelMap | None = None
    levels: Levels | None = None

    def __post_init__(self) -> None:
        assert self.labels is None or self.channels == self.labels.classes + self.labels.edges

    def with_values(self, values: tuple[int, ...] | None) -> "Side":
        """The same side, read from label maps whose levels are these. What takes images stays as it is."""
        return self if self.labels is None else replace(self, labels=replace(self.labels, values=values))

    @property
    def bytes_per_pixel(self) -> int:
        """In memory: label maps stay maps of indices until a batch is made of them."""
        if self.labels is None:
            return self.channels
        return (1 + self.labels.edges) * label_type(self.labels.classes).itemsize
