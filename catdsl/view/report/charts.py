"""Losses over steps, from the records of a training to curves that are few points and few to a chart."""

import re
from collections.abc import Iterable, Mapping, Sequence
from math import fsum

from catdsl.view.report.content import Chart, Curve

MOST_POINTS = 400
_STRETCHES = 60

# Which losses stand in one chart, what it is called, and its upright axis: by the names that trainings log.
# Adversarial losses may be negative and say little by their size, so they would spoil the scale of the others.
_KINDS: tuple[tuple[str, re.Pattern[str], str, str], ...] = (
    ("taps", re.compile(r"tap\d+"), "distance of features at each tap", "1 - KA"),
    ("gan", re.compile(r"(gan|discriminator)(_.*)?"), "adversarial losses", "loss"),
    ("losses", re.compile(r".*", re.DOTALL), "losses", "loss"),
)
_NO_LOSSES = ("step", "epoch", "lr", "seconds")


def training_charts(network: str, records: Iterable[Mapping[str, float]], *, taps: str = "1 - KA") -> tuple[Chart, ...]:
    """Charts of the training of `network`, from the records of its metrics.jsonl.

    `taps` says what the distances of features are. What was not logged has no chart.
    """
    found: dict[str, list[tuple[int, float]]] = {}
    for record in records:
        for name, value in record.items():
            if name not in _NO_LOSSES:
                found.setdefault(name, []).append((int(record["step"]), float(value)))
    charts = []
    taken: set[str] = set()
    for kind, names, title, up in _KINDS:
        mine = [name for name in found if names.fullmatch(name) and name not in taken]
        taken.update(mine)
        curves = tuple(curve(name, found[name]) for name in mine)
        if curves:
            charts.append(Chart(key=f"{network}-{kind}", title=f"{network}: {title}",
                                up=taps if kind == "taps" else up, curves=curves))  # fmt: skip
    return tuple(reversed(charts))


def curve(name: str, points: Sequence[tuple[int, float]]) -> Curve:
    """A curve of any length as one to draw, with its trend where it is long."""
    return Curve(name=name, points=thinned(points), trend=trend(points))


def thinned(points: Sequence[tuple[int, float]], most: int = MOST_POINTS) -> tuple[tuple[int, float], ...]:
    """The two ends, and the lowest and the highest point of each of equally many stretches between them.

    So a spike that lasted a single step is still seen. `most` is at least 4.
    """
    if len(points) <= most:
        return tuple(points)
    inner = points[1:-1]
    count = (most - 2) // 2
    kept = [points[0]]
    for i in range(count):
        part = range(i * len(inner) // count, (i + 1) * len(inner) // count)
        low = min(part, key=lambda at: inner[at][1])
        high = max(part, key=lambda at: inner[at][1])
        kept += [inner[at] for at in sorted({low, high})]
    return (*kept, points[-1])


def trend(points: Sequence[tuple[int, float]], stretches: int = _STRETCHES) -> tuple[tuple[float, float], ...]:
    """The mean step and the mean value of equal stretches; empty where they would be shorter than two points."""
    count = len(points)
    if count < 2 * stretches:
        return ()
    parts = [points[i * count // stretches : (i + 1) * count // stretches] for i in range(stretches)]
    return tuple(
        (fsum(step for step, _ in part) / len(part), fsum(value for _, value in part) / len(part)) for part in parts
    )
