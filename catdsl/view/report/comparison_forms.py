"""A comparison of runs as Markdown, as JSON, and as one HTML file with its pictures."""

import json
from collections.abc import Iterator, Mapping, Sequence

from catdsl.diagnostics.printable import printable_json
from catdsl.view.report.comparison import (
    Comparison,
    comparison_values,
    cost_columns,
    metric_columns,
    plotted_metric,
)
from catdsl.view.report.comparison_plot import Across, comparison_plot
from catdsl.view.report.content import INPUT, STUDENT, TARGET, TEACHER, Metric
from catdsl.view.report.elements import facts, table
from catdsl.view.report.html import shown_examples
from catdsl.view.report.markdown import as_grid, plain
from catdsl.view.report.markup import Html, element, joined
from catdsl.view.report.page import contents, page, section
from catdsl.view.report.serial import json_values
from catdsl.view.report.summary import summary
from catdsl.view.report.tables import EXACT_MEANS, PAPER_MEANS, Table, remarks
from catdsl.view.report.viewer import Shown, viewer
from catdsl.view.report.wording import counted, unbroken, when

_WIDE, _NARROW = 860, 368


def comparison_markdown(comparison: Comparison, *, plot: str | None = None) -> str:
    """The table with what was not measured alike; `plot` is the file of the plot, if there is one."""
    parts = [
        f"# {counted(len(comparison.runs), 'run')} side by side",
        as_grid(cost_columns(comparison)),
        as_grid(metric_columns(comparison)),
        "\n".join(f"- **warning:** {plain(note)}" for note in comparison.notes),
        "\n".join(f"- {plain(words)}" for words in _explained(comparison)),
        f"![fidelity against cost]({plot})" if plot else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def comparison_json(comparison: Comparison) -> str:
    """JSON of every row."""
    values = json_values(comparison_values(comparison))
    return printable_json(json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False)) + "\n"


def comparison_html(
    comparison: Comparison, pictures: Sequence[Mapping[str, bytes]] = (), *,
    metric: Metric | None = None, across: Across = "macs",
) -> str:  # fmt: skip
    """One file with the table, the plot and the pictures of the runs.

    `pictures` has, for every report in order, a PNG for each file that its examples name; without
    it no picture is shown. `metric` is the plot's, by default the first that all runs have.
    Raises CatError E602 where a picture is missing or no PNG.
    """
    title = f"{counted(len(comparison.runs), 'run')} side by side"
    parts = [part for part in _sections(comparison, pictures, metric, across) if part[2] is not None]
    head = element(
        "header",
        element("h1", title),
        element("p", ", ".join(comparison.runs), class_="about"),
        contents({key: name for key, name, _ in parts}),
    )
    body = element("main", head, joined(section(*part) for part in parts))
    return page(title, body, json_values(comparison_values(comparison)))


def _sections(
    comparison: Comparison, pictures: Sequence[Mapping[str, bytes]], metric: Metric | None, across: Across
) -> Iterator[tuple[str, str, Html | None]]:
    notes = (element("li", element("b", "Warning: "), note, class_="warning") for note in comparison.notes)
    words = (element("p", line, class_="muted small") for line in _explained(comparison))
    yield (
        "table",
        "Side by side",
        joined(
            (
                table(cost_columns(comparison), caption="Costs and time"),
                table(metric_columns(comparison), caption="Fidelity"),
                element("ul", joined(notes), class_="notes") if comparison.notes else None,
                *words,
            )
        ),
    )
    yield "plot", "Fidelity against cost", _plots(comparison, metric or plotted_metric(comparison), across)
    sides = [row.name for row in comparison.rows if row.part == STUDENT]
    shown = _shown(comparison, pictures) if pictures else ()
    yield "pictures", "Pictures", viewer(shown, (sides[0], sides[1]) if len(sides) > 1 else (TEACHER, TARGET))
    yield "runs", "The runs", joined(_run(run, i, comparison) for i, run in enumerate(comparison.runs))


def _plots(comparison: Comparison, metric: Metric | None, across: Across) -> Html | None:
    if metric is None:
        return element("p", "There is no metric that all of these runs have.")
    drawn = [comparison_plot(comparison, metric, across=across, width=width) for width in (_WIDE, _NARROW)]
    if drawn[0] is None or drawn[1] is None:
        return None
    words = (
        "Squares are teachers, discs students; lines join a student with its teacher. Upright lines are intervals. "
        "Marks at nearly the same cost stand side by side."
    )
    return joined(
        (
            element("p", words, class_="muted small"),
            element("div", Html(drawn[0]), class_="wide"),
            element("div", Html(drawn[1]), class_="narrow"),
        )
    )


def _shown(comparison: Comparison, pictures: Sequence[Mapping[str, bytes]]) -> tuple[Shown, ...]:
    """Examples by name, with what each run made of them; those that all runs have, if there are such."""
    teachers = {run: row.name for row in comparison.rows if row.part == TEACHER for run in row.runs}
    found: dict[str, dict[str, bytes]] = {}
    often: dict[str, int] = {}
    for run, report, files in zip(comparison.runs, comparison.reports, pictures, strict=True):
        named = {TEACHER: teachers[run], STUDENT: run}
        for example in shown_examples(report, files):
            often[example.name] = often.get(example.name, 0) + 1
            for role, png in example.images:
                found.setdefault(example.name, {}).setdefault(named.get(role, role), png)
    everywhere = [name for name in found if often[name] == len(comparison.runs)] or list(found)
    roles = (INPUT, *(row.name for row in comparison.rows), TARGET)
    return tuple(
        Shown(name, tuple((role, found[name][role]) for role in roles if role in found[name])) for name in everywhere
    )


def _run(run: str, index: int, comparison: Comparison) -> Html:
    report = comparison.reports[index]
    data = f"{report.data.folder}, {counted(report.data.held_out, 'image')} held out"
    cells = (
        ("folder", report.run),
        ("spec", f"{report.spec} ({report.system})"),
        ("data", data),
        ("written", when(report.date)),
        ("seed", str(report.seed)),
    )
    sentences = (element("li", unbroken(words)) for words in summary(report))
    return joined(
        (element("h3", run), facts(Table(("", ""), cells)), element("ul", joined(sentences), class_="outcome spaced"))
    )


def _explained(comparison: Comparison) -> Iterator[str]:
    yield EXACT_MEANS
    yield PAPER_MEANS
    for metric in comparison.metrics:
        words = " ".join(remarks(metric))
        if words:
            yield f"{metric.name}: {words}"
