"""The sentences say what the values say, also where that is unpleasant."""

from dataclasses import replace

import pytest

from catdsl.view.report.content import Bound, Difference, Figure, Metric, Report
from catdsl.view.report.summary import summary
from tests.view.report.samples import bare, teacher_only, whole


def metric(better: str, **values: object) -> Metric:
    """A metric by which `teacher`, `student` and so on scored (value, low, high), or a value alone."""
    figures = tuple(
        Figure(answer=answer.replace("_", " "), value=v[0], interval=v[1:])
        if isinstance(v, tuple)
        else Figure(answer=answer.replace("_", " "), value=v)  # type: ignore[arg-type]
        for answer, v in values.items()
    )
    return Metric(name="M", better=better, protocol="", images=50, figures=figures)  # type: ignore[arg-type]


def said(*metrics: Metric, report: Report | None = None) -> str:
    return " ".join(summary(replace(report or whole(), metrics=metrics)))


def test_a_whole_report() -> None:
    assert summary(whole()) == (
        "The student needs 25.0 % of the teacher's MACs (exact: 78.20 M of 313.10 M at 256 x 128; 24.3 % in the "
        "paper's count) and 27.2 % of its parameters.",
        "It keeps within the budget: macs (exact) 25%.",
        "It takes 7.93 ms per image where the teacher takes 12.0 ms (cpu: Some Processor, 2 threads, batch 1): "
        "1.52 times as fast.",
        "It cannot be told from the teacher, within the intervals: L1 0.1535 against 0.1540 (smaller is better).",
        "No verdict, for want of intervals or of images: Frechet distance (SqueezeNet) 83.91 against 61.53 (smaller is "
        "better).",
        "Not measured: FID.",
        "Of 3 searched widths, 1 vanished, 1 became narrower and 1 stayed whole.",
    )


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        (metric("smaller", teacher=(2.0, 1.8, 2.2), student=(1.0, 0.8, 1.2)), "It is better than the teacher: M 1.000"),
        (metric("larger", teacher=(2.0, 1.8, 2.2), student=(1.0, 0.8, 1.2)), "It is worse than the teacher: M 1.000"),
        (metric("larger", teacher=(1.0, 0.8, 1.2), student=(1.0, 0.8, 1.2)), "It equals the teacher: M"),
        (metric("larger", teacher=(2.0, 1.4, 3.0), student=(1.0, 0.5, 1.5)), "within the intervals"),
        (metric("larger", teacher=(2.0, 1.6, 3.0), student=1.0), "No verdict, for want of intervals"),
        (replace(metric("larger", teacher=(2.0, 1.6, 3.0), student=(1.0, 0.5, 1.5)), images=9), "No verdict"),
        (metric("larger", teacher=2.0, student=float("nan")), "It cannot be compared with the teacher: M not a number"),
        (metric("larger", teacher=2.0, student=float("inf")), "for want of intervals or of images: M infinite"),
    ],
)
def test_against_the_teacher(measured: Metric, words: str) -> None:
    assert words in said(measured)


@pytest.mark.parametrize(
    ("measured", "beaten"),
    [
        (metric("smaller", student=(1.0, 0.8, 1.2), mean_image=(2.0, 1.8, 2.2)), False),
        (metric("smaller", student=(2.0, 1.8, 2.2), mean_image=(1.0, 0.8, 1.2)), True),
        (metric("smaller", student=(1.0, 0.8, 1.2), mean_image=(1.0, 0.8, 1.2)), True),
        (metric("smaller", student=(1.0, 0.5, 1.5), mean_image=(2.0, 1.4, 3.0)), True),
        (metric("smaller", student=1.0, mean_image=0.0), False),  # two numbers alone tell nothing
        (metric("larger", student=float("nan"), mean_image=1.0), True),
        (
            metric("smaller", teacher=(3.0, 2.0, 4.0), mean_image=(1.0, 0.8, 1.2)),
            False,
        ),  # of the student nothing is known
        (metric("larger", student=(0.4, 0.3, 0.5), real_photographs=(0.6, 0.5, 0.7)), False),  # what can be reached
    ],
)
def test_a_trivial_answer_that_is_as_good_is_named(measured: Metric, beaten: bool) -> None:
    assert ("The student is not shown to be better than a trivial answer: M" in said(measured)) == beaten


def test_a_teacher_is_held_against_trivial_answers_too() -> None:
    measured = metric("smaller", teacher=(3.0, 2.0, 4.0), mean_image=(1.0, 0.8, 1.2))
    words = said(measured, report=teacher_only())
    assert "The teacher is not shown to be better than a trivial answer: M 3.000, mean image 1.000" in words
    assert "There is no student in this run." in words


@pytest.mark.parametrize(
    ("milliseconds", "verdict"),
    [(6.02, "2.00 times as fast"), (11.9, "about as fast: here fewer"), (24.08, "slower, at 0.50 times the teacher's")],
)
def test_speed(milliseconds: float, verdict: str) -> None:
    (timing,) = whole().timings
    teacher, student = timing.networks
    changed = replace(timing, networks=(teacher, replace(student, median=milliseconds)))
    assert verdict in " ".join(summary(replace(whole(), timings=(changed,))))


def test_a_budget_that_is_broken_is_said() -> None:
    bounds = (Bound(metric="params", text="400K", most=400_000, reached=400_001),)
    report = replace(whole(), asked=replace(whole().asked, bounds=bounds))
    assert "It does not keep within the budget: params 400K." in summary(report)


def test_nothing_measured_is_said() -> None:
    assert "How good its images are was not measured." in summary(bare())


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((-0.2, -0.1), "It is better than the teacher"),
        ((0.1, 0.2), "It is worse than the teacher"),
        ((-0.1, 0.2), "It cannot be told from the teacher"),
    ],
)
def test_a_difference_image_by_image_tells_more_than_intervals(interval: tuple[float, float], words: str) -> None:
    overlapping = metric("smaller", teacher=(2.0, 1.0, 3.0), student=(1.9, 0.9, 2.9))
    difference = Difference(answer="student", other="teacher", value=sum(interval) / 2, interval=interval)
    assert words in said(replace(overlapping, differences=(difference,)))
