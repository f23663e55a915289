"""A report as one HTML file that needs nothing else: no network, no other files, no installation."""

from collections.abc import Iterator, Mapping

from catdsl.diagnostics import CatError
from catdsl.view.report.chart_plot import render_chart
from catdsl.view.report.content import STUDENT, TARGET, TEACHER, Metric, Note, Report
from catdsl.view.report.elements import commands, facts, table
from catdsl.view.report.markup import Html, element, joined
from catdsl.view.report.measures import metric_card
from catdsl.view.report.page import contents, page, section
from catdsl.view.report.serial import as_values
from catdsl.view.report.summary import summary
from catdsl.view.report.tables import (
    EXACT_MEANS,
    PAPER_MEANS,
    asked_table,
    bounds_table,
    class_table,
    cost_table,
    environment_table,
    milliseconds,
    timing_table,
    timing_words,
)
from catdsl.view.report.viewer import Shown, viewer
from catdsl.view.report.width_bars import width_bars
from catdsl.view.report.wording import counted, figures_of, image_size, share, unbroken, when


def render_html(report: Report, pictures: Mapping[str, bytes]) -> str:
    """The page. `pictures` has a PNG for every file that the report's examples name.

    Raises CatError E602 where one is missing or no PNG.
    """
    kept = [(key, title, part) for key, title, part in _sections(report, pictures) if part is not None]
    head = element(
        "header",
        element("h1", report.title),
        element("p", _about(report), class_="about"),
        contents({key: title for key, title, _ in kept}),
    )
    words = f"Written by catdsl from the run {report.run}. All of it is in this one file."
    foot = element("footer", element("p", words))
    body = element("main", head, joined(section(key, title, part) for key, title, part in kept), foot)
    return page(report.title, body, as_values(report))


def _sections(report: Report, pictures: Mapping[str, bytes]) -> Iterator[tuple[str, str, Html | None]]:
    """What the page is made of: a word for links, a title, and what stands there, if anything."""
    yield "asked", "What was asked", _asked(report)
    yield "outcome", "What came out", _outcome(report)
    yield "pictures", "Pictures", _pictures(report, pictures)
    yield "metrics", "Metrics", _metrics(report)
    yield "classes", "Segmentation", _classes(report)
    yield "cost", "Cost", _costs(report)
    yield "speed", "Speed", _times(report)
    yield "widths", "Widths", _widths(report)
    yield "training", "Training", _training(report)
    yield "environment", "Environment", _surroundings(report)
    yield "reproduce", "How to reproduce it", commands(report.commands) if report.commands else None


def shown_examples(report: Report, pictures: Mapping[str, bytes]) -> tuple[Shown, ...]:
    """The examples with their pictures. Raises CatError E602 where one is missing."""
    return tuple(
        Shown(example.name, tuple((role, _picture(file, pictures)) for role, file in example.pictures()))
        for example in report.examples
    )


def _picture(file: str, pictures: Mapping[str, bytes]) -> bytes:
    if file not in pictures:
        raise CatError.one(
            "E602", f"the report shows {file}, which is missing", help="evaluate the run again; it is then remade"
        )
    return pictures[file]


def _about(report: Report) -> str:
    data = f"{report.data.folder} ({counted(report.data.held_out, 'image')} held out)"
    return f"{report.spec}, {report.system}; {data}; {when(report.date)}; seed {report.seed}"


def _asked(report: Report) -> Html:
    bounds = bounds_table(report)
    limits = None if bounds is None else table(bounds, caption="The budget's limits")
    return joined((facts(asked_table(report)), limits))


def _outcome(report: Report) -> Html:
    sentences = element("ul", joined(element("li", unbroken(words)) for words in summary(report)), class_="outcome")
    notes = element("ul", joined(map(_note, report.notes)), class_="notes") if report.notes else None
    return joined((_key(report), sentences, notes))


def _note(note: Note) -> Html:
    if note.kind == "note":
        return element("li", note.text)
    return element("li", element("b", "Warning: "), note.text, class_="warning")


def _key(report: Report) -> Html | None:
    figures = tuple(_key_figures(report))
    entries = (element("div", element("dt", unbroken(name)), element("dd", value)) for name, value in figures)
    return element("dl", joined(entries), class_="key") if figures else None


def _key_figures(report: Report) -> Iterator[tuple[str, str]]:
    """The few numbers that a reader looks for first."""
    teacher, student = report.teacher, report.student
    if student is None:
        return
    yield "of the teacher's MACs (exact)", share(student.exact, teacher.exact)
    yield "of its parameters", share(student.params, teacher.params)
    timing = next((t for t in report.timings if t.of(TEACHER) and t.of(STUDENT)), None)
    times = (timing.of(TEACHER), timing.of(STUDENT)) if timing else (None, None)
    if times[0] is not None and times[1] is not None:
        yield f"per image; the teacher takes {milliseconds(times[0].median)}", milliseconds(times[1].median)
    metric = next((m for m in report.metrics if m.of(STUDENT)), None)
    if metric is not None:
        yield _metric_name(metric), figures_of(metric)[STUDENT][0]


def _metric_name(metric: Metric) -> str:
    words = figures_of(metric)
    return f"{metric.name}; the teacher has {words[TEACHER][0]}" if TEACHER in words else metric.name


def _pictures(report: Report, pictures: Mapping[str, bytes]) -> Html | None:
    sides = (TEACHER, STUDENT) if report.student is not None else (TEACHER, TARGET)
    return viewer(shown_examples(report, pictures), sides)


def _metrics(report: Report) -> Html | None:
    return element("div", joined(map(metric_card, report.metrics)), class_="metrics") if report.metrics else None


def _classes(report: Report) -> Html | None:
    cells = class_table(report)
    if cells is None or report.segmentation is None:
        return None
    about = element("p", report.segmentation.protocol, class_="muted small")
    return joined((table(cells, caption="Intersection over union by class, larger is better"), about))


def _costs(report: Report) -> Html:
    caption = f"At an input of {image_size(report.size)}, one image"
    words = (element("p", means, class_="muted small") for means in (EXACT_MEANS, PAPER_MEANS))
    return joined((table(cost_table(report), caption=caption), *words))


def _times(report: Report) -> Html | None:
    tables = [table(timing_table(timing), caption=timing_words(timing)) for timing in report.timings]
    return joined(tables) if tables else None


def _widths(report: Report) -> Html | None:
    if not report.widths:
        return None
    about = element("p", "A bar is as long as the teacher's width, and filled as far as the student keeps it.")
    return joined((about, width_bars(report.widths)))


def _training(report: Report) -> Html | None:
    if not report.charts:
        return None
    plots = (element("div", element("h3", chart.title), Html(render_chart(chart))) for chart in report.charts)
    about = "Pale lines: the lowest and highest of every few steps. Strong lines: means; the legend has the last ones."
    return joined((element("p", about, class_="muted small"), element("div", joined(plots), class_="plots")))


def _surroundings(report: Report) -> Html | None:
    cells = environment_table(report)
    return None if cells is None else facts(cells)
