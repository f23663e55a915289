"""The command that exports networks: it reads its arguments, calls one function, and prints."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catdsl.acceptance import Acceptance
from catdsl.cli.app import app, say, show_paths
from catdsl.cli.flags import AcceptChanges, Format, FormatOption, Limit, Overwrite, Set, Source, UseTeacher, Weights
from catdsl.cli.guard import overrides_of
from catdsl.cli.printing import put_json
from catdsl.diagnostics.shell import shell_word

if TYPE_CHECKING:
    from catdsl.jobs.export import Exported
    from catdsl.jobs.web_export import WebExported


@app.command()
def export(
    source: Source,
    out: Annotated[Path, typer.Option("-o", "--out", help="the file to write: .onnx, .pt2 or .py; a folder for --web")],
    weights: Weights = None,
    use_teacher: UseTeacher = False,
    as_searched: Annotated[
        bool, typer.Option("--as-searched", help="leave out the passes that make it faster (.py is always so)")
    ] = False,
    half: Annotated[bool, typer.Option("--half", help="half precision (float16)")] = False,
    int8: Annotated[bool, typer.Option("--int8", help="convolutions in int8 (.onnx); needs --calibration")] = False,
    calibration: Annotated[
        Path | None,
        typer.Option("--calibration", help="folder of inputs that ranges for int8 are taken from", show_default=False),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="images that the cost of int8 is measured on (held-out)", show_default=False),
    ] = None,
    squeezenet_weights: Annotated[
        Path | None,
        typer.Option("--squeezenet-weights", help="torchvision's weights of SqueezeNet 1.0, for distances in int8",
                     show_default=False),
    ] = None,
    web: Annotated[bool, typer.Option("--web", help="a folder with a page that runs the model in a browser")] = False,
    runtime: Annotated[
        Path | None,
        typer.Option("--runtime", help="with --web: the npm package onnxruntime-web, as a folder or .tgz; by default "
                     "the one in ./node_modules", show_default=False),
    ] = None,
    overwrite: Overwrite = False,
    format: FormatOption = Format.text,
    set_: Set = None,
    accept_changes: AcceptChanges = False, limit: Limit = None,
) -> None:  # fmt: skip
    """A network as a file that runs without catdsl, checked against the network before it is there.

    Example: catdsl export runs/demo -o demo.onnx
    """
    if int8 != (calibration is not None):
        raise typer.BadParameter("--int8 and --calibration DIR belong together", param_hint="--int8")
    for name, given in (("--data", data), ("--squeezenet-weights", squeezenet_weights)):
        if given is not None and not int8:
            raise typer.BadParameter(f"{name} goes with --int8, whose cost is measured on it", param_hint=name)
    if runtime is not None and not web:
        raise typer.BadParameter("--runtime goes with --web", param_hint="--runtime")
    from catdsl.jobs.export import FORMATS, chosen, exported_json, format_of
    from catdsl.jobs.export import export as job
    from catdsl.jobs.quantising import Int8Options

    if not web:
        format_of(out)
    elif out.suffix in FORMATS:
        raise typer.BadParameter(f"with --web it names a folder, and {out.name} looks like a file", param_hint="-o")
    what = chosen(source, weights, overrides_of(source, set_, teacher=use_teacher), teacher=use_teacher,
                  acceptance=Acceptance(accept_changes, say))  # fmt: skip
    options = None if calibration is None else Int8Options(calibration, data=data, squeezenet=squeezenet_weights)
    if web:
        from catdsl.jobs.web_export import WebOptions, examples_of, export_web

        # What was accepted of the run has been told by now.
        examples = examples_of(source, Acceptance(accept_changes))
        asked = WebOptions(
            runtime, examples=examples, half=half, int8=options, as_searched=as_searched, overwrite=overwrite
        )
        _show_web(export_web(what, out, asked, say), format)
        return
    done = job(what, out, half=half, int8=options, say=say, as_searched=as_searched, overwrite=overwrite)
    if format is Format.json:
        put_json(exported_json(done))
        return
    for line in _told(done):
        say(line)
    show_paths(done.files, format)


def _show_web(done: "WebExported", format: Format) -> None:
    from catdsl.jobs.web_export import web_json

    if format is Format.json:
        put_json(web_json(done))
        return
    for line in _told(done.model):
        say(line)
    say(f"serve    python -m http.server --bind 127.0.0.1 -d {shell_word(str(done.folder))}")
    say("         and open http://127.0.0.1:8000; browsers do not run it from the disk")
    show_paths([done.folder], format)


def _told(done: "Exported") -> Iterator[str]:
    """What was found, for a person."""
    agreement, cost = done.agreement, done.int8
    sizes = ", ".join(f"{height} x {width}" for height, width in agreement.sizes)
    model = "" if cost is None else "the model before rounding "
    yield (
        f"checked  {model}at {sizes}, batches of {' and '.join(map(str, agreement.batches))}: off by "
        f"{agreement.furthest:.1e} of the largest value at most (allowed {agreement.tolerance:.0e})"
    )
    if cost is not None:
        kind = "held-out images" if cost.held_out else "images of the calibration"
        between = "" if cost.l1.interval is None else " ({:.4f} to {:.4f})".format(*cost.l1.interval)
        yield f"int8     L1 to float32 {cost.l1.value:.4f}{between} of values from 0 to 1, on {cost.images} {kind}"
    if cost is not None and cost.distances is not None:
        yield (
            f"int8     Frechet distance (SqueezeNet) to the real ones {cost.distances.int8:.2f}, "
            f"in float32 {cost.distances.float32:.2f}"
        )
    yield f"size     {done.bytes / 1e6:.2f} MB"
