"""Tensors of a checkpoint from elsewhere, read without running code and within limits.

A `.pth` or `.pt` file is what torch.save writes: a pickle, of which only tensors in dictionaries are taken,
and their bytes. Names are bounded, since finding out what network they mean takes time that grows with them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from catdsl.acceptance import NOBODY, STRICT, Acceptance, Owner
from catdsl.backend.torch_file import load_torch_file
from catdsl.backend.weights import read_weights
from catdsl.diagnostics import CatError
from catdsl.reading import Door

DOOR = Door(
    "checkpoint", "E605", "weights", help="save `generator.state_dict()`, with torch.save as .pth or with safetensors"
)

_SAFETENSORS = ".safetensors"
_DEEPEST = 4
_MOST_VALUES = 100_000
_MOST_TENSORS = 10_000
_LONGEST_NAME = 300
_MOST_PARTS = 24
_LARGEST_PICKLE = 4_000_000


def read_foreign(path: Path, wanted: Owner = NOBODY, acceptance: Acceptance = STRICT) -> dict[str, Tensor]:
    """Tensors by their dotted names; `wanted` is the network that a .safetensors file should be for.

    Raises CatError E605 for what is no such file, or beyond a limit.
    """
    tensors = read_weights(path, wanted, acceptance)[0] if path.suffix == _SAFETENSORS else _unpickled(path)
    if not tensors:
        raise CatError.one("E605", f"{path} holds no state_dict", help="save `generator.state_dict()`")
    _check_names(path, tensors)
    return tensors


def _unpickled(path: Path) -> dict[str, Tensor]:
    problem = "is no checkpoint of tensors alone, and others may run code"
    held = load_torch_file(path, DOOR, problem=problem, largest_pickle=_LARGEST_PICKLE)
    tensors: dict[str, Tensor] = {}
    for number, (name, value) in enumerate(_values(path, held)):
        if number >= _MOST_VALUES:
            raise DOOR.refuse(path, f"holds more than {_MOST_VALUES:,} values in its dictionaries")
        if isinstance(value, Tensor):
            tensors[name] = value
        _check_count(path, tensors)
    return tensors


def _values(path: Path, held: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """All values of a state_dict, or of dictionaries of them such as {"state_dict": ...}, under dotted names.

    One value can stand in many places: whoever takes values has to stop. Raises CatError E605 for a long name.
    """
    if not isinstance(held, Mapping) or depth > _DEEPEST:
        return
    for key, value in held.items():
        # Others are no names, and to write them down may take long.
        if isinstance(key, str) and len(key) > _LONGEST_NAME:
            if isinstance(value, Tensor | Mapping):
                _check_name(path, key)
            continue
        name = f"{prefix}{key}" if isinstance(key, str | int) and len(prefix) <= _LONGEST_NAME else prefix
        yield name, value
        yield from _values(path, value, f"{name}.", depth + 1)


def _check_names(path: Path, tensors: Mapping[str, Tensor]) -> None:
    _check_count(path, tensors)
    for name in tensors:
        _check_name(path, name)


def _check_count(path: Path, tensors: Mapping[str, Tensor]) -> None:
    if len(tensors) > _MOST_TENSORS:
        raise DOOR.refuse(
            path, f"holds more than {_MOST_TENSORS:,} tensors, and networks that can be imported have fewer"
        )


def _check_name(path: Path, name: str) -> None:
    if len(name) > _LONGEST_NAME or name.count(".") >= _MOST_PARTS:
        raise DOOR.refuse(
            path, f"has a name of {len(name):,} characters in {name.count('.') + 1:,} parts, which no network has: "
            f"{name[:40]}..."
        )  # fmt: skip
