"""The tables of a report as cells of text, for whatever form it takes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from catdsl.search.budget import label, shown
from catdsl.view.describe import METRIC_NAMES, amount
from catdsl.view.report.content import STUDENT, TEACHER, Bound, Costs, Metric, Report, Timing
from catdsl.view.report.wording import (
    better_words,
    counted,
    difference_words,
    figure_words,
    figures_of,
    fixed,
    image_size,
    share,
    size_of,
)

EXACT_MEANS = "MACs (exact) count multiply-accumulates of convolutions only, each where it computes."
PAPER_MEANS = (
    "MACs (paper) count transposed convolutions at their output's resolution, and one per element for norms "
    "without running statistics; most published figures are in this count."
)
NOTHING = "-"

_PROTOCOLS = {
    "paired": "paired: what is generated from held-out inputs, against the real held-out images",
    "unpaired": "unpaired: what is generated from held-out inputs, against all real images, trained on and held out",
}

_COSTS: tuple[tuple[str, Callable[[Costs], int | None], Callable[[int], str]], ...] = (
    (METRIC_NAMES["exact"], lambda costs: costs.exact, amount),
    (METRIC_NAMES["paper"], lambda costs: costs.paper, amount),
    (METRIC_NAMES["params"], lambda costs: costs.params, amount),
    (METRIC_NAMES["weights"], lambda costs: costs.weights, size_of),
    ("peak memory of activations", lambda costs: costs.memory, size_of),
)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of as many cells as there are columns; the first of each names the row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def asked_table(report: Report) -> Table:
    """What was asked for, a line each."""
    asked, data = report.asked, report.data
    limits = ", ".join(f"{label(bound.metric)} {bound.text}" for bound in asked.bounds)
    held = f"{counted(data.trained_on, 'image')} for training, {data.held_out:,} held out"
    rows = [
        ("spec", f"{report.spec} ({report.system})"),
        ("budget", limits or ("none: a teacher alone" if report.student is None else "none: the widths were given")),
        *((("unused", _unused(asked.slack)),) if asked.slack is not None else ()),
        ("data", f"{data.folder}: {held}"),
        ("protocol", _PROTOCOLS[asked.protocol]),
        ("input size", image_size(report.size)),
        ("seed", str(report.seed)),
    ]
    return Table(("", ""), tuple(rows))


def _unused(slack: float) -> str:
    return f"{100 * slack:.4f} % of the tightest limit"


def bounds_table(report: Report) -> Table | None:
    """Each limit and what the student takes of it; nothing without a budget."""
    rows = tuple(_bound(bound) for bound in report.asked.bounds)
    return Table(("limit", "asked", "at most", "student", "used"), rows) if rows else None


def _bound(bound: Bound) -> tuple[str, ...]:
    limit = label(bound.metric), bound.text, shown(bound.metric, bound.most)
    if bound.reached is None:
        return (*limit, NOTHING, NOTHING)
    return (*limit, shown(bound.metric, bound.reached), f"{100 * bound.reached / bound.most:.2f} %")


def cost_table(report: Report) -> Table:
    """Teacher, student and their ratio; rows that neither was measured for are left out."""
    teacher, student = report.teacher, report.student
    if student is None:
        measured = ((name, of(teacher), words) for name, of, words in _COSTS)
        return Table(("", TEACHER), tuple((n, words(v)) for n, v, words in measured if v is not None))
    rows = []
    for name, of, words in _COSTS:
        before, after = of(teacher), of(student)
        if before is None and after is None:
            continue
        ratio = NOTHING if before is None or after is None else share(after, before)
        rows.append((name, *(NOTHING if v is None else words(v) for v in (before, after)), ratio))
    return Table(("", TEACHER, STUDENT, "ratio"), tuple(rows))


def answers_of(report: Report) -> tuple[str, ...]:
    """Every answer that some metric was measured for: teacher, student, then trivial ones in order."""
    found = dict.fromkeys(figure.answer for metric in report.metrics for figure in metric.figures)
    return tuple(sorted(found, key=lambda answer: (answer != TEACHER, answer not in (TEACHER, STUDENT))))


def metric_table(report: Report) -> Table | None:
    """Metrics with figures down, answers across; nothing where none was measured."""
    answers = answers_of(report)
    rows = tuple(_metric(metric, answers) for metric in report.metrics if metric.figures)
    return Table(("", "", *answers, "images"), rows) if rows else None


def _metric(metric: Metric, answers: tuple[str, ...]) -> tuple[str, ...]:
    words = figures_of(metric)
    cells = (figure_words(*words[answer]) if answer in words else NOTHING for answer in answers)
    return metric.name, better_words(metric), *cells, f"{metric.images:,}"


def remarks(metric: Metric) -> Iterator[str]:
    """How a metric was taken, and what kept it from being taken."""
    if metric.protocol:
        yield metric.protocol
    if any(figure.interval for figure in metric.figures) and metric.interval:
        yield f"In brackets: {metric.interval}."
    difference = metric.difference(STUDENT, TEACHER)
    if difference is not None:
        yield f"Student less teacher, image by image: {difference_words(difference, metric)}."
    if metric.reason:
        yield metric.reason if metric.figures else f"Not measured: {metric.reason}"


def timing_table(timing: Timing) -> Table:
    """Networks down; columns that nothing was measured for are left out."""
    whole = ("median per image", "middle half of the runs", "images per second", "peak memory")
    rows = [
        (
            timed.network,
            milliseconds(timed.median),
            NOTHING if timed.quartiles is None else " to ".join(fixed(ms, _places(ms)) for ms in timed.quartiles),
            NOTHING if timed.per_second is None else fixed(timed.per_second, 1),
            NOTHING if timed.memory is None else size_of(timed.memory),
        )
        for timed in timing.networks
    ]
    kept = [0, *(i for i in range(1, len(whole) + 1) if any(row[i] != NOTHING for row in rows))]
    columns = ("", *whole)
    return Table(tuple(columns[i] for i in kept), tuple(tuple(row[i] for i in kept) for row in rows))


def milliseconds(value: float) -> str:
    """A time with its unit, to three digits or so."""
    return f"{fixed(value, _places(value))} ms"


def _places(value: float) -> int:
    return 2 if value < 10 else 1 if value < 100 else 0


def timing_words(timing: Timing) -> str:
    """The conditions that networks were timed under."""
    together = ", all in one process" if len(timing.networks) > 1 else ""
    return (
        f"{timing.device}, {counted(timing.threads, 'thread')}, {timing.precision}, batch {timing.batch}, "
        f"{image_size(timing.size)}; {counted(timing.runs, 'run')}{together}"
    )


def class_table(report: Report) -> Table | None:
    """Intersection over union by class, and its mean over the classes that have one."""
    parts = report.segmentation
    if parts is None:
        return None
    rows = [(part.name, *(map(_percent, part.scores))) for part in parts.classes]
    columns = zip(*(part.scores for part in parts.classes), strict=True)
    means = [_mean([score for score in column if score is not None]) for column in columns]
    return Table(("class", *parts.answers), (*rows, ("mean over classes", *map(_percent, means))))


def _mean(scores: list[float]) -> float | None:
    return sum(scores) / len(scores) if scores else None


def _percent(score: float | None) -> str:
    return NOTHING if score is None else f"{100 * score:.1f} %"


def environment_table(report: Report) -> Table | None:
    """Versions, devices and seeds."""
    rows = tuple((fact.name, fact.value) for fact in report.environment)
    return Table(("", ""), rows) if rows else None
