"""Runs side by side: what is shared stands there once, and what cannot be compared is said."""

import json
from dataclasses import replace
from io import StringIO
from xml.etree import ElementTree

import pytest
from rich.console import Console

from catdsl.diagnostics import CatError, InternalError
from catdsl.diagnostics.printable import printable
from catdsl.view.report.comparison import (
    Comparison,
    compare,
    comparison_values,
    cost_columns,
    metric_columns,
    plotted_metric,
)
from catdsl.view.report.comparison_forms import comparison_html, comparison_json, comparison_markdown
from catdsl.view.report.comparison_plot import comparison_plot
from catdsl.view.report.comparison_terminal import ComparisonTables
from catdsl.view.report.content import Report
from tests.view.report.markup_reading import problems, read
from tests.view.report.samples import HOSTILE, LONG, bare, pictures, teacher_only, whole


def run(name: str, *, l1: float = 0.16, exact: int = 78_200_000, **changes: object) -> Report:
    """A run under another name, whose student scored otherwise."""
    report = whole()
    assert report.student is not None
    first, *others = report.metrics
    figures = tuple(replace(f, value=l1, interval=(l1 - 0.01, l1 + 0.01)) if f.answer == "student" else f
                    for f in first.figures)  # fmt: skip
    student = replace(report.student, exact=exact)
    metrics = (replace(first, figures=figures), *others)
    return replace(report, run=name, student=student, metrics=metrics, **changes)  # type: ignore[arg-type]


def runs(*names: str) -> Comparison:
    return compare([run(name, l1=0.16 + 0.001 * i, exact=10**7 * (i + 1)) for i, name in enumerate(names)])


def plot(comparison: Comparison, metric: str | None = None, **options: object) -> ElementTree.Element:
    chosen = plotted_metric(comparison, metric)
    assert chosen is not None
    svg = comparison_plot(comparison, chosen, alone=True, **options)  # type: ignore[arg-type]
    assert svg is not None
    return ElementTree.fromstring(svg)


def words(root: ElementTree.Element) -> list[str]:
    return [e.text or "" for e in root.iter() if (e.get("class") or "").startswith("name")]


def test_a_shared_teacher_has_one_row() -> None:
    rows = runs("runs/a", "runs/b").rows
    assert [(row.name, row.part, row.runs) for row in rows] == [
        ("teacher", "teacher", ("a", "b")), ("a", "student", ("a",)), ("b", "student", ("b",)),
    ]  # fmt: skip


def test_teachers_that_differ_have_a_row_each() -> None:
    comparison = compare([run("a"), run("b", teacher_digest="other"), run("c")])
    assert [row.name for row in comparison.rows] == ["teacher of a, c", "teacher of b", "a", "b", "c"]


def test_without_a_digest_teachers_are_not_taken_for_one() -> None:
    comparison = compare([run("a", teacher_digest=""), run("b", teacher_digest="")])
    assert [row.name for row in comparison.rows] == ["teacher of a", "teacher of b", "a", "b"]


def test_a_teacher_that_scored_otherwise_is_another_row() -> None:
    first = run("a")
    metric = first.metrics[0]
    figures = tuple(replace(f, value=0.2) if f.answer == "teacher" else f for f in metric.figures)
    other = replace(run("b"), metrics=(replace(metric, figures=figures), *first.metrics[1:]))
    assert len(compare([first, other]).rows) == 4


def test_a_shared_teacher_s_time_is_the_median() -> None:
    def timed(name: str, teacher: float) -> Report:
        (timing,) = whole().timings
        networks = (replace(timing.networks[0], median=teacher), timing.networks[1])
        return run(name, timings=(replace(timing, networks=networks),))

    rows = compare([timed("a", 10), timed("b", 30), timed("c", 11)]).rows
    assert [row.milliseconds for row in rows] == [11, 7.93, 7.93, 7.93]


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["runs/a", "runs/b/"], ("a", "b")),
        (["x/run", "y/run"], ("x/run", "y/run")),
        (["a", "a", "a"], ("a", "a (2)", "a (3)")),
        (["runs/teacher", "runs/input"], ("teacher (2)", "input (2)")),
        (["/", "b"], ("/", "b")),
    ],
)
def test_names(given: list[str], names: tuple[str, ...]) -> None:
    assert compare([run(name) for name in given]).runs == names


