"""Programs of torch.export from files: read without unpickling, run at the sizes that they take."""

import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.export import ExportedProgram
from torch.export.passes import move_to_device_pass

from catdsl.backend.out_of_memory import of_memory
from catdsl.backend.torch_file import UNREADABLE
from catdsl.diagnostics import CatError

# Where a file keeps what is unpickled without any check, and compiled libraries.
_CODE = ("/data/constants/opaque_obj", "/data/aotinductor/")
_GRAPHS = ("/models/", "serialized_exported_program.json")


@dataclass(frozen=True, slots=True)
class Span:
    """The sizes that an axis may have; `high` is None where there is no limit."""

    low: int
    high: int | None

    def __contains__(self, size: int) -> bool:
        return self.low <= size and (self.high is None or size <= self.high)

    def __str__(self) -> str:
        if self.high is None:
            return f"{self.low} or more"
        return str(self.low) if self.low == self.high else f"{self.low} to {self.high}"


ANY = Span(1, None)


@dataclass(frozen=True, slots=True, eq=False)
class Exported:
    """A program that takes images, batch x 3 x height x width in float32, on the device that it was opened for."""

    name: str
    network: Callable[[Tensor], object]
    batch: Span
    height: Span
    width: Span

    def __call__(self, x_BCHW: Tensor) -> object:
        """What the program gives, for a batch that it takes. Raises CatError E607 for images that it does not."""
        height, width = x_BCHW.shape[2:]
        if height not in self.height or width not in self.width:
            raise CatError.one(
                "E607",
                f"{self.name} was exported for images of height {self.height} and width {self.width}, "
                f"and these are {height}x{width}",
                help="export it for images of this size, or with dynamic_shapes for any",
            )
        return self.network(x_BCHW)


def open_exported(path: Path, device: str, *, how: str) -> Exported:
    """Read a program; `how` says how to make one. Raises CatError E605 where it is none, or takes no images."""
    _check_archive(path, how)
    try:
        with _unpickling_tensors_alone():
            program = torch.export.load(path)
        spans = _spans(program)
    except UNREADABLE as error:
        if of_memory(error):
            raise
        lines = str(error).strip().splitlines()
        raise CatError.one(
            "E605", f"{path} cannot be read as a program of torch.export by torch {torch.__version__}",
            notes=tuple(lines[:1]), help=how,
        ) from None  # fmt: skip
    if spans is None or 3 not in spans[1]:
        takes = "inputs of other kinds" if spans is None else f"{spans[1]} channels"
        raise CatError.one(
            "E605", f"{path} takes {takes}, and images have 3 channels",
            help="export a network of one input, batch x 3 x height x width in float32",
        )  # fmt: skip
    batch, _, height, width = spans
    moved = move_to_device_pass(program, device)
    return Exported(path.name, moved.module(), batch, height, width)


def _check_archive(path: Path, how: str) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            # torch finds members whatever the case of their names.
            names = [f"/{name.lower()}" for name in archive.namelist()]
    except (OSError, zipfile.BadZipFile):
        names = []
    if not any(part in name for name in names for part in _GRAPHS):
        raise CatError.one("E605", f"{path} is no program of torch.export", help=how)
    if any(part in name for name in names for part in _CODE):
        raise CatError.one(
            "E605", f"{path} holds pickled objects or compiled code, and could do anything when it is read", help=how
        )


@contextmanager
def _unpickling_tensors_alone() -> Iterator[None]:
    """torch.export.load would unpickle anything for inputs and constants; this makes torch.load refuse it."""
    wanted = {"TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "0"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _spans(program: ExportedProgram) -> tuple[Span, Span, Span, Span] | None:
    """The sizes of each axis of the one image that the program takes; None where it takes something else."""
    names = program.graph_signature.user_inputs
    taken = [node.meta["val"] for node in program.graph.nodes if node.op == "placeholder" and node.name in names]
    if len(taken) != 1 or not isinstance(taken[0], Tensor) or taken[0].dim() != 4 or taken[0].dtype != torch.float32:
        return None
    batch, channels, height, width = (_span(size, program) for size in taken[0].shape)
    return batch, channels, height, width


def _span(size: int | torch.SymInt, program: ExportedProgram) -> Span:
    if isinstance(size, int):
        return Span(size, size)
    limits = program.range_constraints.get(size.node.expr)
    if limits is None:
        return ANY
    # The upper end may be an infinity of torch's own.
    return Span(int(limits.lower), int(limits.upper) if str(limits.upper).isdigit() else None)
