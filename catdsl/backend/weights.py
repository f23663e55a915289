"""Weights of modules in safetensors files, checked against the graph that they are for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import nn
from torch.fx import GraphModule

from catdsl.acceptance import NOBODY, STRICT, Acceptance, Owner
from catdsl.backend.module import build_module
from catdsl.backend.paths import graph_name, module_path
from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph
from catdsl.ir.identity import owner_of
from catdsl.weights_file import checked, write_tensors


def save_weights(module: nn.Module, path: Path, facts: Mapping[str, Any], owner: Owner = NOBODY) -> None:
    """Write a module's state to a safetensors file, whole or not at all.

    `owner` is the network, and the run, that it is for; `facts` are JSON values beside that. Raises
    CatError E606 for values that are not finite, E608.
    """
    save_tensors(state_of(module), path, facts, owner)


def save_tensors(
    tensors: Mapping[str, torch.Tensor], path: Path, facts: Mapping[str, Any], owner: Owner = NOBODY
) -> None:
    """Write tensors by name to a safetensors file, as `save_weights` does."""
    state = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    broken = not_finite(state)
    if broken:
        raise CatError.one(
            "E606", f"weights with values that are not finite are not written to {path}, the first is {broken[0]}",
            help="the training has diverged: go on from an earlier checkpoint, with a lower `lr`",
        )  # fmt: skip
    write_tensors(path, save(state), owner, facts)


def read_weights(
    path: Path, wanted: Owner = NOBODY, acceptance: Acceptance = STRICT
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Tensors of a file, and the facts that `save_weights` put beside them.

    Raises CatError E605 where it cannot be read, is damaged, is for another network or run than is
    wanted, or holds values that are not finite.
    """
    with checked(path, wanted, acceptance) as file:
        tensors = load_file(path)
    broken = not_finite(tensors)
    if broken:
        acceptance.refuse(
            CatError.one(
                "E605", f"{len(broken)} tensors in {path} hold values that are not finite, the first is {broken[0]}",
                help="its training has diverged, or it is damaged: take another file, or go on on purpose with "
                "--accept-changes",
            )
        )  # fmt: skip
    return tensors, dict(file.facts)


def not_finite(tensors: Mapping[str, torch.Tensor]) -> list[str]:
    """Names of tensors that hold NaN or an infinity."""
    return [name for name, value in tensors.items() if value.is_floating_point() and not _finite(value)]


def _finite(values: torch.Tensor) -> bool:
    if values.element_size() == 1:
        values = values.float()
    # A sum takes a tenth of the time; one of large values may be infinite by itself.
    return bool(values.sum().isfinite()) or bool(values.isfinite().all())


def module_with_weights(
    graph: Graph, path: Path, acceptance: Acceptance = STRICT, *, run: str | None = None
) -> GraphModule:
    """The network of a graph with the weights of a file; `run` is the run that it should belong to.

    Raises CatError E605.
    """
    tensors, _ = read_weights(path, owner_of(graph, run), acceptance)
    # Not to draw initial weights that nobody sees, which takes longer than all the rest.
    with torch.device("meta"):
        module = build_module(graph)
    module.to_empty(device="cpu")
    load_weights(module, tensors, graph, source=str(path))
    return module


def state_of(module: nn.Module) -> dict[str, torch.Tensor]:
    """A module's state, by the names of the graph."""
    return {graph_name(path): value for path, value in module.state_dict().items()}


def arrays_of(module: nn.Module) -> dict[str, np.ndarray]:
    """A module's state as arrays, which passes and the search take."""
    return {name: value.detach().cpu().numpy() for name, value in state_of(module).items()}


def module_of(graph: Graph, arrays: Mapping[str, np.ndarray], *, source: str) -> GraphModule:
    """The network of a graph with weights as arrays. Raises CatError E605."""
    module = build_module(graph)
    tensors = {name: torch.from_numpy(np.asarray(value, order="C")) for name, value in arrays.items()}
    load_weights(module, tensors, graph, source=source)
    return module


def load_weights(module: nn.Module, tensors: Mapping[str, torch.Tensor], graph: Graph, *, source: str) -> None:
    """Fill a module. Raises CatError E605 that lists what is missing, unknown or of another shape."""
    wanted = state_of(module)
    missing = [n for n in wanted if n not in tensors]
    unknown = [n for n in tensors if n not in wanted]
    unequal = [
        f"{n} is {list(tensors[n].shape)}, the network has {list(wanted[n].shape)}"
        for n in wanted
        if n in tensors and tensors[n].shape != wanted[n].shape
    ]
    if not (missing or unknown or unequal):
        module.load_state_dict({module_path(name): value for name, value in tensors.items()})
        return
    kinds = (("missing", missing), ("unknown", unknown), ("of another shape", unequal))
    notes = tuple(f"{len(names)} {kind}: {_some(names)}" for kind, names in kinds if names)
    raise CatError.one(
        "E605", f"the weights in {source} are not those of {graph.kind} `{graph.name}`", graph.nodes[0].span,
        notes=notes, help="use the spec, student program and --set values that they were made with",
    )  # fmt: skip


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
