"""Times of single operators and of whole networks on a device: warm-up, then medians."""

import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import Tensor, nn

from catdsl.backend.module import build_module
from catdsl.ir.graph import Graph, Node
from catdsl.ir.op import Absence, Axis, Op, Site
from catdsl.search.latency import Curve, joins, signature

_WARM_UP = 3
_LEAST_RUNS, _MOST_RUNS = 5, 50
_ENOUGH_SECONDS, _ENOUGH_FOR_NETWORKS = 0.03, 1.0
_QUEUED = 20
_POINTS = 6


@dataclass(frozen=True)
class Kind:
    """Operators that share a signature: one of them, and the least and the most channels of all."""

    node: Node
    source: tuple[int, int]
    inputs: tuple[int, int]
    outputs: tuple[int, int]


def median_seconds(run: Callable[[], object], device: str, *, enough: float, repeats: int = 1) -> float:
    """The median of as many runs as `enough` seconds hold, 5 to 50, after a warm-up of 3.

    With `repeats`, each is the mean of so many in a row.
    """
    seconds: list[float] = []
    while len(seconds) < _WARM_UP + _LEAST_RUNS or (
        len(seconds) < _WARM_UP + _MOST_RUNS and sum(seconds[_WARM_UP:]) < enough
    ):
        seconds.append(_seconds(run, device, repeats))
    return median(seconds[_WARM_UP:])


def alternating_seconds(calls: Mapping[str, Callable[[], object]], device: str, *, runs: int) -> dict[str, list[float]]:
    """The times of `runs` runs of each after a warm-up of 3, taken in turn: A, B, A, B, ...

    A machine that gets slower or faster meanwhile treats all of them alike.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(_WARM_UP + runs):
        for name, call in calls.items():
            seconds[name].append(_seconds(call, device))
    return {name: times[_WARM_UP:] for name, times in seconds.items()}


def _seconds(run: Callable[[], object], device: str, repeats: int = 1) -> float:
    began = time.perf_counter()
    for _ in range(repeats):
        run()
    wait_for(device)
    return (time.perf_counter() - began) / repeats


def wait_for(device: str) -> None:
    """Wait until a device has done what it was told: a GPU only queues it, and we would time the queueing."""
    kind = torch.device(device).type
    if kind == "cuda":
        torch.cuda.synchronize(device)
    elif kind == "mps":
        torch.mps.synchronize()


def device_name(device: str) -> str:
    """What a device is called, such as `NVIDIA H200` or the processor's model."""
    if torch.device(device).type == "cuda":
        return str(torch.cuda.get_device_name(device))
    information = Path("/proc/cpuinfo")
    lines = information.read_text("utf-8", "replace").splitlines() if information.is_file() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{device}: {model or platform.processor() or platform.machine()}"


def kinds(graphs: Sequence[tuple[Graph, Graph]], arrange: Op) -> dict[str, Kind]:
    """Everything to time for networks, each given as its smallest and its largest form."""
    found: dict[str, Kind] = {}
    for smallest, largest in graphs:
        for node in largest.nodes:
            key = signature(largest, node)
            if key is None:
                continue
            source = largest.node[node.inputs[0]].type
            ends = [(_channels_in(g, node.inputs[0]), _channels_in(g, node.name)) for g in (smallest, largest)]
            kind = Kind(node, (source.height, source.width), *zip(*ends, strict=True))
            found[key] = _wider(found[key], kind) if key in found else kind
            if joins(node):
                # A student may have to line up what is joined, which its teacher never does.
                lined = Node(node.name, arrange, (node.name,), {"sources": (0, -1)}, node.type)
                key = signature(largest, lined)
                assert key is not None
                kind = Kind(lined, (node.type.height, node.type.width), kind.outputs, kind.outputs)
                found[key] = _wider(found[key], kind) if key in found else kind
    return found


def _channels_in(graph: Graph, name: str) -> int:
    """Channels of a tensor; 1 where it is absent, the least that it may have."""
    return graph.channels(name) if name in graph.node else 1


def _wider(a: Kind, b: Kind) -> Kind:
    inputs, outputs = ((min(p[0], q[0]), max(p[1], q[1])) for p, q in ((a.inputs, b.inputs), (a.outputs, b.outputs)))
    return replace(a, inputs=inputs, outputs=outputs)


def points(low: int, high: int) -> tuple[int, ...]:
    """Up to six channel counts from `low` to `high`, closer together where they are small."""
    return tuple(sorted({int(n) for n in np.geomspace(max(low, 1), max(high, 1), _POINTS).round()}))


def measure_kind(kind: Kind, device: str) -> Curve:
    """Nanoseconds of a kind of operator at a few channel counts, for one image in float32."""
    columns = points(*kind.outputs)
    dense = any(Axis.IN in weight.axes for weight in kind.node.op.weights(kind.node.attrs))
    rows = points(*kind.inputs) if dense else (0,)
    times = tuple(tuple(_nanoseconds(kind, row, column, device) for column in columns) for row in rows)
    return Curve(rows, columns, times)


def _nanoseconds(kind: Kind, inputs: int, outputs: int, device: str) -> float:
    node, (height, width) = kind.node, kind.source
    given = list(_channels(kind, inputs, outputs))
    attrs = {**node.attrs}
    made: tuple[int, ...] = (outputs,)
    if "to" in attrs:
        attrs |= {"to": (node.type.height, node.type.width), "scale": None}
    if node.op.absence is Absence.ARRANGES:
        # Half of the result is there, the other half is zeros.
        given = [(outputs + 1) // 2]
        made = (given[0], outputs - given[0])
    built = node.op.build(Site(attrs, tuple((n,) for n in given), made))
    images = [torch.randn(1, n, height, width, device=device) for n in given]
    call = _callable(built, device)
    # Waiting for a GPU after each operator would be most of its time, and a network does not.
    repeats = 1 if torch.device(device).type == "cpu" else _QUEUED
    with torch.inference_mode():
        return 1e9 * median_seconds(lambda: call(*images), device, repeats=repeats, enough=_ENOUGH_SECONDS)


def _channels(kind: Kind, inputs: int, outputs: int) -> Iterator[int]:
    """Channels of each input that is computed with."""
    count = len(kind.node.inputs)
    if kind.node.op.absence is Absence.ANY:
        yield from (outputs, outputs)
    elif kind.node.op.absence is Absence.JOINS:
        yield from [max(outputs // count, 1)] * count
    elif joins(kind.node):
        yield from [outputs] * count
    else:
        # Without a row of its own, the input follows the result: equal, or a factor apart as in pixel_shuffle.
        yield inputs or max(outputs * kind.inputs[1] // kind.outputs[1], 1)


def _callable(built: object, device: str) -> Callable[..., Tensor]:
    if isinstance(built, nn.Module):
        return built.to(device).eval()
    function, arguments = built if isinstance(built, tuple) else (built, {})
    return lambda *images: function(*images, **arguments)


def measure_network(graph: Graph, device: str) -> float:
    """Nanoseconds of a whole network with torch's default weights, for one image in float32."""
    module = build_module(graph).to(device).eval()
    images = [torch.randn(1, graph.channels(n.name), n.type.height, n.type.width, device=device) for n in graph.inputs]
    with torch.inference_mode():
        return 1e9 * median_seconds(lambda: module(*images), device, enough=_ENOUGH_FOR_NETWORKS)
