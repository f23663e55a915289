"""The forms that `bench` times a network in: eager, compiled, and as ONNX in onnxruntime."""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, cast, get_args

import torch
from torch import Tensor

from catdsl.backend.compilers import of_a_compiler
from catdsl.backend.weights import state_of
from catdsl.diagnostics import CatError, first_line
from catdsl.evaluate.resident import resident_growth
from catdsl.evaluate.speed import forward_call
from catdsl.export.network import Network, network_of, rewritten_network
from catdsl.export.onnx_file import onnx_session, write_onnx
from catdsl.ir.graph import Graph
from catdsl.jobs.bench_networks import BenchNetwork
from catdsl.jobs.export import FORMATS
from catdsl.semantics.settings import PrecisionName

Form = Literal["eager", "compiled", "onnxruntime"]
FORMS: tuple[Form, ...] = get_args(Form)


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """What all forms have in common: images of each input, B x C x H x W on the device, and the precision."""

    images: Sequence[Tensor]
    _: KW_ONLY
    precision: PrecisionName

    @property
    def device(self) -> str:
        return str(self.images[0].device)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A pass of a network in some form, what it gave when it was tried, and the graph that it computes.

    `accounted` says whether torch allocates what it takes, so that its memory can be measured to the
    byte; otherwise `resident` are the bytes that the process took in the first pass, where it is known.
    """

    call: Callable[[], object]
    result_BCHW: Tensor
    graph: Graph
    accounted: bool
    resident: int | None = None


class Unavailable(Exception):
    """A form that cannot be had here, or not for this network; the message says why."""


def prepare(form: Form, network: BenchNetwork, conditions: Conditions) -> Prepared:
    """A network that is ready to be timed in a form, after its first pass. Raises Unavailable.

    The module is in evaluation mode on the device; gradients are off.
    """
    return _PREPARE[form](network, conditions)


def _eager(network: BenchNetwork, conditions: Conditions) -> Prepared:
    call = forward_call(network.module, conditions.images, conditions.precision)
    return Prepared(call, as_float(call()), network.graph, accounted=True)


def _compiled(network: BenchNetwork, conditions: Conditions) -> Prepared:
    try:
        compiled = torch.compile(network.module, dynamic=False)
        call = forward_call(compiled, conditions.images, conditions.precision)
        return Prepared(call, as_float(call()), network.graph, accounted=True)
    except RuntimeError as error:
        if of_a_compiler(error):
            raise Unavailable(f"torch.compile failed: {first_line(error)}") from error
        raise


def _onnxruntime(network: BenchNetwork, conditions: Conditions) -> Prepared:
    if conditions.images[0].device.type != "cpu":
        raise Unavailable("it is timed on the processor only")
    if conditions.precision != "fp32":
        raise Unavailable("it is timed in fp32 only")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        try:
            exported = _exported(network)
            write_onnx(exported, path, half=False)
        except CatError as error:
            raise Unavailable(error.diagnostics[0].message) from error
        session = onnx_session(path)
    names = [value.name for value in session.get_inputs()]
    given = dict(zip(names, (x_BCHW.contiguous().numpy() for x_BCHW in conditions.images), strict=True))

    results: list[Any] = []

    def call() -> object:
        results[:] = session.run(None, given)
        return results

    resident = resident_growth(call)
    return Prepared(call, torch.from_numpy(results[0]), exported.graph, accounted=False, resident=resident)


_PREPARE: dict[Form, Callable[[BenchNetwork, Conditions], Prepared]] = {
    "eager": _eager, "compiled": _compiled, "onnxruntime": _onnxruntime,
}  # fmt: skip


def _exported(network: BenchNetwork) -> Network:
    """The network as it is exported; a deployed one with what `export` does to ONNX besides."""
    tensors = {name: value.contiguous() for name, value in state_of(network.module).items()}
    exported = network_of(network.graph, tensors, facts={}, source=network.name)
    return rewritten_network(exported, FORMATS[".onnx"].native_pipelines if network.deployed else ())


def parse_forms(text: str) -> tuple[Form, ...]:
    """The forms of a list such as `eager,onnxruntime`, each once. Raises CatError E607 for another word."""
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    unknown = [word for word in words if word not in FORMS]
    if unknown or not words:
        said = f"`{unknown[0]}` is no form" if unknown else "no form is given"
        raise CatError.one(
            "E607", f"{said} that a network can be timed in", help=f"give some of {', '.join(FORMS)}"
        )  # fmt: skip
    return cast("tuple[Form, ...]", words)


def as_float(made: object) -> Tensor:
    """What a pass gave, for comparisons: float32 on the processor."""
    assert isinstance(made, Tensor)
    return made.detach().float().cpu()
