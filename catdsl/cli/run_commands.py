"""Commands that train and translate: each reads its arguments, calls one function, and prints."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from catdsl.acceptance import Acceptance
from catdsl.cli.app import app, say, show_paths, typed
from catdsl.cli.flags import (
    AcceptChanges,
    Budget,
    CountOption,
    Data,
    Device,
    Devices,
    Format,
    FormatOption,
    Images,
    Limit,
    Out,
    Overwrite,
    Resume,
    Seed,
    Set,
    Source,
    Spec,
    Steps,
    Teacher,
    TensorBoard,
    Times,
    UseTeacher,
    Vgg,
    Weights,
)
from catdsl.cli.guard import open_spec, overrides_of
from catdsl.cli.printing import put_json, put_table
from catdsl.cli.speaking import speaks
from catdsl.diagnostics.shell import shell_word
from catdsl.project import Project


@app.command()
def train(
    spec: Spec, data: Data = None, out: Out = None, steps: Steps = None, resume: Resume = False,
    device: Device = "auto", devices: Devices = None, seed: Seed = 0, vgg: Vgg = None,
    accept_changes: AcceptChanges = False, tensorboard: TensorBoard = False,
    format: FormatOption = Format.text, set_: Set = None,
    limit: Limit = None,
) -> None:  # fmt: skip
    """Train the teacher.

    Example: catdsl train specs/facades_quick.cat --data facades -o runs/facades
    """
    project = open_spec(spec, set_)
    folder = _folder(project, out, resume=resume, accept_changes=accept_changes, seed=seed, steps=steps)
    from catdsl.jobs.setting import JobOptions
    from catdsl.jobs.train import train as run

    options = JobOptions(
        data, seed=seed, steps=steps, device=device, resume=resume, devices=devices, vgg=vgg,
        accept_changes=accept_changes, tensorboard=tensorboard, command=typed(),
    )  # fmt: skip
    with _stoppable(folder):
        show_paths([run(project, folder, options, say=say)], format)


@app.command()
def distill(
    spec: Spec,
    student: Annotated[Path, typer.Option("--student", help="the student program that `plan` wrote")],
    teacher: Annotated[Path, typer.Option("--teacher", help="a run folder, or a weights file")],
    data: Data = None, out: Out = None, steps: Steps = None, resume: Resume = False,
    device: Device = "auto", devices: Devices = None, seed: Seed = 0, vgg: Vgg = None,
    accept_changes: AcceptChanges = False, tensorboard: TensorBoard = False,
    format: FormatOption = Format.text, set_: Set = None,
    limit: Limit = None,
) -> None:  # fmt: skip
    """Train a student with its teacher.

    Example: catdsl distill specs/quickstart.cat --student student.cat --teacher runs/teacher
    """
    project = open_spec(spec, set_)
    folder = _folder(project, out, resume=resume, accept_changes=accept_changes, seed=seed, steps=steps)
    from catdsl.jobs.distill import distill as run
    from catdsl.jobs.setting import JobOptions

    options = JobOptions(
        data, seed=seed, steps=steps, device=device, resume=resume, devices=devices, vgg=vgg,
        accept_changes=accept_changes, tensorboard=tensorboard, command=typed(),
    )  # fmt: skip
    with _stoppable(folder):
        done = run(project, open_spec(student, None), teacher, folder, options, say=say)
        _print_result(folder, done.result, format)


@app.command()
def compress(
    spec: Spec, budget: Budget = None, data: Data = None, out: Out = None, teacher: Teacher = None,
    count: CountOption = None, steps: Steps = None, resume: Resume = False,
    device: Device = "auto", devices: Devices = None, seed: Seed = 0, vgg: Vgg = None,
    accept_changes: AcceptChanges = False, tensorboard: TensorBoard = False,
    times: Times = None, format: FormatOption = Format.text, set_: Set = None,
    limit: Limit = None,
) -> None:  # fmt: skip
    """Train the teacher if there is none, search, distil and compare: one run folder.

    Example: catdsl compress specs/quickstart.cat --budget 25%
    """
    project = open_spec(spec, set_)
    folder = _folder(project, out, resume=resume, accept_changes=accept_changes, seed=seed, steps=steps)
    from catdsl.jobs.compress import compress as run
    from catdsl.jobs.setting import JobOptions

    options = JobOptions(
        data, seed=seed, steps=steps, device=device, resume=resume, devices=devices, vgg=vgg,
        accept_changes=accept_changes, tensorboard=tensorboard, command=typed(),
    )  # fmt: skip
    asked = count.value if count else None
    with _stoppable(folder):
        done = run(project, folder, options, budget=budget, count=asked, teacher=teacher, say=say, times=times)
        _print_result(folder, done.result, format)


@app.command()
def translate(
    source: Source,
    images: Images,
    out: Annotated[Path, typer.Option("-o", "--out", help="folder for the results")],
    overwrite: Overwrite = False,
    weights: Weights = None, use_teacher: UseTeacher = False,
    device: Device = "auto", format: FormatOption = Format.text, set_: Set = None,
    accept_changes: AcceptChanges = False, limit: Limit = None,
) -> None:  # fmt: skip
    """Images in, images out.

    Example: catdsl translate runs/demo photos -o painted
    """
    from catdsl.jobs.setting import choose_device
    from catdsl.jobs.translate import find_images, translate, translator

    network = translator(
        source, weights, overrides_of(source, set_, teacher=use_teacher), teacher=use_teacher,
        acceptance=Acceptance(accept_changes, say),
    )  # fmt: skip
    say(f"weights  {network.shown}")
    device = choose_device(device)
    show_paths(translate(network, find_images(images), out, device=device, overwrite=overwrite), format)


@app.command("import-weights")
def import_weights(
    spec: Spec,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a checkpoint: .safetensors, .pth or .pt")],
    out: Annotated[Path, typer.Option("-o", "--out", help="the .safetensors file to write")],
    overwrite: Overwrite = False,
    format: FormatOption = Format.text,
    set_: Set = None,
    accept_changes: AcceptChanges = False,
    limit: Limit = None,
) -> None:
    """Weights of a released network, for the spec that describes it.

    Example: catdsl import-weights specs/resnet_inception.cat latest_net_G.pth -o teacher.safetensors
    """
    project = open_spec(spec, set_)
    from catdsl.jobs.importing import import_file

    for line in import_file(project, file, out, overwrite=overwrite, acceptance=Acceptance(accept_changes, say)):
        say(line)
    show_paths([out], format)


def _folder(
    project: Project, out: Path | None, *, resume: bool, accept_changes: bool, seed: int, steps: int | None
) -> Path:
    """Where a run lies; a name that was mistyped after --resume shall not go unseen.

    A run that cannot go on with this spec is refused here, before torch is loaded and data are opened.
    """
    from catdsl.jobs.run_folder import default_folder
    from catdsl.jobs.run_opening import check_spec

    folder = out or default_folder(project)
    if resume and not folder.exists():
        say(f"there is no run at {folder} to resume: a new one begins")
    elif resume and not accept_changes:
        check_spec(folder, project, {"seed": seed, "steps": steps})
    return folder


@contextmanager
def _stoppable(folder: Path) -> Iterator[None]:
    """Say how to go on where a training is stopped."""
    from catdsl.jobs.training import Stopped
    from catdsl.train.processes import leaving

    try:
        with leaving():
            yield
    except Stopped as stopped:
        say(f"{stopped}; continue it with --resume -o {shell_word(str(folder))}")
        # Where another process than the first ended with an error, its launcher would kill the first.
        raise typer.Exit(1 if speaks() else 0) from None


def _print_result(folder: Path, result: Mapping[str, object], format: Format) -> None:
    if not speaks():
        return
    if format is Format.json:
        put_json(json.dumps(result, indent=1))
        return
    from catdsl.jobs.comparison import table
    from catdsl.jobs.run_folder import RunFolder

    put_table(table(dict(result)))
    run = RunFolder(folder)
    seen = (run.picture, run.drawing, run.student_program, run.student, run.result)
    show_paths([path for path in seen if path.exists()], format)
