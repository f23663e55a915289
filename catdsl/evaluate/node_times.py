"""Where the time of a pass goes: each node of a module timed by itself, in the course of whole passes."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, fx

from catdsl.backend.timing import alternating_seconds, wait_for
from catdsl.evaluate.speed import forward_call
from catdsl.semantics.settings import PrecisionName
from catdsl.train.modes import evaluating

Seconds = Mapping[str, Sequence[float]]
"""The times of each node, one for each pass, by the node's path in the graph."""


@dataclass(frozen=True, slots=True, eq=False)
class NodeTimes:
    """Seconds of passes: of the whole at once, of each node, and of each node on small images if any were given."""

    whole: Sequence[float]
    nodes: Seconds
    small: Seconds | None


def measure_nodes(
    module: fx.GraphModule, images: Sequence[Tensor], small: Sequence[Tensor] | None, *,
    runs: int, device: str, precision: PrecisionName = "fp32",
) -> NodeTimes:  # fmt: skip
    """Time a module that `build_module` made, in evaluation mode, node by node.

    Whole passes, passes node by node and those on `small` images take turns, after a warm-up. On a
    GPU each node is waited for, so that the time of telling it what to do is in every node's.
    """
    nodes: list[dict[str, float]] = []
    shrunk: list[dict[str, float]] = []

    def node_by_node(given: Sequence[Tensor], found: list[dict[str, float]]) -> object:
        return forward_call(lambda *x: found.append(_pass(module, x, device)), given, precision)()

    calls = {"whole": forward_call(module, images, precision), "nodes": lambda: node_by_node(images, nodes)}
    if small is not None:
        calls["small"] = lambda: node_by_node(small, shrunk)
    with evaluating(module):
        whole = alternating_seconds(calls, device, runs=runs)["whole"]
    return NodeTimes(whole, _by_node(nodes[-runs:]), None if small is None else _by_node(shrunk[-runs:]))


def _pass(module: fx.GraphModule, images: Sequence[Tensor], device: str) -> dict[str, float]:
    """The seconds of each node in one pass."""
    interpreter = fx.Interpreter(module)
    given = iter(images)
    seconds: dict[str, float] = {}
    for node in module.graph.nodes:
        if node.op == "placeholder":
            interpreter.env[node] = next(given)
        elif node.op != "output":
            began = time.perf_counter()
            interpreter.env[node] = interpreter.run_node(node)
            wait_for(device)
            seconds[node.meta["path"]] = time.perf_counter() - began
        # What nothing needs any more is freed, as in a pass of the whole: memory that was just used is faster.
        for over in interpreter.user_to_last_uses.get(node, ()):
            del interpreter.env[over]
    return seconds


def _by_node(passes: Sequence[Mapping[str, float]]) -> Seconds:
    return {name: [seconds[name] for seconds in passes] for name in passes[0]}
