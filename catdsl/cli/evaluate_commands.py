"""Commands that judge runs: each reads its arguments, calls one function, and prints."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from catdsl.acceptance import Acceptance
from catdsl.cli.app import app, say, show_paths, typed
from catdsl.cli.flags import AcceptChanges, Data, Device, Format, FormatOption, Limit, Overwrite, Seed, Set, Source
from catdsl.cli.guard import open_spec, overrides_of
from catdsl.cli.printing import put, put_json, put_table


class ProtocolName(StrEnum):
    paired = "paired"
    unpaired = "unpaired"


class PrecisionOption(StrEnum):
    fp32 = "fp32"
    bf16 = "bf16"
    fp16 = "fp16"


class NormaliseName(StrEnum):
    imagenet = "imagenet"
    unit = "unit"
    signed = "signed"


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="a run folder of train, distill or compress")],
    data: Data = None,
    protocol: Annotated[
        ProtocolName | None,
        typer.Option(
            "--protocol",
            help="paired: against held-out real images; unpaired: against all real ones. By default as the data are",
            show_default=False,
        ),
    ] = None,
    inception_weights: Annotated[
        Path | None,
        typer.Option("--inception-weights", help="torch-fidelity's weights of Inception, for FID, KID and ISC",
                     show_default=False),
    ] = None,
    squeezenet_weights: Annotated[
        Path | None,
        typer.Option("--squeezenet-weights", help="torchvision's weights of SqueezeNet 1.0, for distances in them",
                     show_default=False),
    ] = None,
    segmenter: Annotated[
        str | None,
        typer.Option("--segmenter", help="for mIoU: an .onnx file, or hf:NAME", show_default=False),
    ] = None,
    trust_segmenter: Annotated[
        bool,
        typer.Option("--trust-segmenter", help="take a .pt2 or TorchScript file, which runs code of its maker"),
    ] = False,
    label_table: Annotated[
        Path | None,
        typer.Option("--label-table", help="a file of the segmenter's classes and the labels that they are",
                     show_default=False),
    ] = None,
    normalise: Annotated[
        NormaliseName | None,
        typer.Option("--normalise", help="how the segmenter takes images (imagenet)", show_default=False),
    ] = None,
    balance: Annotated[
        bool, typer.Option("--balance", help="as many real images as made ones, and the other way round")
    ] = False,
    batch: Annotated[int, typer.Option("--batch", min=1, max=4096, help="images at once")] = 16,
    device: Device = "auto",
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="keep the features of images in the user's cache")
    ] = True,
    format: FormatOption = Format.text,
    accept_changes: AcceptChanges = False, limit: Limit = None,
) -> None:  # fmt: skip
    """Measure teacher and student on held-out images, and write RUN/report.

    Example: catdsl evaluate runs/facades --data facades --squeezenet-weights squeezenet1_0.pth
    """
    from catdsl.jobs.evaluate import EvaluateOptions
    from catdsl.jobs.evaluate import evaluate as job

    options = EvaluateOptions(
        data=data, protocol=protocol.value if protocol else None,
        inception=inception_weights, squeezenet=squeezenet_weights,
        segmenter=segmenter, trust_segmenter=trust_segmenter,
        table=label_table, normalise=normalise.value if normalise else None,
        balance=balance, batch=batch, device=device, cache=cache, accept_changes=accept_changes,
        command=typed(),
    )  # fmt: skip
    done = job(run, options, say=say)
    from catdsl.view.report.comparison import compare as side_by_side
    from catdsl.view.report.comparison_terminal import ComparisonTables
    from catdsl.view.report.serial import as_values

    if format is Format.json:
        put_json(json.dumps(as_values(done.report), indent=1, ensure_ascii=False, allow_nan=False))
        return
    put_table(ComparisonTables(side_by_side([done.report])))
    show_paths(done.files, format)


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="run folders that were evaluated")],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="also write the comparison into this folder: .html, .md, .svg, .json",
                     show_default=False),
    ] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", help="the metric of the plot; by default the first that all have")
    ] = None,
    overwrite: Overwrite = False,
    format: FormatOption = Format.text,
    accept_changes: AcceptChanges = False, limit: Limit = None,
) -> None:  # fmt: skip
    """Runs side by side: cost, speed and fidelity.

    Example: catdsl compare runs/quarter runs/tenth -o runs/comparison
    """
    from catdsl.jobs.side_by_side import compare_runs, write_comparison
    from catdsl.view.report.comparison_forms import comparison_json
    from catdsl.view.report.comparison_terminal import ComparisonTables

    acceptance = Acceptance(accept_changes, say)
    found = compare_runs(runs, metric=metric, acceptance=acceptance)
    written: tuple[Path, ...] = ()
    if out is not None:
        written = write_comparison(found, runs, out, metric=metric, overwrite=overwrite, acceptance=acceptance)
    if format is Format.json:
        put_json(comparison_json(found), end="")
    else:
        put_table(ComparisonTables(found))
    for path in written:
        say(f"written: {path}")


@app.command()
def bench(
    source: Source,
    batch: Annotated[int, typer.Option("--batch", min=1, max=4096, help="images at once")] = 1,
    size: Annotated[
        str | None,
        typer.Option("--size", metavar="HxW", help="of the images; by default as declared", show_default=False),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option("--threads", min=1, max=1024, help="of an operator; by default as torch has", show_default=False),
    ] = None,
    forms: Annotated[
        str | None,
        typer.Option("--forms", help="eager, compiled, onnxruntime; by default all that can be had",
                     show_default=False),
    ] = None,
    runs: Annotated[
        int | None,
        typer.Option("--runs", min=1, max=10_000, help="passes of each; by default `timing_runs` of evaluate { }",
                     show_default=False),
    ] = None,
    teacher: Annotated[bool, typer.Option("--teacher/--no-teacher", help="time the teacher, too")] = True,
    precision: Annotated[
        PrecisionOption, typer.Option("--precision", help="of the computation; onnxruntime is timed in fp32 only")
    ] = PrecisionOption.fp32,
    channels_last: Annotated[
        bool, typer.Option("--channels-last", help="channels innermost in torch's tensors")
    ] = False,
    device: Device = "auto",
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="a .json file for everything measured", show_default=False)
    ] = None,
    overwrite: Overwrite = False,
    format: FormatOption = Format.text, set_: Set = None,
    accept_changes: AcceptChanges = False, limit: Limit = None,
) -> None:  # fmt: skip
    """Time teacher, student and what is shipped, in turn: eager, compiled and in onnxruntime.

    Networks of a spec or a student program have initial weights.

    Example: catdsl bench runs/facades --threads 1 --forms eager,onnxruntime
    """
    overrides_of(source, set_)
    if out is not None and (out.suffix != ".json" or out.is_dir()):
        raise typer.BadParameter(f"{out} is no name of a .json file", param_hint="-o")
    from catdsl.jobs.bench import bench as job
    from catdsl.jobs.bench_figures import BenchOptions, parse_size
    from catdsl.jobs.bench_forms import parse_forms
    from catdsl.jobs.bench_shown import as_json, as_text
    from catdsl.jobs.targets import check_target, files_of, write_marked

    given = source if source.is_dir() else open_spec(source, set_)
    if out is not None:
        check_target(out, "bench", overwrite=overwrite, inputs=() if isinstance(given, Path) else files_of(given))

    options = BenchOptions(
        batch=batch, size=parse_size(size) if size else None, threads=threads, runs=runs,
        forms=parse_forms(forms) if forms is not None else None, teacher=teacher, precision=precision.value,
        device=device, channels_last=channels_last, seed=seed, accept_changes=accept_changes,
    )  # fmt: skip
    found = job(given, options, say=say)
    text = as_json(found)
    if format is Format.json:
        put_json(text)
    else:
        put(as_text(found))
    if out is not None:
        write_marked(out, text + "\n", "bench", overwrite=overwrite)
        say(f"written: {out}")