def test_the_tables() -> None:
    comparison = runs("runs/a", "runs/b")
    assert cost_columns(comparison).rows == (
        ("teacher", "-", "313.10 M", "539.60 M", "2.33 M", "12.0 ms"),
        ("a", "macs (exact) 25%", "10.00 M", "131.30 M", "633.90 K", "7.93 ms"),
        ("b", "macs (exact) 25%", "20.00 M", "131.30 M", "633.90 K", "7.93 ms"),
    )
    assert metric_columns(comparison).columns == (
        "", "L1, smaller is better", "Frechet distance (SqueezeNet), smaller is better",
    )  # fmt: skip
    assert metric_columns(comparison).rows[1] == ("a", "0.1600 (0.150 to 0.170)", "83.91")


def test_json() -> None:
    comparison = compare([run("runs/a", l1=float("inf"))])
    held = json.loads(comparison_json(comparison), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert held["rows"][0]["metrics"]["L1"] == {"value": 0.154, "interval": [0.1479, 0.1604]}
    assert held["rows"][1]["metrics"]["L1"] == {"value": "Infinity", "interval": ["Infinity", "Infinity"]}
    assert held["rows"][1]["macs"] == {"exact": 78_200_000, "paper": 131_300_000}
    assert [m["name"] for m in held["metrics"]] == ["L1", "Frechet distance (SqueezeNet)", "FID"]
    assert comparison_values(comparison)["rows"][0]["runs"] == ["a"]


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"size": (512, 512)}, "MACs are counted at different input sizes: a: 256 x 128; b: 512 x 512"),
        ({"data": replace(whole().data, held_out=9)}, "The data differ: a: facades, 50 images held out; b: facades, 9"),
        (
            {"timings": (replace(whole().timings[0], threads=1),)},
            "Times were not taken alike: a: cpu: Some Processor, 2",
        ),
        ({"timings": ()}, ""),
        (
            {"metrics": (replace(whole().metrics[0], images=9), *whole().metrics[1:])},
            "L1 was not measured alike: a: 50 images, smaller is better; Mean absolute error.; b: 9 images",
        ),
        ({"metrics": (replace(whole().metrics[0], protocol="Otherwise."),)}, "L1 was not measured alike"),
    ],
)
def test_what_was_not_measured_alike_is_said(changes: dict[str, object], note: str) -> None:
    comparison = compare([run("a", l1=0.1535), replace(run("b"), **changes)])  # type: ignore[arg-type]
    assert [found.startswith(note) for found in comparison.notes] == ([True] if note else [])
    assert len(read(comparison_html(comparison)).text("li").split("\n")) > len(comparison.notes)


def test_the_metric_of_the_plot() -> None:
    comparison = runs("a", "b")
    assert (plotted_metric(comparison) or comparison.metrics[2]).name == "L1"
    assert (plotted_metric(comparison, "Frechet distance (SqueezeNet)") or comparison.metrics[0]).name[:7] == "Frechet"
    mixed = compare([run("a"), replace(run("b"), metrics=whole().metrics[1:])])
    assert (plotted_metric(mixed) or mixed.metrics[0]).name == "Frechet distance (SqueezeNet)"
    assert plotted_metric(compare([bare()])) is None
    with pytest.raises(CatError, match="`FID` is not a metric that all of these runs have") as caught:
        plotted_metric(comparison, "FID")
    assert caught.value.diagnostics[0].code == "E607"
    assert "L1, Frechet distance (SqueezeNet)" in str(caught.value)


def test_the_plot_joins_students_with_their_teacher() -> None:
    root = plot(compare([run("a"), run("b", exact=10**7), run("c", teacher_digest="other")]))
    marks = [e for e in root.iter() if (e.get("class") or "").startswith("mark")]
    assert [e.get("class") for e in marks] == ["mark whole", "mark whole", "mark s0", "mark s1", "mark s2"]
    assert sum((e.get("class") or "").startswith("curve thin") for e in root.iter()) == 3
    assert sorted(words(root)) == sorted(["teacher of a, b", "teacher of c", "a", "b", "c"])
    assert "MACs (exact) at 256 x 128, logarithmic" in "".join(root.itertext())


def test_the_plot_over_time() -> None:
    assert "milliseconds per image, logarithmic" in "".join(plot(runs("a", "b"), across="time").itertext())
    comparison = compare([run("a", timings=())])
    metric = plotted_metric(comparison)
    assert metric is not None
    assert comparison_plot(comparison, metric, across="time") is None


