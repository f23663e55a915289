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
    bounds = np.array([(w.low, w.high, w.step, w.count) for w in widths], dtype=np.int64)
    low, high, step, count = bounds.reshape(-1, 4).T
    # All steps of all widths in one array: `which` width, and how wide it is with the step.
    steps = np.maximum(high - low, 0) // step
    which = np.repeat(np.arange(len(names)), steps)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(steps) - steps, steps) + 1
    tops = low[which] + nth * step[which]
    share = tops / np.maximum(count, 1)[which]
    best_first = np.concatenate([by_width[n][order[n]] for n in names]) if names else np.array([])
    score = best_first[(np.cumsum(count) - count)[which] + tops - 1]
    if policy == "value_per_cost":
        assert price is not None
        score = score / np.array([price[n] for n in names])[which]
    if policy == "uniform":
        score = -share
    ranked = np.lexsort((which, share, -score))
    return Ranking(
        names=names,
        width=which[ranked].astype(np.int64),
        score=score[ranked],
        order=order,
        low=low,
        high=high,
        step=step,
    )
