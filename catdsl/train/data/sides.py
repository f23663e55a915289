"""What one side of a data set is: images of some channels, or label maps that become one-hot."""

from dataclasses import dataclass

from catdsl.train.data.label_maps import label_type
from catdsl.train.data.levels import Levels


@dataclass(frozen=True, slots=True)
class LabelMap:
    """Maps of indices below `classes`; with `edges`, one channel more shows where instances meet."""

    classes: int
    edges: bool


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

    @property
    def bytes_per_pixel(self) -> int:
        """In memory: label maps stay maps of indices until a batch is made of them."""
        if self.labels is None:
            return self.channels
        return (1 + self.labels.edges) * label_type(self.labels.classes).itemsize
