"""Budgets: what may be spent, read from a flag or a spec, and resolved against the teacher."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from catdsl.analysis.cost import Cost
from catdsl.diagnostics import CatError, Diagnostic
from catdsl.diagnostics.suggest import did_you_mean
from catdsl.semantics.settings import BudgetSettings
from catdsl.syntax.build import MAX_NUMBER

# What is no sum over the network: found by walking it, or predicted.
METERED = ("memory", "latency")
_KINDS = ("macs", "params", "weights", *METERED)
_BYTES = ("weights", "memory")
_SCALE = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_NANOSECONDS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
_NUMBER = r"([0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?)[ \t]*"


@dataclass(frozen=True, slots=True)
class Amounts:
    """How amounts of a metric are written: a number and a unit, which one of `patterns` finds; `%` is of the teacher.

    The patterns mean the same to JavaScript, so that a page reads amounts as the command does.
    """

    patterns: tuple[str, ...]
    units: Mapping[str, int]
    what: str
    examples: str
    most: int = MAX_NUMBER


_COUNTS = Amounts((_NUMBER + "([KMGT%]?)",), _SCALE, "an amount", "2.6G, 400K, 123456 or 25%")
_SIZES = Amounts(
    (_NUMBER + "([KMGT]?)B?", *_COUNTS.patterns), _SCALE, "a number of bytes", "1.6MB, 400K or 25%"
)  # fmt: skip
_TIMES = Amounts((_NUMBER + "(ns|us|ms|s|%)",), _NANOSECONDS, "a time", "12ms, 800us or 50%")


def amounts_of(kind: str) -> Amounts:
    """How a budget of this kind is written; MACs may be named by their convention."""
    if kind == "latency":
        return _TIMES
    return _SIZES if kind in _BYTES else _COUNTS


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` of a metric, as asked for in `text`.

    Metrics are `exact` or `paper` MACs, `params`, `weights` and `memory` (bytes), `latency` (nanoseconds).
    """

    metric: str
    most: int
    text: str

    @property
    def kind(self) -> str:
        """What a budget calls the metric."""
        return kind_of(self.metric)


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits that all hold."""

    limits: tuple[Limit, ...]

    def holds(self, cost: Cost, metered: Mapping[str, int] | None = None) -> bool:
        """Whether a network of this cost is within all limits; `metered` has its memory and latency."""
        return all(figure(limit.metric, cost, metered or {}) <= limit.most for limit in self.limits)

    def __str__(self) -> str:
        return ", ".join(f"{label(limit.metric)} {limit.text}" for limit in self.limits)

    def most(self, metric: str) -> int:
        """The limit of a metric that the budget names."""
        return next(limit.most for limit in self.limits if limit.metric == metric)


def figure(metric: str, cost: Cost, metered: Mapping[str, int]) -> int:
    """What a network takes of a metric."""
    return metered[metric] if metric in METERED else int(getattr(cost, metric))


def shown(metric: str, number: int) -> str:
    """A figure with its unit: bytes, milliseconds, or none."""
    if metric == "latency":
        return f"{number / 1e6:.3f} ms"
    return f"{number:,}{' bytes' if metric in _BYTES else ''}"


def brief(number: int) -> str:
    """A count as a budget writes it, in few characters and exactly: 2600000000 is `2.6G`."""
    for unit, scale in sorted(_SCALE.items(), key=lambda pair: -pair[1]):
        # Two decimals at most are brief.
        if scale > 1 and number >= scale and number % (scale // 100) == 0:
            return f"{format(Decimal(number) / scale, 'f')}{unit}"
    return str(number)


def kind_of(metric: str) -> str:
    """What a budget calls a metric: both conventions of MACs are `macs`."""
    return "macs" if metric in ("exact", "paper") else metric


def label(metric: str) -> str:
    """A metric as people read it."""
    return {"exact": "macs (exact)", "paper": "macs (paper)"}.get(metric, metric)


def parse_budget(text: str, count: str, teacher: Cost, metered: Callable[[str], int] | None = None) -> Budget:
    """`2.6G`, `25%`, `macs=2.6G,params=400K`, `latency=12ms`; a bare amount is of MACs.

    `count` is the convention of MACs; shares are of what the `teacher` costs, those of memory and latency
    of what `metered` gives for it. Raises CatError E402.
    """

    def whole(metric: str) -> int:
        if metric not in METERED:
            return figure(metric, teacher, {})
        if metered is None:
            raise CatError.one("E402", f"a share of {metric} needs a teacher that it was measured of")
        return metered(metric)

    limits: list[Limit] = []
    for part in text.split(","):
        kind, separator, amount = (piece.strip() for piece in part.rpartition("="))
        kind = kind if separator else "macs"
        if kind not in _KINDS:
            raise CatError.one("E402", f"a budget of `{kind}` cannot be searched for", help=_kind_help(kind))
        metric = count if kind == "macs" else kind
        if any(limit.metric == metric for limit in limits):
            raise CatError.one("E402", f"the budget names `{kind}` twice", help="give it once")
        limits.append(Limit(metric, _amount(kind, amount, lambda m=metric: whole(m)), amount))  # type: ignore[misc]
    return Budget(tuple(limits))


def budget_of_settings(settings: BudgetSettings, teacher: Cost, metered: Callable[[str], int] | None = None) -> Budget:
    """The budget that a spec holds. Raises CatError E402 where it holds none."""
    written = amounts_written(settings)
    if not written:
        raise CatError.one(
            "E402", "there is no budget", help="give --budget 25%, or write budget { macs = 25% } in the spec"
        )
    text = ",".join(f"{kind}={value}" for kind, value in written.items())
    return parse_budget(text, settings.count, teacher, metered)


def amounts_written(settings: BudgetSettings) -> dict[str, str]:
    """The limits that a spec holds, by kind, as a flag would give them."""
    values = {kind: getattr(settings, kind) for kind in _KINDS if getattr(settings, kind) is not None}
    return {
        kind: _milliseconds(v) if kind == "latency" and isinstance(v, float) else str(v) for kind, v in values.items()
    }


def _milliseconds(seconds: float) -> str:
    """To the nanosecond."""
    return f"{format(Decimal(round(seconds * 1e9)) / _NANOSECONDS['ms'], 'f')}ms"


def no_times() -> Diagnostic:
    """The error for a limit of latency without a table."""
    return Diagnostic(
        "E406", "a latency budget needs operator times, and none were measured",
        help="run `catdsl measure SPEC` on the device, or give its table with --times",
    )  # fmt: skip


def _kind_help(kind: str) -> str:
    return did_you_mean(kind, _KINDS, otherwise="write --budget 2.6G, 25%, macs=2.6G,params=400K, or latency=12ms")


def _amount(kind: str, text: str, teacher: Callable[[], int]) -> int:
    written = amounts_of(kind)
    found = next((match for pattern in written.patterns if (match := re.fullmatch(pattern, text))), None)
    if found is None:
        raise CatError.one("E402", f"`{text}` is not {written.what}", help=f"write for example {written.examples}")
    # Decimals are exact as fractions: 8.2G is 8,200,000,000, and 100% is the teacher to the integer.
    number, unit = Fraction(found[1]), found[2]
    most = int(teacher() * number / 100) if unit == "%" else int(number * written.units[unit])
    most = min(most, written.most)
    if most < 1:
        raise CatError.one("E402", f"a budget of {text} is nothing", help="give a positive amount")
    return most
