"""Flags that commands share: their types, names and help."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from catdsl.limits import LIMITS, set_limits


class Format(StrEnum):
    text = "text"
    json = "json"


class CheckFormat(StrEnum):
    text = "text"
    json = "json"
    github = "github"


class Count(StrEnum):
    exact = "exact"
    paper = "paper"


def _limited(given: list[str] | None) -> list[str] | None:
    """In force before the command opens anything."""
    if given:
        set_limits(given)
    return given


Spec = Annotated[Path, typer.Argument(metavar="SPEC", help="a .cat spec, or a student program")]
Specs = Annotated[list[Path], typer.Argument(metavar="SPEC...", help=".cat specs and student programs")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="set a parameter of the spec; repeatable"),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="folder of images; without it, the embedded scenes (pairs)", show_default=False),
]
TaylorData = Annotated[
    Path | None, typer.Option("--data", help="the teacher's images, for `score = taylor`", show_default=False)
]
Out = Annotated[
    Path | None,
    typer.Option("-o", "--out", help="where results go; runs/NAME by default", show_default=False),
]
Steps = Annotated[int | None, typer.Option("--steps", min=1, help="train this many steps instead of the spec's epochs")]
Resume = Annotated[bool, typer.Option("--resume", help="continue the run that lies there")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="replace what lies there, also what this command has not made")
]
Seed = Annotated[
    int, typer.Option("--seed", min=0, max=2**63 - 1, help="of initial weights, order of images and crops")
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps")]
Devices = Annotated[
    int | None,
    typer.Option(
        "--devices", min=1, help="processes that share each batch; on CUDA, one per device", show_default=False
    ),
]
Vgg = Annotated[
    Path | None,
    typer.Option("--vgg", help="torchvision's weights of VGG-19, for `perceptual` in train { }", show_default=False),
]
AcceptChanges = Annotated[
    bool,
    typer.Option(
        "--accept-changes", help="go on though a run, its settings or data, or weights are not what they were"
    ),
]
Limit = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        metavar="NAME=AMOUNT",
        callback=_limited,
        show_default=False,
        help="raise a limit on input, such as pixels=200M; repeatable. There are " + ", ".join(LIMITS),
    ),
]
TensorBoard = Annotated[bool, typer.Option("--tensorboard", help="also write the losses for TensorBoard")]
Teacher = Annotated[Path | None, typer.Option("--teacher", help="a run folder, or a weights file", show_default=False)]
Budget = Annotated[
    str | None,
    typer.Option(
        "--budget",
        help="2.6G, 25%, macs=2.6G,params=400K, memory=8MB, latency=12ms; the spec's by default",
        show_default=False,
    ),
]
CountOption = Annotated[Count | None, typer.Option("--count", help="the convention that MACs are meant in (exact)")]
FormatOption = Annotated[Format, typer.Option("--format", help="how results are printed")]
Scores = Annotated[Path | None, typer.Option("--scores", help="a .npz or .safetensors file, one array per norm")]
Times = Annotated[
    Path | None,
    typer.Option("--times", help="operator times for a latency budget; the newest that `measure` made by default"),
]
Weights = Annotated[Path | None, typer.Option("--weights", help="a .safetensors file, for a spec")]
UseTeacher = Annotated[bool, typer.Option("--use-teacher", help="the run's teacher instead of its student")]
Source = Annotated[Path, typer.Argument(metavar="RUN|SPEC", help="a run folder, a spec or a student program")]
Images = Annotated[list[Path], typer.Argument(metavar="IMAGE|DIR...", help="image files, or folders of them")]
