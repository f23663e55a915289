"""Commands that search, and that measure for the search: each reads its arguments, calls one function, and prints."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catdsl.acceptance import Acceptance
from catdsl.cli.app import app, say
from catdsl.cli.flags import (
    AcceptChanges,
    Budget,
    CountOption,
    Device,
    Format,
    FormatOption,
    Limit,
    Out,
    Overwrite,
    Scores,
    Seed,
    Set,
    Spec,
    TaylorData,
    Teacher,
    Times,
)
from catdsl.cli.guard import open_spec, show
from catdsl.cli.printing import put, put_json
from catdsl.project import Project

if TYPE_CHECKING:
    from catdsl.search.scores import Scores as ScoresByName


def _ranked_by(
    project: Project, scores: Path | None, teacher: Path | None, data: Path | None, *,
    device: str, seed: int, acceptance: Acceptance,
) -> "ScoresByName":  # fmt: skip
    """The scores of a search: read, or taken from a teacher."""
    from catdsl.jobs.planning import scores_for

    if project.settings.search.score != "taylor" or teacher is None or data is None or scores is not None:
        return scores_for(project, scores, teacher, seed=seed, acceptance=acceptance)
    from catdsl.jobs.setting import JobOptions, settle
    from catdsl.jobs.training import given_teacher, scores_of

    setting = settle(project, JobOptions(data, seed=seed, device=device), say)
    return scores_of(project, given_teacher(project, teacher, acceptance).module, setting)


@app.command()
def plan(
    spec: Spec, budget: Budget = None, count: CountOption = None,
    scores: Scores = None, teacher: Teacher = None, data: TaylorData = None,
    device: Device = "auto", seed: Seed = 0, times: Times = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="the student program to write")] = None,
    overwrite: Overwrite = False,
    format: FormatOption = Format.text, set_: Set = None,
    accept_changes: AcceptChanges = False, limit: Limit = None,
) -> None:  # fmt: skip
    """Search a student within a budget.

    Without -o the student program goes to a new folder, runs/NAME-plan.

    Example: catdsl plan specs/quickstart.cat --budget 25% --teacher runs/demo
    """
    from catdsl.jobs import planning
    from catdsl.jobs.operator_times import speed_of, times_for

    project = open_spec(spec, set_)
    if out is not None:
        planning.check_place(project, out, overwrite=overwrite, inputs=(scores, teacher, times))
    table = times_for(project, budget, times)
    asked = project.budget(budget, count.value if count else None, table)
    acceptance = Acceptance(accept_changes, say)
    ranked = _ranked_by(project, scores, teacher, data, device=device, seed=seed, acceptance=acceptance)
    found = project.plan(ranked, asked, table)
    speed, slow = speed_of(project, ranked, found, table)
    show((*found.warnings, *slow), project.sources)
    path = out or planning.free_plan_path(project)
    planning.save_plan(project, found, path, overwrite=overwrite)
    if format is Format.json:
        put_json(json.dumps(planning.plan_json(found, speed), indent=1))
    else:
        put(planning.plan_text(project, found, speed))
    say(f"written: {path}")


@app.command()
def sweep(
    spec: Spec,
    budgets: Annotated[str, typer.Option("--budgets", help="5%..60%, or a list: 5%,10%,2.6G")] = "5%..60%",
    count: CountOption = None, scores: Scores = None, teacher: Teacher = None, data: TaylorData = None,
    device: Device = "auto", seed: Seed = 0, times: Times = None, out: Out = None, overwrite: Overwrite = False,
    format: FormatOption = Format.text, set_: Set = None,
    accept_changes: AcceptChanges = False, limit: Limit = None,
) -> None:  # fmt: skip
    """Plan at many budgets: the front of cost against importance.

    Example: catdsl sweep specs/quickstart.cat --teacher runs/demo --budgets 10%..60%
    """
    from catdsl.jobs import sweep as job
    from catdsl.jobs.operator_times import times_for
    from catdsl.jobs.run_folder import default_folder
    from catdsl.jobs.targets import check_fresh, check_no_input, files_of

    project = open_spec(spec, set_)
    folder = check_fresh(out or default_folder(project, "-sweep"), overwrite=overwrite)
    for name in job.FILES:
        check_no_input(folder / name, (*files_of(project), scores, teacher, times))
    table = times_for(project, budgets, times)
    acceptance = Acceptance(accept_changes, say)
    found = _ranked_by(project, scores, teacher, data, device=device, seed=seed, acceptance=acceptance)
    front = job.sweep(project, found, job.budgets(budgets), count.value if count else None, table)
    show(tuple(dict.fromkeys(w for plan in front.plans for w in plan.warnings)), project.sources)
    written = job.write_front(project, front, folder, say=say)
    if format is Format.json:
        put_json(json.dumps(job.front_json(front), indent=1))
    else:
        put(job.front_text(front))
    for path in written:
        say(f"written: {path}")


@app.command("explain-plan")
def explain_plan(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="a run folder of compress")],
    keep: Annotated[
        list[str] | None, typer.Option("--keep", help="widths to keep whole: 'body.3.*'; repeatable")
    ] = None,
    floor: Annotated[int | None, typer.Option("--floor", min=0, help="another floor than the spec's")] = None,
    format: FormatOption = Format.text,
    accept_changes: AcceptChanges = False,
    limit: Limit = None,
) -> None:
    """Say why each width has its count; with --keep or --floor, what would be.

    Example: catdsl explain-plan runs/demo --keep 'body.0.*'
    """
    from catdsl.jobs import explain_plan as job

    found = job.explained(run, keep=tuple(keep or ()), floor=floor, acceptance=Acceptance(accept_changes, say))
    if format is Format.json:
        put_json(json.dumps(job.as_json(found), indent=1))
    else:
        put(job.as_text(found))


@app.command()
def measure(
    specs: Annotated[
        list[Path] | None, typer.Argument(metavar="[SPEC...]", help="specs to measure for; all that ship by default")
    ] = None,
    device: Device = "auto",
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="the table; by default one for this device in the cache folder")
    ] = None,
    overwrite: Overwrite = False,
    format: FormatOption = Format.text, set_: Set = None,
    limit: Limit = None,
) -> None:  # fmt: skip
    """Time the operators that students may need, for latency budgets.

    Example: catdsl measure specs/quickstart.cat
    """
    if set_ and not specs:
        raise typer.BadParameter("--set needs a SPEC whose parameters it sets")
    projects = [open_spec(spec, set_) for spec in specs or ()]
    from catdsl.jobs import measuring as job
    from catdsl.jobs.setting import choose_device

    times, path = job.measure(projects or job.shipped(), choose_device(device), out, overwrite=overwrite)
    if format is Format.json:
        put_json(job.as_json(times, path))
    else:
        put(job.as_text(times, path))
