"""Scores of channels: from norm scales to one number per channel of each width."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save

from catdsl.acceptance import NOBODY, STRICT, Acceptance, Owner
from catdsl.diagnostics import CatError, Diagnostic, Severity, Span
from catdsl.diagnostics.suggest import did_you_mean
from catdsl.ir.graph import Graph, Node
from catdsl.ir.types import Width
from catdsl.reading import Door, there
from catdsl.search.arrays import read_npz
from catdsl.search.released import graph_paths
from catdsl.weights_file import checked, write_tensors

Scores = Mapping[str, np.ndarray]

SCORES_DOOR = Door("file of scores", "E403", "weights", "give a .npz or .safetensors file")


@dataclass(frozen=True)
class WidthScores:
    """Per width, a score for each of its channels; and what to tell of widths that have none."""

    by_width: Mapping[str, np.ndarray]
    warnings: tuple[Diagnostic, ...]


def load_scores(path: Path, wanted: Owner = NOBODY, acceptance: Acceptance = STRICT) -> dict[str, np.ndarray]:
    """Arrays by norm from a .npz or .safetensors file, under graph paths. Raises CatError E403, E605.

    A file of weights works too: the scales are taken from `<norm>.weight`. `wanted` is the network that a
    .safetensors file should be for.
    """
    try:
        arrays = _read(path, wanted, acceptance)
    except (ValueError, TypeError) as error:
        raise CatError.one("E403", f"cannot read the scores in {path}: {error}", help=SCORES_DOOR.help) from None
    paths = graph_paths(arrays)
    return {paths[name]: np.asarray(values) for name, values in arrays.items()}


def save_scores(scores: Scores, path: Path, owner: Owner = NOBODY) -> None:
    """Write arrays by norm or width as `load_scores` reads them, whole or not at all. Raises CatError E608."""
    arrays = {name: np.ascontiguousarray(values) for name, values in scores.items()}
    write_tensors(path, save(arrays), owner, {})


def _read(path: Path, wanted: Owner, acceptance: Acceptance) -> dict[str, np.ndarray]:
    if not there(path):
        raise CatError.one("E403", f"there are no scores at {path}", help="check the path")
    if path.suffix == ".npz":
        return read_npz(path, SCORES_DOOR)
    if path.suffix == ".safetensors":
        with checked(path, wanted, acceptance, door=SCORES_DOOR):
            return load_file(path)
    raise ValueError(f"unknown ending `{path.suffix}`")


def scales_of(weights: Mapping[str, np.ndarray], graph: Graph) -> dict[str, np.ndarray]:
    """The norm scales in a set of weights: `<norm>.weight` of every affine norm that it holds."""
    norms = [n.name for n in graph.nodes if n.scaled]
    return {name: weights[f"{name}.weight"] for name in norms if f"{name}.weight" in weights}


def first_norms(graph: Graph) -> dict[str, Node]:
    """For each width, the first affine norm in graph order that carries it (the score of a width)."""
    found: dict[str, Node] = {}
    for node in graph.nodes:
        if not node.scaled:
            continue
        for segment in node.type.channels:
            found.setdefault(segment.width, node)
    return found


def width_scores(graph: Graph, scores: Scores, group: str = "first") -> WidthScores:
    """The score of every channel of every searched width: as given for it, or |scale| of its norms.

    `scores` hold arrays by width, or by norm. Of several affine norms that carry a width, `group`
    takes the first (the method), the mean or the largest. A searched width that has neither stays as
    large as it may be, with a warning. Raises CatError E403 for scores that are missing, not finite,
    or of another length.
    """
    norms = _norms_of(graph, group)
    problems: list[Diagnostic] = []
    warnings: list[Diagnostic] = []
    by_width: dict[str, np.ndarray] = {}
    missing: list[str] = []
    for width in graph.widths:
        if not width.searched:
            continue
        carrying = norms.get(width.name, [])
        absent = [norm.name for norm in carrying if norm.name not in scores]
        if width.name in scores:
            values = _checked(width.name, "width", width.count, scores[width.name], width.span, problems)
            by_width |= {} if values is None else {width.name: values}
        elif not carrying:
            warnings.append(_unscored(width))
        elif absent:
            missing += absent
        else:
            found = [_of_norm(graph, norm, scores[norm.name], problems) for norm in carrying]
            parts = [values[width.name] for values in found if values is not None]
            if len(parts) == len(carrying):
                by_width[width.name] = grouped(parts, group)
    every = np.concatenate([np.empty(0), *by_width.values()])
    if len(every) > 1 and (every == every[0]).all():
        warnings.append(_EQUAL)
    if missing:
        problems.append(_missing(list(dict.fromkeys(missing)), scores))
    if problems:
        raise CatError(dict.fromkeys(problems))
    return WidthScores(by_width, tuple(warnings))


def _norms_of(graph: Graph, group: str) -> dict[str, list[Node]]:
    """For each width, the norms that its score is made of."""
    if group == "first":
        return {width: [norm] for width, norm in first_norms(graph).items()}
    found: dict[str, list[Node]] = {}
    for node in graph.nodes:
        if node.scaled:
            for width in dict.fromkeys(segment.width for segment in node.type.channels):
                found.setdefault(width, []).append(node)
    return found


def grouped(parts: Sequence[np.ndarray], group: str) -> np.ndarray:
    """Several scores of the same channels as one."""
    if group == "first" or len(parts) == 1:
        return parts[0]
    return np.mean(parts, axis=0) if group == "mean" else np.max(parts, axis=0)


def carried(graph: Graph, node: Node, values: np.ndarray) -> dict[str, np.ndarray]:
    """Values per channel of a node's tensor as values per channel of each width in it.

    Of a width that stands several times, the first place counts; of channels that are repeated in
    a row, the mean.
    """
    found: dict[str, np.ndarray] = {}
    offset = 0
    for segment in node.type.channels:
        count = graph.width[segment.width].count
        part = values[offset : offset + count * segment.repeat]
        if segment.repeat > 1:
            part = part.reshape(count, segment.repeat).mean(axis=1)
        found.setdefault(segment.width, part)
        offset += count * segment.repeat
    return found


def _of_norm(graph: Graph, norm: Node, values: np.ndarray, problems: list[Diagnostic]) -> dict[str, np.ndarray] | None:
    checked = _checked(norm.name, "norm", graph.channels(norm.name), values, norm.span, problems)
    return None if checked is None else carried(graph, norm, checked)


def _checked(
    name: str, what: str, channels: int, values: np.ndarray, span: Span | None, problems: list[Diagnostic]
) -> np.ndarray | None:
    """The magnitudes of an array of scores, or None and a problem."""

    def problem(message: str, help: str) -> None:
        problems.append(Diagnostic("E403", f"the scores of `{name}` {message}", span, help=help))

    if values.shape != (channels,):
        shape = list(values.shape)
        problem(
            f"have shape {shape}, the {what} has {channels} channels",
            "are they of this spec, with the same --set values?",
        )
        return None
    if values.dtype.kind not in "fiu":
        problem(f"are no numbers, but {values.dtype}", "give one real number for each channel")
        return None
    magnitude = np.abs(values.astype(np.float64))
    if not np.isfinite(magnitude).all():
        bad = int(np.flatnonzero(~np.isfinite(magnitude))[0])
        problem(
            f"are not finite (first at channel {bad})", "the teacher's training has diverged, or the file is damaged"
        )
        return None
    return magnitude


_EQUAL = Diagnostic(
    "E403", "all scores are equal: the teacher seems untrained, and all widths shrink alike",
    help="train it first, or give the scores of a trained one", severity=Severity.WARNING,
)  # fmt: skip


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
