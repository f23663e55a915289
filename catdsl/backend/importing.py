"""Weights of released networks, under their own names, for the graphs of the shipped specs."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule

from catdsl.backend.module import build_module
from catdsl.backend.paths import graph_name
from catdsl.backend.torch_file import UNREADABLE
from catdsl.backend.weights import load_weights, read_weights, state_of
from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph
from catdsl.search.released import graph_paths

_SAFETENSORS = ".safetensors"
_COUNTER = "num_batches_tracked"
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Imported:
    """A network with the weights of a file, and what of the two did not meet."""

    module: GraphModule
    left_out: tuple[str, ...]
    """Tensors of the file that the network has no place for and does not need."""
    filled: tuple[str, ...]
    """Scales and shifts of norms that the file has none of: 1 and 0, as without affine norms."""


def import_weights(graph: Graph, path: Path) -> Imported:
    """The network of `graph` with the weights of a released checkpoint, or of any file under graph paths.

    Reads .safetensors, and .pth or .pt files that hold tensors alone. One prefix that all names of
    the network share (`module.`) is dropped. Weights of paths that have no channels at all are left
    out, as released files keep them. Raises CatError E605 where the file cannot be read, or its
    tensors are not those of the graph.
    """
    module = build_module(graph)
    wanted = state_of(module)
    given = _read(path)
    if given.keys() <= module.state_dict().keys():
        # A `state_dict` of such a module itself.
        given = {graph_name(name): value for name, value in given.items()}
    found = _naming(given, wanted, path)
    unused = {name: source for name, source in found.items() if name not in wanted}
    surplus = [
        source
        for name, source in unused.items()
        # Only a name of the tables says that it belongs to a block of the spec.
        if (source.endswith(name) or not _vanished(name, graph)) and not name.endswith(_COUNTER)
    ]
    tensors = {name: given[source] for name, source in found.items() if name in wanted}
    if not tensors or surplus:
        raise _foreign(path, graph, surplus if tensors else list(given))
    broken = [found[name] for name, value in tensors.items() if not torch.isfinite(value).all()]
    if broken:
        raise CatError.one(
            "E605", f"{len(broken)} tensors of {path} hold values that are not finite, the first is {broken[0]}",
            help="the training that made them has diverged; take an earlier checkpoint",
        )  # fmt: skip
    counters = {name: value for name, value in wanted.items() if name.endswith(_COUNTER)}
    filled = _identity(graph, wanted, tensors)
    load_weights(module, {**counters, **filled, **tensors}, graph, source=str(path))
    left_out = given.keys() - {found[name] for name in tensors}
    return Imported(module, tuple(sorted(left_out)), tuple(filled))


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix == _SAFETENSORS:
        return read_weights(path)[0]
    try:
        # `weights_only` runs no code of the file.
        held = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise CatError.one("E605", f"cannot read {path}: {error.strerror or error}", help="check the path") from None
    except UNREADABLE:
        raise CatError.one(
            "E605", f"{path} is no checkpoint of tensors alone",
            notes=("other files are not read, as they may run code",),
            help="save `generator.state_dict()`, with torch.save as .pth or with safetensors",
        ) from None  # fmt: skip
    tensors = dict(_tensors(held))
    if not tensors:
        raise CatError.one("E605", f"{path} holds no state_dict", help="save `generator.state_dict()`")
    return tensors


def _tensors(held: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Tensor]]:
    """All tensors of a state_dict, or of dictionaries of them such as {"state_dict": ...}, under dotted names."""
    if not isinstance(held, Mapping) or depth > _DEEPEST:
        return
    for name, value in held.items():
        if isinstance(value, Tensor):
            yield f"{prefix}{name}", value
        else:
            yield from _tensors(value, f"{prefix}{name}.", depth + 1)


def _naming(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: Path) -> dict[str, str]:
    """Name in the network -> name in the file, by the prefix under which most names fit.

    Raises CatError E605 where two networks of the file fit alike, such as both of a CycleGAN.
    """
    namings = {prefix: _renamed(given, prefix) for prefix in _prefixes(given, len(wanted) // 2)}
    fitting = {prefix: len(wanted.keys() & naming) for prefix, naming in namings.items()}
    best = max(fitting, key=fitting.__getitem__)
    alike = [prefix for prefix, count in fitting.items() if count == fitting[best] > 0]
    if len({frozenset(namings[prefix][name] for name in wanted.keys() & namings[prefix]) for prefix in alike}) > 1:
        raise CatError.one(
            "E605", f"{path} holds several networks of this kind: {', '.join(p.rstrip('.') for p in alike)}",
            help="save the one that is meant in a file of its own",
        )  # fmt: skip
    return namings[best]


def _prefixes(given: Mapping[str, Tensor], least: int) -> list[str]:
    """Nothing, and every beginning `a.`, `a.b.` that at least so many names share."""
    shared: Counter[str] = Counter()
    for name in given:
        parts = name.split(".")
        shared.update(".".join(parts[:depth]) + "." for depth in range(1, len(parts)))
    return ["", *(prefix for prefix, count in shared.items() if count >= least)]


def _renamed(given: Mapping[str, Tensor], prefix: str) -> dict[str, str]:
    """Name in the graph's network -> name in the file, of the tensors that begin with `prefix`."""
    split = {name: name.removeprefix(prefix).rpartition(".") for name in given if name.startswith(prefix)}
    paths = graph_paths({module for module, _, _ in split.values()})
    return {f"{paths[module]}.{parameter}": name for name, (module, _, parameter) in split.items()}


def _vanished(name: str, graph: Graph) -> bool:
    """Whether `name` lies in a part of a statement, `up2.main.`, of which the graph has no node: its widths are 0.

    A step of a repeat is no such part: a graph that lacks it has another number of blocks.
    """
    statement, part, *_ = name.split(".")
    nodes = [node.name for node in graph.nodes if node.name.startswith(f"{statement}.")]
    inside = any(node == f"{statement}.{part}" or node.startswith(f"{statement}.{part}.") for node in nodes)
    return bool(nodes) and not inside and not part.isdigit()


def _identity(graph: Graph, wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Scales of 1 and shifts of 0, where the file has them for no norm at all."""
    norms = [node.name for node in graph.nodes if node.op.is_norm]
    affine = [f"{norm}.{part}" for norm in norms for part in ("weight", "bias") if f"{norm}.{part}" in wanted]
    if any(name in tensors for name in affine):
        return {}
    return {name: (torch.ones_like if name.endswith("weight") else torch.zeros_like)(wanted[name]) for name in affine}


def _foreign(path: Path, graph: Graph, names: list[str]) -> CatError:
    shown = ", ".join(names[:3]) + (", ..." if names[3:] else "")
    return CatError.one(
        "E605", f"the weights in {path} are not those of {graph.kind} `{graph.name}`", graph.nodes[0].span,
        notes=(f"{len(names)} have no place in it: {shown}",),
        help="use the spec and --set values that the network was made with; released names are known of "
             "resnet_inception.cat, spade_inception.cat and resnet_original.cat",
    )  # fmt: skip
