"""What came out, in plain sentences that follow from the values, also where it is no success."""

from collections.abc import Iterator, Sequence
from math import isnan

from catdsl.evaluate.bootstrap import FEWEST
from catdsl.search.budget import label
from catdsl.view.describe import amount
from catdsl.view.report.content import REAL, STUDENT, TEACHER, Costs, Figure, Metric, Report
from catdsl.view.report.tables import milliseconds
from catdsl.view.report.wording import better_words, counted, figures_of, image_size, share

_SAME_SPEED = 0.05

BETTER, WORSE, ALIKE, EQUAL, OPEN, UNKNOWN = "better", "worse", "alike", "equal", "open", "unknown"


def summary(report: Report) -> tuple[str, ...]:
    """Cost, budget, speed, fidelity and what vanished, a sentence or two each."""
    return tuple(_sentences(report))


def _sentences(report: Report) -> Iterator[str]:
    if report.student is None:
        yield (
            f"The teacher needs {amount(report.teacher.exact)} MACs (exact; {amount(report.teacher.paper)} in the "
            f"paper's count) at {image_size(report.size)} and has {amount(report.teacher.params)} parameters. "
            "There is no student in this run."
        )
        yield from _fidelity(report, TEACHER)
        return
    yield _cost(report.teacher, report.student, report.size)
    yield from _budget(report)
    yield from _speed(report)
    yield from _against_teacher(report.metrics)
    yield from _fidelity(report, STUDENT)
    yield from _widths(report)


def _cost(teacher: Costs, student: Costs, size: tuple[int, int]) -> str:
    return (
        f"The student needs {share(student.exact, teacher.exact)} of the teacher's MACs "
        f"(exact: {amount(student.exact)} of {amount(teacher.exact)} at {image_size(size)}; "
        f"{share(student.paper, teacher.paper)} in the paper's count) "
        f"and {share(student.params, teacher.params)} of its parameters."
    )


def _budget(report: Report) -> Iterator[str]:
    over = [bound for bound in report.asked.bounds if bound.reached is not None and bound.reached > bound.most]
    if over:
        names = ", ".join(f"{label(bound.metric)} {bound.text}" for bound in over)
        yield f"It does not keep within the budget: {names}."
    elif report.asked.bounds and all(bound.reached is not None for bound in report.asked.bounds):
        names = ", ".join(f"{label(bound.metric)} {bound.text}" for bound in report.asked.bounds)
        yield f"It keeps within the budget: {names}."


def _speed(report: Report) -> Iterator[str]:
    timing = next((t for t in report.timings if t.of(TEACHER) and t.of(STUDENT)), None)
    if timing is None:
        return
    teacher, student = timing.of(TEACHER), timing.of(STUDENT)
    assert teacher is not None
    assert student is not None
    ratio = teacher.median / student.median
    if ratio > 1 + _SAME_SPEED:
        verdict = f"{ratio:.2f} times as fast"
    elif ratio < 1 - _SAME_SPEED:
        verdict = f"slower, at {ratio:.2f} times the teacher's speed: here fewer operations do not mean less time"
    else:
        verdict = "about as fast: here fewer operations do not mean less time"
    yield (
        f"It takes {milliseconds(student.median)} per image where the teacher takes {milliseconds(teacher.median)} "
        f"({timing.device}, {counted(timing.threads, 'thread')}, batch {timing.batch}): {verdict}."
    )


def verdict(metric: Metric, one: Figure, other: Figure) -> str:
    """Whether `one` is BETTER or WORSE than `other`.

    ALIKE where the interval of their difference holds 0 or, without one, where their own intervals
    overlap; EQUAL where they are, UNKNOWN where one is not a number. Without intervals, and of too few
    images for them, it stays OPEN: a difference of two numbers alone may be chance.
    """
    if isnan(one.value) or isnan(other.value):
        return UNKNOWN
    if one.interval is None or other.interval is None or metric.images < FEWEST:
        return OPEN
    if one.value == other.value:
        return EQUAL
    difference = metric.difference(one.answer, other.answer)
    if difference is not None:
        alike = difference.interval[0] <= 0 <= difference.interval[1]
        return ALIKE if alike else BETTER if (difference.value < 0) == (metric.better == "smaller") else WORSE
    if _overlap(one.interval, other.interval):
        return ALIKE
    return BETTER if (one.value < other.value) == (metric.better == "smaller") else WORSE


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


_AGAINST_TEACHER = (
    (BETTER, "It is better than the teacher"),
    (EQUAL, "It equals the teacher"),
    (ALIKE, "It cannot be told from the teacher, within the intervals"),
    (WORSE, "It is worse than the teacher"),
    (OPEN, "No verdict, for want of intervals or of images"),
    (UNKNOWN, "It cannot be compared with the teacher"),
)


def _against_teacher(metrics: Sequence[Metric]) -> Iterator[str]:
    found: dict[str, list[str]] = {}
    for metric in metrics:
        teacher, student = metric.of(TEACHER), metric.of(STUDENT)
        if teacher is not None and student is not None:
            words = figures_of(metric)
            said = f"{metric.name} {words[STUDENT][0]} against {words[TEACHER][0]} ({better_words(metric)})"
            found.setdefault(verdict(metric, student, teacher), []).append(said)
    for kind, sentence in _AGAINST_TEACHER:
        if kind in found:
            yield f"{sentence}: {'; '.join(found[kind])}."


def _fidelity(report: Report, network: str) -> Iterator[str]:
    """Where a trivial answer is as good as the network, and what was not measured."""
    beaten = [
        f"{metric.name} {figures_of(metric)[network][0]}, {trivial.answer} {figures_of(metric)[trivial.answer][0]} "
        f"({better_words(metric)})"
        for metric in report.metrics
        for mine in (metric.of(network),)
        for trivial in metric.figures
        if mine is not None and trivial.answer not in (TEACHER, STUDENT, REAL)
        if verdict(metric, mine, trivial) not in (BETTER, OPEN)
    ]
    if beaten:
        yield f"The {network} is not shown to be better than a trivial answer: {'; '.join(beaten)}."
    missing = [metric.name for metric in report.metrics if not metric.figures]
    if missing:
        yield f"Not measured: {_listed(missing)}."
    if not report.metrics:
        yield "How good its images are was not measured."


def _widths(report: Report) -> Iterator[str]:
    if not report.widths:
        return
    gone = sum(width.vanished for width in report.widths)
    narrower = sum(0 < width.student < width.teacher for width in report.widths)
    whole = len(report.widths) - gone - narrower
    yield (
        f"Of {counted(len(report.widths), 'searched width')}, {gone:,} vanished, {narrower:,} became narrower "
        f"and {whole:,} stayed whole."
    )


def _listed(items: Sequence[str]) -> str:
    """`a, b and c`."""
    *others, last = items
    return f"{', '.join(others)} and {last}" if others else last
