"""Weights of a student by slicing the teacher's along the axis table of each operator."""

from collections.abc import Mapping

import numpy as np

from catdsl.diagnostics import CatError, InternalError
from catdsl.ir.counts import complete_counts
from catdsl.ir.graph import Graph
from catdsl.ir.op import Axis, Weight
from catdsl.ir.presence import Counted, presence
from catdsl.ir.types import Segment
from catdsl.search.magnitude import filter_sums
from catdsl.search.scores import carried, first_norms, scales_of

Weights = Mapping[str, np.ndarray]
Kept = Mapping[str, np.ndarray]


def kept_channels(
    graph: Graph, counts: Mapping[str, int], channels: Mapping[str, tuple[int, ...]], weights: Weights
) -> dict[str, np.ndarray]:
    """Which channels of every width of the teacher a student keeps, ascending.

    Searched widths keep what the plan says; a tied one, as many as its tie says, the best by its
    own first affine norm, else by the L2 norm of its filters (`docs/language/widths.md`, Scores).
    """
    complete = complete_counts(graph, counts)
    norms = first_norms(graph)
    scales = scales_of(weights, graph)
    squares: dict[str, list[np.ndarray]] | None = None
    kept: dict[str, np.ndarray] = {}
    for width in graph.widths:
        count = complete[width.name]
        if width.name in channels:
            kept[width.name] = np.array(channels[width.name], dtype=np.int64)
        elif count == width.count:
            kept[width.name] = np.arange(count)
        else:
            norm = norms.get(width.name)
            if norm is not None and norm.name in scales:
                score = carried(graph, norm, np.abs(scales[norm.name]))[width.name]
            else:
                squares = squares or filter_sums(graph, weights, 2)
                score = np.sqrt(np.sum(squares[width.name], axis=0))
            kept[width.name] = np.sort(np.argsort(-score, kind="stable")[:count])
        if len(kept[width.name]) != count:
            raise InternalError(f"{width.name} keeps {len(kept[width.name])} channels of {count}")
    return kept


def check_sliceable(graph: Graph) -> None:
    """Raise CatError E607 where weights have a form that slices cannot be taken from."""
    for node in graph.nodes:
        if node.attrs.get("spectral"):
            raise CatError.one(
                "E607", f"`{node.name}` has spectral normalisation, whose weights cannot be sliced", node.span,
                help="set spectral = false in the generator's style, or distill { init = fresh }",
            )  # fmt: skip


def slice_weights(
    teacher: Graph, student: Graph, counts: Mapping[str, int], kept: Kept, weights: Weights
) -> dict[str, np.ndarray]:
    """The student's weights: of each axis that follows a width, the kept channels that are present."""
    flags = presence(teacher, Counted(complete_counts(teacher, counts)))
    result: dict[str, np.ndarray] = {}
    for node in student.nodes:
        table = node.op.weights(node.attrs)
        if not table:
            continue
        original = teacher.node[node.name]
        into = _indices(teacher, original.inputs[0], flags, kept)
        out = _indices(teacher, original.name, flags, kept)
        for weight in table:
            name = f"{node.name}.{weight.name}"
            result[name] = _sliced(weights[name], weight, into, out)
    return result


def present_channels(graph: Graph, node: str, flags: Mapping[str, tuple[bool, ...]], kept: Kept) -> np.ndarray:
    """Per channel of a node's tensor in the teacher, whether the student has it."""
    found = np.zeros(graph.channels(node), dtype=bool)
    found[_indices(graph, node, flags, kept)] = True
    return found


def _indices(graph: Graph, node: str, flags: Mapping[str, tuple[bool, ...]], kept: Kept) -> np.ndarray:
    """Channels of a node's tensor that the student keeps."""
    parts = [np.array([], dtype=np.int64)]
    offset = 0
    for segment, present in zip(graph.node[node].type.channels, flags[node], strict=True):
        count = graph.width[segment.width].count
        if present:
            parts.append(offset + _repeated(kept[segment.width], segment))
        offset += count * segment.repeat
    return np.concatenate(parts)


def _repeated(channels: np.ndarray, segment: Segment) -> np.ndarray:
    """Positions of a width's channels where each stands `repeat` times in a row."""
    return (channels[:, None] * segment.repeat + np.arange(segment.repeat)).reshape(-1)


def _sliced(values: np.ndarray, weight: Weight, into: np.ndarray, out: np.ndarray) -> np.ndarray:
    for axis, follows in enumerate(weight.axes):
        if follows is not Axis.FIXED:
            values = np.take(values, into if follows is Axis.IN else out, axis=axis)
    return np.array(values, order="C")
