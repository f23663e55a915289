"""The command that exports networks: it reads its arguments, calls one function, and prints."""

from pathlib import Path
from typing import Annotated

import typer

from catdsl.cli.app import app, say
from catdsl.cli.flags import Format, FormatOption, Set, Source, UseTeacher, Weights
from catdsl.cli.guard import overrides


@app.command()
def export(
    source: Source,
    out: Annotated[Path, typer.Option("-o", "--out", help="the file to write: .onnx, .pt2 or .py")],
    weights: Weights = None,
    use_teacher: UseTeacher = False,
    half: Annotated[bool, typer.Option("--half", help="half precision (float16)")] = False,
    format: FormatOption = Format.text,
    set_: Set = None,
) -> None:
    """A network as a file that runs without catdsl, checked against the network before it is there.

    Example: catdsl export runs/demo -o demo.onnx
    """
    from catdsl.jobs.export import chosen, exported_json, format_of
    from catdsl.jobs.export import export as job

    format_of(out)
    network = chosen(source, weights, overrides(set_), teacher=use_teacher)
    done = job(network, out, half=half, say=say)
    if format is Format.json:
        print(exported_json(done))
        return
    agreement = done.agreement
    sizes = ", ".join(f"{height} x {width}" for height, width in agreement.sizes)
    say(
        f"checked  at {sizes}, batches of {' and '.join(map(str, agreement.batches))}: off by "
        f"{agreement.furthest:.1e} of the largest value at most (allowed {agreement.tolerance:.0e})"
    )
    print("\n".join(map(str, done.files)))
