"""Several runs side by side: one row for each teacher that they share, and one for each student."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from catdsl.diagnostics import CatError, InternalError
from catdsl.search.budget import label
from catdsl.view.describe import amount
from catdsl.view.report.content import INPUT, STUDENT, TARGET, TEACHER, Costs, Figure, Metric, Report
from catdsl.view.report.tables import NOTHING, Table, milliseconds, timing_words
from catdsl.view.report.wording import better_words, counted, figure_words, figures_of, image_size

_DRIFT = 1.15
"""How many times as long the same network may take before times of two evaluations do not compare."""

# A run of such a name could not be told from a part of every run.
_TAKEN = (TEACHER, STUDENT, INPUT, TARGET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A network: the teacher that all `runs` share, or the student of the one run."""

    name: str
    part: Literal["teacher", "student"]
    runs: tuple[str, ...]
    budget: str
    costs: Costs
    milliseconds: float | None
    figures: tuple[tuple[str, Figure], ...]

    def figure(self, metric: str) -> Figure | None:
        """What the network scored by a metric, where it was measured."""
        return next((figure for name, figure in self.figures if name == metric), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The reports with the names of their runs, each once; the rows; and every metric that any of them has.

    The figures of a metric are those of the rows, by their names. `notes` say where runs were not
    measured alike.
    """

    runs: tuple[str, ...]
    reports: tuple[Report, ...]
    rows: tuple[Row, ...]
    metrics: tuple[Metric, ...]
    notes: tuple[str, ...]


def compare(reports: Sequence[Report]) -> Comparison:
    """Put runs side by side. At least one report is needed."""
    if not reports:
        raise InternalError("there is nothing to compare")
    runs = _names([report.run for report in reports])
    teachers = tuple(_teachers(runs, reports))
    students = tuple(_student(run, report) for run, report in zip(runs, reports, strict=True) if report.student)
    rows = (*teachers, *students)
    first: dict[str, Metric] = {}
    for report in reports:
        for metric in report.metrics:
            first.setdefault(metric.name, metric)
    return Comparison(
        runs=runs, reports=tuple(reports), rows=rows,
        metrics=tuple(_metric(metric, rows) for metric in first.values()),
        notes=tuple(_notes(runs, reports)),
    )  # fmt: skip


def _names(runs: Sequence[str]) -> tuple[str, ...]:
    """The last part of each path where that tells runs apart, else all of it; what is still equal is numbered."""
    short = [run.rstrip("/").rpartition("/")[2] or run for run in runs]
    often = Counter(short)
    wanted = [brief if often[brief] == 1 else run for brief, run in zip(short, runs, strict=True)]
    given: list[str] = []
    for name in wanted:
        number, free = 1, name
        while free in given or free in _TAKEN:
            number, free = number + 1, f"{name} ({number + 1})"
        given.append(free)
    return tuple(given)


def _teachers(runs: tuple[str, ...], reports: Sequence[Report]) -> Iterator[Row]:
    """Runs share a row where their teachers have the same weights and scored the same, up to rounding."""
    groups: dict[Any, list[int]] = {}
    for i, report in enumerate(reports):
        # Other devices, and other numbers of threads, round the same images otherwise.
        scored = tuple((name, f"{figure.value:.3g}") for name, figure in _figures(report, TEACHER))
        groups.setdefault((report.teacher_digest or i, report.size, scored), []).append(i)
    for members in groups.values():
        first = reports[members[0]]
        of = tuple(runs[i] for i in members)
        times = [ms for i in members if (ms := _milliseconds(reports[i], TEACHER)) is not None]
        yield Row(
            name=TEACHER if len(groups) == 1 else f"teacher of {', '.join(of)}", part=TEACHER, runs=of, budget="",
            costs=first.teacher, milliseconds=median(times) if times else None,
            figures=_figures(first, TEACHER),
        )  # fmt: skip


def _student(run: str, report: Report) -> Row:
    assert report.student is not None
    return Row(
        name=run, part=STUDENT, runs=(run,),
        budget=", ".join(f"{label(bound.metric)} {bound.text}" for bound in report.asked.bounds),
        costs=report.student, milliseconds=_milliseconds(report, STUDENT), figures=_figures(report, STUDENT),
    )  # fmt: skip


def _figures(report: Report, network: str) -> tuple[tuple[str, Figure], ...]:
    return tuple((m.name, figure) for m in report.metrics if (figure := m.of(network)) is not None)


def _milliseconds(report: Report, network: str) -> float | None:
    """The first time that was taken of a network."""
    return next((timed.median for timing in report.timings if (timed := timing.of(network))), None)


def _metric(metric: Metric, rows: Sequence[Row]) -> Metric:
    """A metric as it was taken first, with the figures of all rows."""
    found = ((row.name, row.figure(metric.name)) for row in rows)
    figures = tuple(Figure(answer=name, value=f.value, interval=f.interval) for name, f in found if f is not None)
    return Metric(
        name=metric.name, better=metric.better, protocol=metric.protocol, images=metric.images,
        figures=figures, unit=metric.unit, interval=metric.interval,
        reason="" if any(figure.interval for figure in figures) else metric.reason,
    )  # fmt: skip


def _notes(runs: tuple[str, ...], reports: Sequence[Report]) -> Iterator[str]:
    """What makes figures of different runs hard to compare."""
    asked: tuple[tuple[str, Callable[[Report], str]], ...] = (
        ("MACs are counted at different input sizes", lambda report: image_size(report.size)),
        ("The data differ", lambda r: f"{r.data.folder}, {counted(r.data.held_out, 'image')} held out"),
        ("Times were not taken alike", lambda r: timing_words(r.timings[0]) if r.timings else ""),
    )
    for words, of in asked:
        yield from _difference(words, {run: of(report) for run, report in zip(runs, reports, strict=True)})
    yield from _drifts(runs, reports)
    for name in dict.fromkeys(metric.name for report in reports for metric in report.metrics):
        taken = {
            run: f"{counted(metric.images, 'image')}, {metric.better} is better; {metric.protocol}"
            for run, report in zip(runs, reports, strict=True)
            for metric in report.metrics
            if metric.name == name and metric.figures
        }
        yield from _difference(f"{name} was not measured alike", taken)


def _drifts(runs: tuple[str, ...], reports: Sequence[Report]) -> Iterator[str]:
    """Where one teacher took clearly longer in one evaluation than in another: then so did the students."""
    times: dict[str, dict[str, float]] = {}
    for run, report in zip(runs, reports, strict=True):
        taken = _milliseconds(report, TEACHER)
        if report.teacher_digest and taken is not None:
            times.setdefault(report.teacher_digest, {})[run] = taken
    for of in times.values():
        if max(of.values()) > _DRIFT * min(of.values()):
            found = "; ".join(f"{run}: {milliseconds(taken)}" for run, taken in of.items())
            yield f"One teacher took different times, so hold a student's only against its own teacher's: {found}"


def _difference(words: str, of: dict[str, str]) -> Iterator[str]:
    found = {run: value for run, value in of.items() if value}
    if len(set(found.values())) > 1:
        yield f"{words}: " + "; ".join(f"{run}: {value}" for run, value in found.items())


def plotted_metric(comparison: Comparison, name: str | None = None) -> Metric | None:
    """The metric for a plot: the one of that name, or the first that every row has; None where there is none.

    Raises CatError E607 where a name is given that not every run has.
    """
    whole = [metric for metric in comparison.metrics if len(metric.figures) == len(comparison.rows)]
    if name is None:
        return whole[0] if whole else None
    found = next((metric for metric in whole if metric.name == name), None)
    if found is None:
        held = ", ".join(metric.name for metric in whole) or "none"
        raise CatError.one(
            "E607", f"`{name}` is not a metric that all of these runs have", help=f"choose one that they have: {held}"
        )
    return found


def cost_columns(comparison: Comparison) -> Table:
    """Networks down; budget, costs and time across."""
    rows = (
        (
            row.name,
            row.budget or NOTHING,
            amount(row.costs.exact),
            amount(row.costs.paper),
            amount(row.costs.params),
            NOTHING if row.milliseconds is None else milliseconds(row.milliseconds),
        )
        for row in comparison.rows
    )
    return Table(("", "budget", "MACs (exact)", "MACs (paper)", "parameters", "per image"), tuple(rows))


def metric_columns(comparison: Comparison) -> Table:
    """Networks down; the metrics that were measured across."""
    metrics = [metric for metric in comparison.metrics if metric.figures]
    words = [figures_of(metric) for metric in metrics]
    rows = ((row.name, *(figure_words(*of.get(row.name, (NOTHING, ""))) for of in words)) for row in comparison.rows)
    return Table(("", *(f"{metric.name}, {better_words(metric)}" for metric in metrics)), tuple(rows))


def comparison_values(comparison: Comparison) -> dict[str, Any]:
    """The same as values."""
    return {
        "metrics": [
            {"name": m.name, "better": m.better, "unit": m.unit, "protocol": m.protocol} for m in comparison.metrics
        ],
        "rows": [_row_values(row) for row in comparison.rows],
        "notes": list(comparison.notes),
    }


def _row_values(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "part": row.part,
        "runs": list(row.runs),
        "budget": row.budget,
        "macs": {"exact": row.costs.exact, "paper": row.costs.paper},
        "params": row.costs.params,
        "weights": row.costs.weights,
        "milliseconds": row.milliseconds,
        "metrics": {
            name: {"value": figure.value, "interval": None if figure.interval is None else list(figure.interval)}
            for name, figure in row.figures
        },
    }
