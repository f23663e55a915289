"""The search as JSON values: cost terms, conditions, ranked lists. `search.js` runs cut and fill on them.

Integers throughout. JavaScript's numbers hold them exactly below 2^53; where a cost may go beyond, they
travel as text and are added up as big integers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from catdsl.analysis.conditions import Row
from catdsl.analysis.cost import METRICS, CostModel
from catdsl.ir.graph import Graph, Node
from catdsl.search.budget import Budget, Limit
from catdsl.search.candidates import Candidates
from catdsl.search.plan import Planner
from catdsl.search.ranking import Ranking
from catdsl.view.graph_page.contents import SAFE
from catdsl.view.graph_page.states import node_states

_DIGITS = 4


def model_of(planner: Planner) -> dict[str, Any]:
    """What `search.js` needs to plan at any budget of one sum, and to say what becomes of every node."""
    model, graph = planner.model, planner.model.graph
    rankings = [planner.ranking(Budget((Limit(metric, 1, ""),))) for metric in METRICS]
    lists = list({id(r): r for r in rankings}.values())
    big = max(getattr(model.teacher, metric) for metric in METRICS) >= SAFE
    number = {w.name: i for i, w in enumerate(graph.widths)}
    first = lists[0]
    candidates = Candidates(planner.compiled, graph, first, {}, {})
    base = candidates.fixed | dict(zip(first.names, first.low.tolist(), strict=True))
    return {
        "metrics": list(METRICS),
        "big": big,
        "base": [base.get(w.name, 0) for w in graph.widths],
        "ties": _ties(graph, number),
        "ranked": [number[name] for name in first.names],
        "searched": [number[w.name] for w in graph.widths if w.searched],
        "low": first.low.tolist(),
        "step": first.step.tolist(),
        "lists": [{"width": r.width.tolist(), "value": _ranked_values(r, planner.policy)} for r in lists],
        "list_of": [next(i for i, r in enumerate(lists) if r is mine) for mine in rankings],
        "policy": planner.policy,
        "scores": [_rounded(planner.scored.by_width[n][first.order[n]]) for n in first.names],
        "terms": _terms(model, number, big),
        "conditions": _conditions(model.conditions, number),
        "output": model.output,
        "teacher": _written([getattr(model.teacher, metric) for metric in METRICS], big),
        "floor": _written([getattr(candidates.cost(candidates.base), metric) for metric in METRICS], big),
        **_states(graph, number),
    }


def _ties(graph: Graph, number: Mapping[str, int]) -> list[list[Any]]:
    """For each tied width: its number, a denominator, a constant, and pairs of width and coefficient."""
    ties: list[list[Any]] = []
    for width in graph.widths:
        if width.tie is None:
            continue
        unit = width.tie.denominator()
        pairs = [[number[name], int(c * unit)] for name, c in width.tie.terms]
        ties.append([number[width.name], unit, int(width.tie.constant * unit), pairs])
    return ties


def _terms(model: CostModel, number: Mapping[str, int], big: bool) -> dict[str, Any]:
    """Columns over the terms. The width one past the last is the number 1."""
    place = {**number, "": len(number)}
    node = {n.name: i for i, n in enumerate(model.graph.nodes)}
    return {
        "node": [node[t.node] for t in model.terms],
        "first": [place[t.first] for t in model.terms],
        "second": [place[t.second] for t in model.terms],
        "condition": [t.condition for t in model.terms],
        "factors": [_written([t.factors[i] for t in model.terms], big) for i in range(len(METRICS))],
    }


def _conditions(rows: Sequence[Row], number: Mapping[str, int]) -> list[Any]:
    """A width that must be above 0 as its number; else 1 for all or 0 for any, and the parts."""
    return [number[p] if isinstance(p, str) else [int(kind == "all"), *p] for kind, p in rows]


def _states(graph: Graph, number: Mapping[str, int]) -> dict[str, Any]:
    found = node_states(graph)
    return {
        "state_conditions": _conditions(found.rows, number),
        "kept": [found.kept[n.name] for n in graph.nodes],
        "left": [found.left[n.name] for n in graph.nodes],
        "channels": [_segments(n, found.present[n.name], number) for n in graph.nodes],
    }  # fmt: skip


def _segments(node: Node, present: Sequence[int], number: Mapping[str, int]) -> list[int]:
    """Width, repeat and condition of every segment, one after the other."""
    pairs = zip(node.type.channels, present, strict=True)
    return [value for segment, condition in pairs for value in (number[segment.width], segment.repeat, condition)]


def _ranked_values(ranking: Ranking, policy: str) -> list[float]:
    """What each step was ranked by; of the method's policy the scores themselves say it."""
    return [] if policy == "threshold" else _rounded(ranking.score)


def _rounded(values: np.ndarray) -> list[float]:
    return [float(f"{v:.{_DIGITS}g}") for v in values.tolist()]


def _written(values: list[int], big: bool) -> list[int] | list[str]:
    return [str(v) for v in values] if big else values
