"""Weights of modules in safetensors files, checked against the graph that they are for."""

import json
import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn
from torch.fx import GraphModule

from catdsl.backend.module import build_module
from catdsl.backend.paths import graph_name, module_path
from catdsl.diagnostics import CatError
from catdsl.files import write_whole
from catdsl.ir.graph import Graph

_FACTS = "catdsl"
# What torch raises, among others, for a file that is damaged or none of its own.
UNREADABLE = (
    OSError, RuntimeError, EOFError, ValueError, LookupError, TypeError, AssertionError,
    struct.error, zipfile.BadZipFile, pickle.UnpicklingError,
)  # fmt: skip


def save_weights(module: nn.Module, path: Path, facts: Mapping[str, Any]) -> None:
    """Write a module's state to a safetensors file, whole or not at all.

    `facts` are JSON values for the metadata. They stand under one key, since safetensors writes
    several in an order that changes: equal weights shall be equal files.
    """
    save_tensors(state_of(module), path, facts)


def save_tensors(tensors: Mapping[str, torch.Tensor], path: Path, facts: Mapping[str, Any]) -> None:
    """Write tensors by name to a safetensors file, as `save_weights` does."""
    state = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_whole(path, lambda stream: stream.write(save(state, {_FACTS: json.dumps(facts)})))


def read_weights(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Tensors of a file, and the facts that `save_weights` put beside them. Raises CatError E605."""
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {}).get(_FACTS, "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118
    except FileNotFoundError:
        raise CatError.one("E605", f"there are no weights at {path}", help="check the path") from None
    except (OSError, ValueError, SafetensorError) as error:
        raise CatError.one(
            "E605", f"cannot read the weights in {path}: {error}", help="it is damaged, or no .safetensors file"
        ) from None


def module_with_weights(graph: Graph, path: Path) -> GraphModule:
    """The network of a graph with the weights of a file. Raises CatError E605."""
    module = build_module(graph)
    tensors, _ = read_weights(path)
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
