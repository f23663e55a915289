"""Weights of released networks, under their own names, for the graphs of the shipped specs."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.fx import GraphModule

from catdsl.acceptance import STRICT, Acceptance
from catdsl.backend.foreign_file import read_foreign
from catdsl.backend.module import build_module
from catdsl.backend.paths import graph_name
from catdsl.backend.weights import load_weights, state_of
from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph
from catdsl.ir.identity import owner_of
from catdsl.search.released import graph_paths

_COUNTER = "num_batches_tracked"
_STATISTICS = ("running_mean", "running_var", _COUNTER)
_MOST_PREFIXES = 16


@dataclass(frozen=True, slots=True)
class Imported:
    """A network with the weights of a file, and what of the two did not meet."""

    module: GraphModule
    left_out: tuple[str, ...]
    """Tensors of the file that the network has no place for and does not need."""
    filled: tuple[str, ...]
    """Scales and shifts of norms that the file has none of: 1 and 0, as without affine norms."""
    statistics: tuple[str, ...]
    """Running statistics that the file has for instance norms, which take those of each image instead."""


def import_weights(graph: Graph, path: Path, acceptance: Acceptance = STRICT) -> Imported:
    """The network of `graph` with the weights of a released checkpoint, or of any file under graph paths.

    Reads .safetensors, and .pth or .pt files that hold tensors alone. One prefix that all names of
    the network share (`module.`) is dropped. Weights of paths that have no channels at all are left
    out, as released files keep them, and so are running statistics of instance norms that track none:
    PyTorch kept them before version 0.4, and the code of CycleGAN and pix2pix drops them as well. Raises
    CatError E605 where the file cannot be read, or its tensors are not those of the graph.
    """
    module = build_module(graph)
    wanted = state_of(module)
    given = read_foreign(path, owner_of(graph), acceptance)
    if given.keys() <= module.state_dict().keys():
        # A `state_dict` of such a module itself.
        given = {graph_name(name): value for name, value in given.items()}
    found = _naming(given, wanted, path)
    unused = {name: source for name, source in found.items() if name not in wanted}
    statistics = {source for name, source in unused.items() if _of_an_image(name, graph)}
    surplus = [
        source
        for name, source in unused.items()
        if source not in statistics
        # Only a name of the tables says that it belongs to a block of the spec.
        and (source.endswith(name) or not _vanished(name, graph))
        and not name.endswith(_COUNTER)
    ]
    tensors = {name: given[source] for name, source in found.items() if name in wanted}
    if not tensors or surplus:
        raise _foreign(path, graph, surplus if tensors else list(given))
    # Of another shape, one may claim to be of any size; that is told of where it is loaded.
    fitting = {name: value for name, value in tensors.items() if value.shape == wanted[name].shape}
    broken = [found[name] for name, value in fitting.items() if not torch.isfinite(value).all()]
    if broken:
        raise CatError.one(
            "E605", f"{len(broken)} tensors of {path} hold values that are not finite, the first is {broken[0]}",
            help="the training that made them has diverged; take an earlier checkpoint",
        )  # fmt: skip
    counters = {name: value for name, value in wanted.items() if name.endswith(_COUNTER)}
    filled = _identity(graph, wanted, tensors)
    load_weights(module, {**counters, **filled, **tensors}, graph, source=str(path))
    left_out = given.keys() - {found[name] for name in tensors} - statistics
    return Imported(module, tuple(sorted(left_out)), tuple(filled), tuple(sorted(statistics)))


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
    """Nothing, and every beginning `a.`, `a.b.` that at least so many names share, the most frequent ones."""
    shared: Counter[str] = Counter()
    for name in given:
        parts = name.split(".")
        shared.update(".".join(parts[:depth]) + "." for depth in range(1, len(parts)))
    return ["", *(prefix for prefix, count in shared.most_common(_MOST_PREFIXES) if count >= least)]


def _renamed(given: Mapping[str, Tensor], prefix: str) -> dict[str, str]:
    """Name in the graph's network -> name in the file, of the tensors that begin with `prefix`."""
    split = {name: name.removeprefix(prefix).rpartition(".") for name in given if name.startswith(prefix)}
    paths = graph_paths({module for module, _, _ in split.values()})
    return {f"{paths[module]}.{parameter}": name for name, (module, _, parameter) in split.items()}


def _of_an_image(name: str, graph: Graph) -> bool:
    """Whether it is a running statistic of an instance norm, which has none in this network."""
    node, _, part = name.rpartition(".")
    return part in _STATISTICS and node in graph.node and graph.node[node].op.name == "instance_norm"


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
    norms = [node.name for node in graph.nodes if node.norm is not None]
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
