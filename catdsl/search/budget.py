"""Budgets: what may be spent, read from a flag or a spec, and resolved against the teacher."""

import re
from dataclasses import dataclass
from fractions import Fraction

from catdsl.analysis.cost import METRICS, Cost
from catdsl.diagnostics import CatError
from catdsl.diagnostics.suggest import did_you_mean
from catdsl.semantics.settings import BudgetSettings

_KINDS = ("macs", "params")
_SCALE = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?)\s*([KMGT%]?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` of a metric (`exact` or `paper` MACs, or `params`), as asked for in `text`."""

    metric: str
    most: int
    text: str

    def holds(self, cost: Cost) -> bool:
        return getattr(cost, self.metric) <= self.most


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits that all hold."""

    limits: tuple[Limit, ...]

    def holds(self, cost: Cost) -> bool:
        return all(limit.holds(cost) for limit in self.limits)

    def __str__(self) -> str:
        return ", ".join(f"{_label(limit.metric)} {limit.text}" for limit in self.limits)


def _label(metric: str) -> str:
    return {"exact": "macs (exact)", "paper": "macs (paper)", "params": "params"}[metric]


def parse_budget(text: str, count: str, teacher: Cost) -> Budget:
    """`2.6G`, `25%`, `macs=2.6G,params=400K`; a bare amount is of MACs. Raises CatError E402."""
    limits: list[Limit] = []
    for part in text.split(","):
        kind, separator, amount = part.rpartition("=")
        kind = kind.strip() if separator else "macs"
        if kind not in _KINDS:
            raise CatError.one("E402", f"a budget of `{kind}` cannot be searched for", help=_kind_help(kind))
        metric = count if kind == "macs" else kind
        if any(limit.metric == metric for limit in limits):
            raise CatError.one("E402", f"the budget names `{kind}` twice", help="give it once")
        limits.append(Limit(metric, _amount(amount.strip(), getattr(teacher, metric)), amount.strip()))
    return Budget(tuple(limits))


def budget_of_settings(settings: BudgetSettings, teacher: Cost) -> Budget:
    """The budget that a spec holds. Raises CatError E402 where it holds none."""
    parts = [(kind, getattr(settings, kind)) for kind in _KINDS if getattr(settings, kind) is not None]
    if not parts:
        raise CatError.one(
            "E402", "there is no budget", help="give --budget 25%, or write budget { macs = 25% } in the spec"
        )
    text = ",".join(f"{kind}={value}" for kind, value in parts)
    return parse_budget(text, settings.count, teacher)


def _kind_help(kind: str) -> str:
    if kind == "latency":
        return "latency budgets are not built yet; give macs or params"
    return did_you_mean(kind, _KINDS, otherwise="write --budget 2.6G, 25%, or macs=2.6G,params=400K")


def _amount(text: str, teacher: int) -> int:
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise CatError.one("E402", f"`{text}` is not an amount", help="write for example 2.6G, 400K, 123456 or 25%")
    # Decimals are exact as fractions: 8.2G is 8,200,000,000, and 100% is the teacher to the integer.
    number, unit = Fraction(found[1]), found[2]
    most = int(teacher * number / 100) if unit == "%" else int(number * _SCALE[unit])
    if most < 1:
        raise CatError.one("E402", f"a budget of {text} is nothing", help="give a positive amount")
    return most


def metric_index(metric: str) -> int:
    return METRICS.index(metric)
