"""Weights of networks that judge images, read without running code and checked before they are used."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from catdsl.backend.torch_file import load_torch_file, load_torch_stream
from catdsl.diagnostics import CatError
from catdsl.reading import Door, opened

_LONGEST_NOTE = 200
_DIGEST_DOOR = Door("weights file", "E605", "weights")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose weights are wanted, as a message says it, and what to give instead of a wrong file."""

    network: str
    give: str

    @property
    def problem(self) -> str:
        """What is wrong with any other file."""
        return f"does not hold the weights of {self.network}"

    def error(self, source: str, *notes: str) -> CatError:
        """The error for a file, or whatever `source` is, that does not hold these weights."""
        return CatError.one(
            "E605",
            f"{source} {self.problem}",
            notes=tuple(_shortened(note) for note in notes),
            help=self.give,
        )


def read_tensors(file: Path | BinaryIO, wanted: Wanted, *, source: str) -> dict[str, Tensor]:
    """The named tensors of a checkpoint that torch has saved, on the CPU.

    `weights_only` runs no code of the file. Raises CatError E605 where it cannot be read, holds
    anything but tensors under names, or values that are not finite.
    """
    door = Door("weights file", "E605", "weights", wanted.give)
    if isinstance(file, Path):
        held = load_torch_file(file, door, problem=wanted.problem)
    else:
        held = load_torch_stream(file, door, shown=source, problem=wanted.problem)
    if not isinstance(held, Mapping) or not all(isinstance(value, Tensor) for value in held.values()):
        raise wanted.error(source, "it is no state_dict, a dictionary of names and tensors")
    broken = [name for name, value in held.items() if not torch.isfinite(value).all()]
    if broken:
        raise wanted.error(source, f"{len(broken)} tensors hold values that are not finite, the first is {broken[0]}")
    return dict(held)


@contextmanager
def fitting(wanted: Wanted, *, source: str) -> Iterator[None]:
    """Turn torch's report of weights that do not fit a module into CatError E605."""
    try:
        yield
    except RuntimeError as error:
        # The first line names torch's class; what is missing and what is too much stand in the next two.
        lines = str(error).splitlines()
        raise wanted.error(source, *(lines[1:3] or lines)) from error


def file_digest(path: Path) -> str:
    """A digest of a file's bytes."""
    with opened(path, _DIGEST_DOOR) as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()  # type: ignore[arg-type]


def _shortened(note: str) -> str:
    line = note.strip().partition("\n")[0]
    return line if len(line) <= _LONGEST_NOTE else f"{line[:_LONGEST_NOTE]}..."
