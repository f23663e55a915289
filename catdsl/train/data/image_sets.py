"""Images of one purpose: pairs that are read together, or two sides that are read apart."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from catdsl.train.data.formats import ImageFormat
from catdsl.train.data.label_maps import PackedLabels
from catdsl.train.data.layouts import OddFile
from catdsl.train.data.pixels import Pixels
from catdsl.train.data.shelves import Shelf

OneSide: TypeAlias = Pixels | PackedLabels
"""One decoded image, or one label map with its edges: height x width x channels."""

Decoded: TypeAlias = tuple[OneSide, OneSide]
"""Input and target."""

Place: TypeAlias = tuple[int, int]
"""The number of an input, and that of the target it is shown with."""


class ImageSet(ABC):
    """Verified images of one purpose at one size, in natural order."""

    format: ImageFormat

    @abstractmethod
    def __len__(self) -> int:
        """How many items there are: for two sides that are shuffled apart, as many as the larger has."""

    @property
    @abstractmethod
    def counts(self) -> tuple[int, int]:
        """How many inputs and how many targets there are."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """What each input is called, as its file is, in order."""

    @property
    @abstractmethod
    def apart(self) -> bool:
        """Whether inputs and targets show different scenes, so that nothing need be the same for both."""

    @property
    @abstractmethod
    def bytes(self) -> int:
        """What all of it takes in memory."""

    @abstractmethod
    def read_places(self, places: Sequence[Place]) -> list[Decoded]:
        """Input and target of each place. Raises CatError E602 where a file has gone since."""

    @abstractmethod
    def verified(self, *, keep: bool) -> "tuple[ImageSet, tuple[OddFile, ...]]":
        """The set with every file decoded (and kept, if `keep`), and the files that cannot be used."""

    def read(self, indices: Sequence[int]) -> list[Decoded]:
        """The items of these numbers, in natural order. Raises as `read_places`."""
        inputs, targets = self.counts
        return self.read_places([(i % inputs, i % targets) for i in indices])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TogetherImages(ImageSet):
    """Pairs: input and target of a scene, decoded together."""

    format: ImageFormat
    shelf: Shelf[Any, Decoded]

    def __len__(self) -> int:
        return len(self.shelf)

    @property
    def counts(self) -> tuple[int, int]:
        return len(self.shelf), len(self.shelf)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(entry.name for entry in self.shelf.entries)

    @property
    def apart(self) -> bool:
        return False

    @property
    def bytes(self) -> int:
        return len(self) * (self.format.source_bytes + self.format.target_bytes)

    def read_places(self, places: Sequence[Place]) -> list[Decoded]:
        assert all(i == j for i, j in places), "a pair cannot be torn"
        return self.shelf.read([i for i, _ in places])

    def verified(self, *, keep: bool) -> tuple[ImageSet, tuple[OddFile, ...]]:
        shelf, odd = self.shelf.verified(keep=keep)
        return replace(self, shelf=shelf), odd


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ApartImages(ImageSet):
    """Two sides that have nothing to do with each other; `length` is what counts as all of them."""

    format: ImageFormat
    inputs: Shelf[Path, Pixels]
    targets: Shelf[Path, Pixels]
    length: int

    def __len__(self) -> int:
        return self.length

    @property
    def counts(self) -> tuple[int, int]:
        return len(self.inputs), len(self.targets)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(path.name for path in self.inputs.entries)

    @property
    def apart(self) -> bool:
        return True

    @property
    def bytes(self) -> int:
        return len(self.inputs) * self.format.source_bytes + len(self.targets) * self.format.target_bytes

    def read_places(self, places: Sequence[Place]) -> list[Decoded]:
        inputs = self.inputs.read([i for i, _ in places])
        targets = self.targets.read([j for _, j in places])
        return list(zip(inputs, targets, strict=True))

    def verified(self, *, keep: bool) -> tuple[ImageSet, tuple[OddFile, ...]]:
        inputs, odd_inputs = self.inputs.verified(keep=keep)
        targets, odd_targets = self.targets.verified(keep=keep)
        return replace(self, inputs=inputs, targets=targets), (*odd_inputs, *odd_targets)
