"""`compare`: runs side by side, from the reports that `evaluate` wrote."""

from collections.abc import Sequence
from pathlib import Path

from catdsl.acceptance import STRICT, Acceptance
from catdsl.diagnostics import CatError
from catdsl.jobs.replacing import replacing
from catdsl.jobs.run_folder import WEIGHTS, RunFolder, existing_run
from catdsl.jobs.targets import check_target, made_by, write_marked
from catdsl.reading import Door, read_bytes, read_text
from catdsl.view.report.comparison import Comparison, compare, plotted_metric
from catdsl.view.report.comparison_forms import comparison_html, comparison_json, comparison_markdown
from catdsl.view.report.comparison_plot import comparison_plot
from catdsl.view.report.content import Report
from catdsl.view.report.files import JSON
from catdsl.view.report.serial import from_json

NAME = "comparison"
COMMAND = "compare"
_REPORT_DOOR = Door("report", "E603", "json", "evaluate the run again")
_PICTURE_DOOR = Door("picture", "E602", "picture", "evaluate the run again")


def compare_runs(runs: Sequence[Path], *, metric: str | None = None, acceptance: Acceptance) -> Comparison:
    """The runs' reports side by side; says which of them are older than their networks.

    Raises CatError E603 for a folder that is no run, or not evaluated, E607 for a `metric` that not all have.
    """
    twice = [run for index, run in enumerate(runs) if run.resolve() in {other.resolve() for other in runs[:index]}]
    if twice:
        raise CatError.one("E603", f"the run {twice[0]} is given twice", help="give each run once")
    opened = [existing_run(run, acceptance) for run in runs]
    for run in filter(_stale, opened):
        acceptance.say(f"warning: {run.path} was trained after it was evaluated; evaluate it again")
    comparison = compare([_report(run, acceptance) for run in opened])
    plotted_metric(comparison, metric)
    return comparison


def write_comparison(
    comparison: Comparison, runs: Sequence[Path], folder: Path, *, metric: str | None = None,
    overwrite: bool = False, acceptance: Acceptance = STRICT,
) -> tuple[Path, ...]:  # fmt: skip
    """Write comparison.html, .md, .svg and .json into `folder`; `metric` is the plot's.

    Raises CatError E602 where a picture of a run is missing, E607 for a metric that the runs have not, E608.
    """
    plotted = plotted_metric(comparison, metric)
    plot = plotted and comparison_plot(comparison, plotted, alone=True)
    # Images of one name are of one scene only where the data are the same.
    alike = len({(report.data.folder, report.data.held_out) for report in comparison.reports}) == 1
    shown = zip(runs, comparison.reports, strict=True) if alike else ()
    pictures = [_pictures(existing_run(run, acceptance), report) for run, report in shown]
    texts = {
        f"{NAME}.html": comparison_html(comparison, pictures, metric=plotted),
        f"{NAME}.md": comparison_markdown(comparison, plot=f"{NAME}.svg" if plot else None),
        f"{NAME}.json": comparison_json(comparison),
    }
    if plot:
        texts[f"{NAME}.svg"] = plot
    for name in texts:
        check_target(folder / name, COMMAND, overwrite=overwrite)
    stale = folder / f"{NAME}.svg"
    own = {*texts, stale.name} if stale.is_file() and made_by(stale, COMMAND) else set(texts)
    with replacing(folder, own=lambda _: own, say=acceptance.say, shared=True) as made:
        for name, text in texts.items():
            write_marked(made / name, text, COMMAND, overwrite=overwrite)
    if not plot and stale.name in own:
        stale.unlink(missing_ok=True)
    return tuple(folder / name for name in texts)


def _report(run: RunFolder, acceptance: Acceptance) -> Report:
    path = run.report / JSON
    if not path.is_file():
        raise CatError.one(
            "E603", f"the run {run.path} has not been evaluated",
            help=f"run `catdsl evaluate {run.path} --data DIR` first",
        )  # fmt: skip
    return from_json(read_text(path, _REPORT_DOOR), name=str(path), run=run.id, acceptance=acceptance)


def _stale(folder: RunFolder) -> bool:
    """Whether a network of the run is younger than its report."""
    report = folder.report / JSON
    weights = (part / WEIGHTS for part in (folder.teacher, folder.student))
    made = [path.stat().st_mtime for path in weights if path.is_file()]
    return report.is_file() and bool(made) and max(made) > report.stat().st_mtime


def _pictures(run: RunFolder, report: Report) -> dict[str, bytes]:
    files = {file for example in report.examples for _, file in example.pictures()}
    places = {file: run.confined(str(run.report.relative_to(run.path) / file)) for file in files}
    return {file: read_bytes(place, _PICTURE_DOOR) for file, place in places.items() if place.is_file()}
