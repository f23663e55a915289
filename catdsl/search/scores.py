"""Scores of channels: from norm scales to one number per channel of each width."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from catdsl.diagnostics import CatError, Diagnostic, Severity
from catdsl.diagnostics.suggest import did_you_mean
from catdsl.ir.graph import Graph, Node
from catdsl.ir.types import Width
from catdsl.search.released import graph_paths

Scores = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class WidthScores:
    """Per width, a score for each of its channels; and what to tell of widths that have none."""

    by_width: Mapping[str, np.ndarray]
    warnings: tuple[Diagnostic, ...]


def load_scores(path: Path) -> dict[str, np.ndarray]:
    """Arrays by norm from a .npz or .safetensors file, under graph paths. Raises CatError E403.

    A file of weights works too: the scales are taken from `<norm>.weight`.
    """
    try:
        arrays = _read(path)
    except (OSError, ValueError, TypeError, KeyError, EOFError, BadZipFile) as error:
        raise CatError.one(
            "E403", f"cannot read the scores in {path}: {error}", help="give a .npz or .safetensors file"
        ) from None
    paths = graph_paths(arrays)
    return {paths[name]: np.asarray(values) for name, values in arrays.items()}


def _read(path: Path) -> dict[str, np.ndarray]:
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    if path.suffix == ".safetensors":
        return read_safetensors(path)
    raise ValueError(f"unknown ending `{path.suffix}`")


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """All tensors of a file as numpy arrays. Raises OSError, ValueError, or TypeError (a kind that numpy lacks)."""
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(str(error)) from None


def scales_of(weights: Mapping[str, np.ndarray], graph: Graph) -> dict[str, np.ndarray]:
    """The norm scales in a set of weights: `<norm>.weight` of every affine norm that it holds."""
    norms = [n.name for n in graph.nodes if n.op.is_norm and n.attrs["affine"]]
    return {name: weights[f"{name}.weight"] for name in norms if f"{name}.weight" in weights}


def first_norms(graph: Graph) -> dict[str, Node]:
    """For each width, the first affine norm in graph order that carries it (the score of a width)."""
    found: dict[str, Node] = {}
    for node in graph.nodes:
        if not node.op.is_norm or not node.attrs["affine"]:
            continue
        for segment in node.type.channels:
            found.setdefault(segment.width, node)
    return found


def width_scores(graph: Graph, scores: Scores) -> WidthScores:
    """The score of every channel of every searched width that has a norm: |scale|.

    A searched width without an affine norm stays as large as it may be, with a warning. Raises
    CatError E403 for scores that are missing, not finite, or of another length.
    """
    norms = first_norms(graph)
    problems: list[Diagnostic] = []
    warnings: list[Diagnostic] = []
    by_width: dict[str, np.ndarray] = {}
    missing: list[str] = []
    for width in graph.widths:
        if not width.searched:
            continue
        norm = norms.get(width.name)
        if norm is None:
            warnings.append(_unscored(width))
        elif norm.name not in scores:
            missing.append(norm.name)
        else:
            values = _of_norm(graph, norm, scores[norm.name], problems)
            if values is not None:
                by_width[width.name] = values[width.name]
    if missing:
        problems.append(_missing(missing, scores))
    if problems:
        raise CatError(problems)
    return WidthScores(by_width, tuple(warnings))


def carried(graph: Graph, node: Node, values: np.ndarray) -> dict[str, np.ndarray]:
    """Values per channel of a node's tensor as values per channel of each width in it.

    Of a width that stands several times, the first place counts; of channels that are repeated in
    a row, the mean.
    """
    found: dict[str, np.ndarray] = {}
    offset = 0
    for segment in node.type.channels:
        count = graph.width[segment.width].count
        part = values[offset : offset + count * segment.repeat].reshape(count, segment.repeat)
        found.setdefault(segment.width, part.mean(axis=1))
        offset += count * segment.repeat
    return found


def _of_norm(graph: Graph, norm: Node, values: np.ndarray, problems: list[Diagnostic]) -> dict[str, np.ndarray] | None:
    channels = graph.channels(norm.name)
    if values.shape != (channels,):
        problems.append(
            Diagnostic(
                "E403",
                f"the scores of `{norm.name}` have shape {list(values.shape)}, the norm has {channels} channels",
                norm.span,
                help="are they of this spec, with the same --set values?",
            )
        )
        return None
    if values.dtype.kind not in "fiu":
        message = f"the scores of `{norm.name}` are no numbers, but {values.dtype}"
        problems.append(Diagnostic("E403", message, norm.span, help="give one real number for each channel"))
        return None
    magnitude = np.abs(values.astype(np.float64))
    if not np.isfinite(magnitude).all():
        bad = int(np.flatnonzero(~np.isfinite(magnitude))[0])
        problems.append(
            Diagnostic(
                "E403",
                f"the scores of `{norm.name}` are not finite (first at channel {bad})",
                norm.span,
                help="the teacher's training has diverged, or the file is damaged",
            )
        )
        return None
    return carried(graph, norm, magnitude)


def _unscored(width: Width) -> Diagnostic:
    return Diagnostic(
        "E404", f"`{width.name}` has no affine norm to score its channels; it stays at {min(width.count, width.high)}",
        width.span, help="put a `norm` behind it, or write `fixed` to say so", severity=Severity.WARNING,
    )  # fmt: skip


def _missing(missing: list[str], scores: Scores) -> Diagnostic:
    names = ", ".join(f"`{n}`" for n in missing[:5]) + (f" and {len(missing) - 5} more" if missing[5:] else "")
    known = did_you_mean(missing[0], scores) if scores else ""
    return Diagnostic(
        "E403", f"there are no scores for {names}",
        help=known or "a score file holds one array per norm, named by its graph path or its released name",
    )  # fmt: skip
