"""What a file of torch may hold: tensors, numbers and texts in containers, few enough to be walked.

Containers may hold one another many times over, and tensors share their memory, at no cost in the file.
Whoever walks what was read meets each of them at every place, so that all are counted at every place.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AnySet
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

_DEEPEST = 12
_MOST_VALUES = 1_000_000
_MOST_BITS = 4_096
"""Of a whole number: Python does not write down much larger ones."""
_MOST_TIMES = 8
"""How many times a file's bytes may be met: networks share weights, some of them at a few places."""
_FREE = 16_000_000
"""Bytes of small files that may be met however often."""


@dataclass(frozen=True, slots=True)
class _Total:
    """Levels of containers, values, and bytes of tensors and texts, each counted at every place."""

    height: int = 0
    values: int = 1
    size: int = 0


@dataclass(frozen=True, slots=True)
class _Walk:
    """Totals of containers by their place in memory; `most` is in bytes."""

    most: int
    known: dict[int, _Total] = field(default_factory=dict)

    def total(self, value: Any, depth: int = 0) -> _Total:
        """What is met at and below a value. A circle is deeper than any limit. Raises ValueError."""
        inner = _inner(value)
        if inner is None:
            return _Total(size=_size(value))
        known = self.known.get(id(value))
        if depth + (known.height if known else 1) > _DEEPEST:
            raise ValueError(f"it nests more than {_DEEPEST} deep")
        if known is None:
            known = self.known[id(value)] = self._sum(inner, depth)
        return known

    def _sum(self, inner: Iterable[Any], depth: int) -> _Total:
        height, values, size = 0, 1, 0
        for each in inner:
            part = self.total(each, depth + 1)
            height, values, size = max(height, part.height), values + part.values, size + part.size
            if values > _MOST_VALUES:
                raise ValueError(f"it holds more than {_MOST_VALUES:,} values, each counted at every place")
            if size > self.most:
                raise ValueError(f"its tensors and texts take more than {self.most:,} bytes, counted at every place")
        return _Total(height + 1, values, size)


def check_plain(held: Any, *, file_size: int) -> None:
    """Refuse what nests too deep, holds more than its file has bytes for, or is no plain tensor. Raises ValueError."""
    _Walk(_FREE + _MOST_TIMES * file_size).total(held)


def _inner(value: Any) -> Iterable[Any] | None:
    """What a container holds, names too; None of what is no container."""
    match value:
        case Mapping():
            return (each for pair in value.items() for each in pair)
        case list() | tuple() | AnySet():
            return value
    return None


def _size(value: Any) -> int:
    match value:
        case Tensor():
            return _tensor_size(value)
        case str() | bytes() | bytearray():
            return len(value)
        case int() if value.bit_length() > _MOST_BITS:
            raise ValueError(f"a number has {value.bit_length():,} bits")
    return 0


def _tensor_size(tensor: Tensor) -> int:
    if tensor.layout is not torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
        raise ValueError(f"a tensor is {tensor.layout} on {tensor.device}, and only plain ones on the CPU are read")
    size = tensor.numel() * tensor.element_size()
    # One number that is spread over a shape takes no memory until somebody computes with it.
    if size > max(tensor.untyped_storage().nbytes(), 1):
        raise ValueError(f"a tensor of shape {tuple(tensor.shape)} has less memory than that takes")
    return size
