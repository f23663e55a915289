"""A report as Markdown, its pictures and plots beside it: for those who read it where the code is kept."""

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from catdsl.diagnostics.printable import printable_lines
from catdsl.view.report.chart_plot import described, render_chart
from catdsl.view.report.content import INPUT, STUDENT, TARGET, TEACHER, Chart, Example, Report
from catdsl.view.report.summary import summary
from catdsl.view.report.tables import (
    EXACT_MEANS,
    NOTHING,
    PAPER_MEANS,
    Table,
    asked_table,
    bounds_table,
    class_table,
    cost_table,
    environment_table,
    metric_table,
    remarks,
    timing_table,
    timing_words,
)
from catdsl.view.report.wording import image_size, when

# What Markdown, or the dialects in use, may take for markup anywhere in a line; `\` comes first.
_MARKS = re.compile(r"([\\`*_{}\[\]<>|&~$])")
# What begins a heading, a quotation, a list or a rule at the beginning of a line.
_BEGINNINGS = re.compile(r"^(?:(#{1,6}|[+-])(?=\s|$)|(-{3}|={2})|(\d+)(?=[.)](?:\s|$)))")
_ROLES = (INPUT, TEACHER, STUDENT, TARGET)


def render_markdown(report: Report) -> str:
    """The text. It links to the files that the examples name, and to those of `chart_files`."""
    return "\n\n".join(part for part in _parts(report) if part) + "\n"


def chart_files(report: Report) -> Mapping[str, str]:
    """The plots that the Markdown shows: SVG by file name, relative to it."""
    return {chart_file(chart): render_chart(chart, alone=True) for chart in report.charts}


def chart_file(chart: Chart) -> str:
    """Where the plot of a chart lies."""
    return f"{re.sub(r'[^A-Za-z0-9_-]', '_', chart.key)}.svg"


def _parts(report: Report) -> Iterator[str]:
    yield f"# {plain(report.title)}"
    yield plain(f"{report.spec}, {report.system}; {when(report.date)}; seed {report.seed}; run {report.run}")
    yield "## What was asked"
    yield as_grid(asked_table(report))
    yield _maybe(bounds_table(report))
    yield "## What came out"
    yield _list(summary(report))
    yield _list((f"**{note.kind}:** {cell(note.text)}" for note in report.notes), escaped=True)
    yield from _examples(report.examples)
    yield from _metrics(report)
    yield "## Cost"
    yield f"At an input of {image_size(report.size)}, one image."
    yield as_grid(cost_table(report))
    yield _list((EXACT_MEANS, PAPER_MEANS))
    if report.timings:
        yield "## Speed"
    for timing in report.timings:
        yield as_grid(timing_table(timing))
        yield plain(timing_words(timing))
    yield from _widths(report)
    yield from _charts(report)
    environment = environment_table(report)
    if environment is not None:
        yield "## Environment"
        yield as_grid(environment)
    if report.commands:
        yield "## How to reproduce it"
        yield _fenced(report.commands)


def _examples(examples: tuple[Example, ...]) -> Iterator[str]:
    shown = [(example, dict(example.pictures())) for example in examples]
    roles = [role for role in _ROLES if any(role in files for _, files in shown)]
    if not roles:
        return
    yield "## Pictures"
    head = ("", *roles)
    rows = ((cell(example.name), *(_image(role, example, files) for role in roles)) for example, files in shown)
    yield _grid(head, rows)


def _image(role: str, example: Example, files: Mapping[str, str]) -> str:
    return f"![{role}, {cell(example.name)}]({_link(files[role])})" if role in files else NOTHING


def _metrics(report: Report) -> Iterator[str]:
    if report.metrics:
        yield "## Metrics"
        yield _maybe(metric_table(report))
        words = (f"**{cell(metric.name)}:** {cell(' '.join(remarks(metric)))}" for metric in report.metrics)
        yield _list(words, escaped=True)
    classes = class_table(report)
    if classes is not None and report.segmentation is not None:
        yield "## Segmentation"
        yield "Intersection over union by class, larger is better."
        yield as_grid(classes)
        yield plain(report.segmentation.protocol)


def _widths(report: Report) -> Iterator[str]:
    if not report.widths:
        return
    yield "## Widths"
    rows = (
        (
            cell(width.block),
            cell(width.name),
            str(width.teacher),
            str(width.student),
            "vanished" if width.vanished else f"{100 * width.kept:.0f} %",
        )
        for width in report.widths
    )
    yield _grid(("block", "width", TEACHER, STUDENT, "kept"), rows)


def _charts(report: Report) -> Iterator[str]:
    if report.charts:
        yield "## Training"
    for chart in report.charts:
        yield f"### {plain(chart.title)}"
        yield f"![{cell(described(chart))}]({_link(chart_file(chart))})"


def plain(text: str) -> str:
    """Text in one line that Markdown shows as it is, also where the line begins with it."""
    return _BEGINNINGS.sub(lambda found: f"{found[3]}\\" if found[3] else f"\\{found[0]}", cell(text))


def cell(text: str) -> str:
    """The same for the inside of a line or of a table, where fewer things are markup."""
    printable = "".join(char if char.isprintable() else " " for char in _characters(text))
    return _MARKS.sub(r"\\\1", printable.strip())


def _characters(text: str) -> str:
    """Without the halves of characters that names of files may hold, and no text file may."""
    return text.encode("utf-8", "replace").decode()


def _link(file: str) -> str:
    return quote(file, safe="/", errors="replace")


def _maybe(cells: Table | None) -> str:
    return "" if cells is None else as_grid(cells)


def as_grid(cells: Table) -> str:
    """A table of Markdown."""
    return _grid(tuple(map(cell, cells.columns)), (tuple(map(cell, row)) for row in cells.rows))


def _grid(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table of cells that are escaped already; all but the first column to the right, unless two are all."""
    rules = ("---", *("---:" if len(head) > 2 else "---",) * (len(head) - 1))
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rules, *rows))


def _list(items: Iterable[str], *, escaped: bool = False) -> str:
    return "\n".join(f"- {item if escaped else plain(item)}" for item in items)


def _fenced(lines: tuple[str, ...]) -> str:
    """Code, between fences longer than any in it."""
    text = printable_lines("\n".join(lines))
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}sh\n{text}\n{fence}"