@pytest.mark.parametrize("width", [368, 760])
def test_marks_of_one_cost_and_their_labels_are_apart(width: int) -> None:
    comparison = compare([run(f"ablation number {i}", l1=0.16 + i / 5000) for i in range(7)])
    root = plot(comparison, width=width)
    marks = [
        (float(e.get("x", 0)), float(e.get("y", 0))) for e in root.iter() if (e.get("class") or "").startswith("mark")
    ]
    assert all(abs(a[0] - b[0]) >= 8.9 for i, a in enumerate(marks) for b in marks[:i])
    places = [
        (float(e.get("x", 0)), float(e.get("y", 0))) for e in root.iter() if (e.get("class") or "") == "name halo"
    ]
    assert len(places) == len(set(places)) == 8
    assert all(56 <= x <= width for x, _ in [*marks, *places])


@pytest.mark.parametrize("name", [*HOSTILE, LONG, "[bold]x[/bold]"])
def test_names_are_texts_everywhere(name: str) -> None:
    reports = [run(f"runs/{name.replace('/', '')}"), run("b")]
    comparison = compare(reports)
    files = [pictures(report) for report in reports]
    html = comparison_html(comparison, files)
    plain = [run("runs/a"), run("b")]
    assert read(html).skeleton == read(comparison_html(compare(plain), [pictures(r) for r in plain])).skeleton
    assert problems(html) == []
    root = plot(comparison)
    assert len(words(root)) == 3
    assert comparison_json(comparison).count('"part": "student"') == 2
    text = comparison_markdown(comparison)
    assert "<script>" not in text.replace("\\<", "")
    (html + text + comparison_json(comparison)).encode("utf-8")
    printed = terminal(comparison, 5000)
    assert printable(comparison.runs[0]) in printed


def terminal(comparison: Comparison, width: int) -> str:
    stream = StringIO()
    Console(file=stream, width=width).print(ComparisonTables(comparison))
    return stream.getvalue()


@pytest.mark.parametrize(("width", "tables"), [(60, 3), (110, 2), (200, 1)])
def test_the_terminal_s_table_is_divided_where_it_is_too_wide(width: int, tables: int) -> None:
    printed = terminal(runs("runs/a", "runs/b"), width)
    assert max(map(len, printed.splitlines())) <= width
    assert printed.count("teacher") == tables
    for cell in ("macs (exact) 25%", "313.10 M", "0.1600", "(0.150 to 0.170)", "83.91", "7.93 ms"):
        assert cell in printed
    assert "\u2026" not in printed


def test_the_terminal_says_what_was_not_measured_alike() -> None:
    assert "warning: MACs are counted at different" in terminal(compare([run("a"), run("b", size=(8, 8))]), 100)


def test_markdown() -> None:
    comparison = compare([run("a"), run("b", size=(8, 8))])
    text = comparison_markdown(comparison, plot="plot.svg")
    assert "| a | macs (exact) 25% | 78.20 M | 131.30 M | 633.90 K | 7.93 ms |" in text
    assert "- **warning:** MACs are counted at different input sizes" in text
    assert "](plot.svg)" in text
    assert "Not measured: no Inception weights" in text


def test_pictures_of_all_runs_stand_by_each_other() -> None:
    reports = [run("runs/a"), run("runs/b")]
    page = read(comparison_html(compare(reports), [pictures(report) for report in reports]))
    assert [image["data-role"] for image in page.all("img")] == ["input", "teacher", "a", "b", "target"] * 3
    chosen = [option["value"] for option in page.all("option") if "selected" in option]
    assert chosen == ["a", "b"]


def test_examples_that_only_some_runs_have_are_left_out() -> None:
    reports = [run("a"), replace(run("b"), examples=whole().examples[:1])]
    page = read(comparison_html(compare(reports), [pictures(report) for report in reports]))
    assert len(page.all("img")) == 5


def test_teachers_alone_can_be_compared() -> None:
    comparison = compare([replace(teacher_only(), run="a"), replace(teacher_only(), run="b", teacher_digest="x")])
    assert [row.name for row in comparison.rows] == ["teacher of a", "teacher of b"]
    assert problems(comparison_html(comparison)) == []
    assert len(words(plot(comparison))) == 2


def test_without_a_common_metric_there_is_no_plot() -> None:
    html = comparison_html(compare([bare()]))
    assert "There is no metric that all of these runs have." in html
    assert "<svg" not in html


def test_nothing_is_no_comparison() -> None:
    with pytest.raises(InternalError):
        compare([])
