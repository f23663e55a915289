"""The commands: each reads its arguments, calls one function, and prints."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from catdsl import __version__
from catdsl.cli.flags import (
    Budget,
    CheckFormat,
    CountOption,
    Data,
    Device,
    Format,
    FormatOption,
    Images,
    Out,
    Resume,
    Scores,
    Seed,
    Set,
    Source,
    Spec,
    Specs,
    Steps,
    Teacher,
    UseTeacher,
    Weights,
)
from catdsl.cli.guard import open_spec, overrides, show
from catdsl.diagnostics import CatError, Diagnostic, Severity
from catdsl.diagnostics.render import render_github, render_json
from catdsl.project import load

app = typer.Typer(
    name="catdsl", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    rich_markup_mode=None, help="A language and compiler for compressing image-to-image generators.",
)  # fmt: skip


@app.command()
def check(
    specs: Specs,
    format: Annotated[CheckFormat, typer.Option("--format", help="how mistakes are printed")] = CheckFormat.text,
    set_: Set = None,
) -> None:
    """Check specs whole: names, shapes, widths, settings.

    Example: catdsl check specs/*.cat
    """
    found: list[Diagnostic] = []
    sources: dict[str, str] = {}
    for path in specs:
        try:
            project = load(path, overrides(set_))
            _ = project.graph, project.cost
            found += project.warnings
            sources |= project.sources
        except CatError as error:
            found += error.diagnostics
            sources |= error.sources
    failed = any(d.severity is Severity.ERROR for d in found)
    match format:
        case CheckFormat.json:
            print(render_json(found))
        case CheckFormat.github:
            print(render_github(found), end="\n" if found else "")
        case CheckFormat.text:
            show(found, sources)
            if not failed:
                print(f"{len(specs)} file{'s' * (len(specs) > 1)} checked, no mistakes")
    raise typer.Exit(1 if failed else 0)


@app.command()
def fmt(
    specs: Specs,
    check: Annotated[bool, typer.Option("--check", help="write nothing; exit with 1 if a file would change")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="write nothing; print what would change")] = False,
) -> None:
    """Put specs into the canonical layout, in place.

    Example: catdsl fmt specs/*.cat
    """
    from catdsl.jobs.formatting import format_files

    done, error = format_files(specs)
    changed = [file for file in done if file.changes]
    for file in changed:
        if diff:
            print(file.difference(), end="")
        elif check:
            print(f"would format {file.path}")
        else:
            file.write()
            print(f"formatted {file.path}")
    if error is not None:
        raise error
    if not changed:
        _say(f"{len(done)} file{'s' * (len(done) > 1)}, nothing to format")
    raise typer.Exit(1 if check and changed else 0)


@app.command()
def info(spec: Spec, format: FormatOption = Format.text, set_: Set = None) -> None:
    """Cost, floor, space and widths of a spec.

    Example: catdsl info specs/resnet_inception.cat --set ngf=32
    """
    from catdsl.jobs import describe

    project = open_spec(spec, set_)
    print(json.dumps(describe.info(project), indent=2) if format is Format.json else describe.info_text(project))


@app.command()
def build(spec: Spec, out: Out = None, seed: Seed = 0, set_: Set = None) -> None:
    """Write graph, summary, module source and initial weights.

    Example: catdsl build specs/quickstart.cat -o built
    """
    project = open_spec(spec, set_)
    from catdsl.jobs.build import build as run
    from catdsl.jobs.run_folder import default_folder, fresh_folder

    folder = fresh_folder(out or default_folder(project, "-build"))
    for path in run(project, folder, seed=seed):
        print(path)


@app.command()
def graph(
    spec: Spec,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="an .svg file; the terminal by default")] = None,
    diff: Annotated[Path | None, typer.Option("--diff", help="draw SPEC against this larger network")] = None,
    set_: Set = None,
) -> None:
    """Draw the network; a student is drawn against its teacher.

    Example: catdsl graph runs/demo/student.cat -o student.svg
    """
    from catdsl.jobs import drawing

    project = open_spec(spec, set_)
    other = open_spec(diff, set_).graph if diff else (project.teacher_graph if project.student else None)
    if out is None:
        print(drawing.tree(project.graph, teacher=other))
        return
    drawing.draw(project.graph, out, teacher=other, subtitle=project.source.shown)
    print(out)


@app.command()
def plan(
    spec: Spec, budget: Budget = None, count: CountOption = None,
    scores: Scores = None, teacher: Teacher = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="the student program to write")] = None,
    format: FormatOption = Format.text, set_: Set = None,
) -> None:  # fmt: skip
    """Search a student within a budget.

    Example: catdsl plan specs/resnet_inception.cat --budget 2.6G --count paper --teacher runs/demo
    """
    from catdsl.jobs import planning

    project = open_spec(spec, set_)
    asked = project.budget(budget, count.value if count else None)
    found = project.plan(planning.scores_for(project, scores, teacher), asked)
    show(found.warnings, project.sources)
    path = out or planning.free_plan_path(project)
    planning.save_student(project, found, path)
    if format is Format.json:
        print(json.dumps(planning.plan_json(found), indent=1))
    else:
        print(planning.plan_text(project, found))
    print(f"written: {path}", file=sys.stderr)


@app.command()
def train(
    spec: Spec, data: Data = None, out: Out = None, steps: Steps = None, resume: Resume = False,
    device: Device = "auto", seed: Seed = 0, set_: Set = None,
) -> None:  # fmt: skip
    """Train the teacher.

    Example: catdsl train specs/facades_quick.cat --data facades -o runs/facades
    """
    project = open_spec(spec, set_)
    from catdsl.jobs.run_folder import default_folder
    from catdsl.jobs.setting import JobOptions
    from catdsl.jobs.train import train as run

    folder = out or default_folder(project)
    with _stoppable(folder):
        print(run(project, folder, JobOptions(data, seed, steps, device, resume), say=_say))


@app.command()
def distill(
    spec: Spec,
    student: Annotated[Path, typer.Option("--student", help="the student program that `plan` wrote")],
    teacher: Annotated[Path, typer.Option("--teacher", help="a run folder, or a weights file")],
    data: Data = None, out: Out = None, steps: Steps = None, resume: Resume = False,
    device: Device = "auto", seed: Seed = 0, set_: Set = None,
) -> None:  # fmt: skip
    """Train a student with its teacher.

    Example: catdsl distill specs/quickstart.cat --student student.cat --teacher runs/teacher
    """
    project = open_spec(spec, set_)
    from catdsl.jobs.distill import distill as run
    from catdsl.jobs.run_folder import default_folder
    from catdsl.jobs.setting import JobOptions

    options = JobOptions(data, seed, steps, device, resume)
    folder = out or default_folder(project)
    with _stoppable(folder):
        done = run(project, open_spec(student, None), teacher, folder, options, say=_say)
        _print_result(folder, done.result)


@app.command()
def compress(
    spec: Spec, budget: Budget = None, data: Data = None, out: Out = None, teacher: Teacher = None,
    count: CountOption = None, steps: Steps = None, resume: Resume = False,
    device: Device = "auto", seed: Seed = 0, set_: Set = None,
) -> None:  # fmt: skip
    """Train the teacher if there is none, search, distil and compare: one run folder.

    Example: catdsl compress specs/quickstart.cat --budget 25%
    """
    project = open_spec(spec, set_)
    from catdsl.jobs.compress import compress as run
    from catdsl.jobs.run_folder import default_folder
    from catdsl.jobs.setting import JobOptions

    options = JobOptions(data, seed, steps, device, resume)
    folder = out or default_folder(project)
    asked = count.value if count else None
    with _stoppable(folder):
        done = run(project, folder, options, budget=budget, count=asked, teacher=teacher, say=_say)
        _print_result(folder, done.result)


@app.command()
def translate(
    source: Source,
    images: Images,
    out: Annotated[Path, typer.Option("-o", "--out", help="folder for the results")],
    weights: Weights = None, use_teacher: UseTeacher = False,
    device: Device = "auto", set_: Set = None,
) -> None:  # fmt: skip
    """Images in, images out.

    Example: catdsl translate runs/demo photos -o painted
    """
    from catdsl.jobs.setting import choose_device
    from catdsl.jobs.translate import find_images, translate, translator

    network = translator(source, weights, overrides(set_), teacher=use_teacher)
    _say(f"weights  {network.shown}")
    for path in translate(network, find_images(images), out, device=choose_device(device)):
        print(path)


@app.command()
def explain(
    topic: Annotated[str | None, typer.Argument(metavar="CODE|OPERATOR", help="such as E301, or conv")] = None,
) -> None:
    """The page of an error code or an operator; alone, all codes.

    Example: catdsl explain E301
    """
    from catdsl.jobs import explaining

    print(explaining.codes() if topic is None else explaining.plain(explaining.explain(topic)))


@app.command("import-weights")
def import_weights(
    spec: Spec,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a checkpoint: .safetensors, .pth or .pt")],
    out: Annotated[Path, typer.Option("-o", "--out", help="the .safetensors file to write")],
    set_: Set = None,
) -> None:
    """Weights of a released network, for the spec that describes it.

    Example: catdsl import-weights specs/resnet_inception.cat latest_net_G.pth -o teacher.safetensors
    """
    project = open_spec(spec, set_)
    from catdsl.jobs.importing import import_file

    for line in import_file(project, file, out):
        _say(line)
    print(out)


def _version(asked: bool) -> None:
    if asked:
        print(f"catdsl {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """A language and compiler for compressing image-to-image generators."""


def _say(line: str) -> None:
    print(line, file=sys.stderr)


@contextmanager
def _stoppable(folder: Path) -> Iterator[None]:
    """Say how to go on where a training is stopped."""
    from catdsl.jobs.training import Stopped

    try:
        yield
    except Stopped as stopped:
        _say(f"{stopped}; continue it with --resume -o {folder}")
        raise typer.Exit(1) from None


def _print_result(folder: Path, result: Mapping[str, object]) -> None:
    from rich.console import Console

    from catdsl.jobs.comparison import table
    from catdsl.jobs.run_folder import RunFolder

    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print(table(dict(result)))
    run = RunFolder(folder)
    seen = (run.picture, run.drawing, run.student_program, run.student, run.result)
    for path in seen:
        if path.exists():
            print(path)
