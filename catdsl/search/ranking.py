"""The one ranked list of the search: every step that a width can take above its low bound."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from catdsl.ir.graph import Graph


@dataclass(frozen=True)
class Ranking:
    """Steps from the most to the least important.

    `width[i]` is the index into `names` of the width that step i widens by one of its steps, and
    `score[i]` what it was ranked by, such as the score of the lowest of its channels.
    `order[name]` lists the channels of a width from best to worst: a student keeps the first ones.
    """

    names: tuple[str, ...]
    width: np.ndarray
    score: np.ndarray
    order: Mapping[str, np.ndarray]
    low: np.ndarray
    high: np.ndarray
    step: np.ndarray


def rank(
    graph: Graph,
    by_width: Mapping[str, np.ndarray],
    policy: str = "threshold",
    price: Mapping[str, float] | None = None,
) -> Ranking:
    """Rank all steps of the scored widths.

    With the policy `threshold` (the method) by score; with `value_per_cost` by score over `price`, what
    a channel of the width costs; with `uniform` by the share of its width that a step completes, so
    that all widths shrink alike and scores choose channels only. Ties go to the step that is nearer
    to its width's low bound as a share of the width, then to the width that comes first: the same
    way every time, and evenly over an untrained teacher.
    """
    names = tuple(by_width)
    widths = [graph.width[n] for n in names]
    order = {n: np.argsort(-by_width[n], kind="stable") for n in names}
    rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for index, (name, width) in enumerate(zip(names, widths, strict=True)):
        tops = np.arange(width.low + width.step, width.high + 1, width.step)
        share = tops / max(width.count, 1)
        scores = by_width[name][order[name]][tops - 1]
        if policy == "value_per_cost":
            assert price is not None
            scores = scores / price[name]
        rows.append((-share if policy == "uniform" else scores, share, np.full(len(tops), index)))
    score, share, which = (np.concatenate(column) if rows else np.array([]) for column in _columns(rows))
    ranked = np.lexsort((which, share, -score))
    return Ranking(
        names=names,
        width=which[ranked].astype(np.int64),
        score=score[ranked],
        order=order,
        low=np.array([w.low for w in widths], dtype=np.int64),
        high=np.array([w.high for w in widths], dtype=np.int64),
        step=np.array([w.step for w in widths], dtype=np.int64),
    )


def _columns(rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> tuple[list[np.ndarray], ...]:
    return tuple([row[i] for row in rows] for i in range(3))
