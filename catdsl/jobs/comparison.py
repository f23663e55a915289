"""Teacher against student on held-out images: the table, the picture, and result.json."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table
from torch.fx import GraphModule

from catdsl.analysis.cost import Cost
from catdsl.evaluate.quality import (
    PairedValues,
    input_quality,
    mean_image_quality,
    measure_likeness,
    measure_quality,
)
from catdsl.evaluate.speed import Speed, measure_speed
from catdsl.jobs.run_folder import RunFolder
from catdsl.jobs.run_records import write_record
from catdsl.project import Project
from catdsl.search.plan import Plan
from catdsl.train.data.batches import plain_batches
from catdsl.train.data.opening import ImageData
from catdsl.train.grid import write_grid
from catdsl.train.modes import evaluating
from catdsl.view.describe import amount

_SHOWN = 6


def compare(
    project: Project, plan: Plan, teacher: GraphModule, student: GraphModule,
    run: RunFolder, data: ImageData, *, device: str,
) -> dict[str, Any]:  # fmt: skip
    """Measure both on the validation images, write result.json and comparison.png.

    Qualities are over all held-out images, values scaled to [0, 1]: against the targets where images
    are paired, and the student's against the teacher's images. Times are of one image at the declared
    input size, teacher and student in turn in this process.
    """
    runs = project.settings.evaluate.timing_runs
    source = project.teacher_graph.inputs[0]
    channels, size = project.teacher_graph.channels(source.name), (source.type.height, source.type.width)
    held_out, paired = len(data.validation) > 0, project.settings.data.kind != "unpaired"
    result: dict[str, Any] = {"budget": str(plan.budget), "slack": plan.slack}
    networks = {"teacher": teacher.to(device), "student": student.to(device)}
    speeds = measure_speed(networks, channels=channels, size=size, runs=runs, device=device)
    for name, cost in (("teacher", plan.teacher), ("student", plan.cost)):
        quality = measure_quality(networks[name], data.validation, device=device) if held_out and paired else None
        result[name] = _facts(cost, quality, speeds[name])
    if held_out:
        alike = source.attrs["kind"] == "image"
        with evaluating(teacher), evaluating(student):
            likeness = measure_likeness(data.validation, student, teacher, device=device)
            result["student"]["to_teacher"] = asdict(likeness.means)
            if alike and not paired:
                unchanged = measure_likeness(data.validation, lambda x: x, teacher, device=device)
                result["baselines_to_teacher"] = {"input": asdict(unchanged.means)}
        if paired:
            result["baselines"] = {"mean image": asdict(mean_image_quality(data).means)}
        if paired and alike:
            result["baselines"]["input"] = asdict(input_quality(data).means)
        _picture(run.picture, teacher, student, data, device, paired=paired)
    write_record(run.result, result, run=run.id, indent=2)
    return result


def table(result: dict[str, Any]) -> Table:
    """The comparison for a terminal."""
    shown = Table(title=f"teacher against student ({result['budget']})")
    for column in ("", "MACs exact", "MACs paper", "parameters", "L1", "PSNR", "L1 to teacher", "ms/image"):
        shown.add_column(column, justify="left" if not column else "right", no_wrap=True)
    for name in ("teacher", "student"):
        facts = result[name]
        macs, timing = facts["macs"], facts["timing"]
        shown.add_row(
            name, amount(macs["exact"]), amount(macs["paper"]), amount(facts["params"]),
            *_quality_cells(facts["quality"]), _likeness_cell(facts.get("to_teacher")),
            f"{timing['milliseconds']:.1f}",
        )  # fmt: skip
    teacher, student = result["teacher"], result["student"]
    ratios = [
        student["macs"]["exact"] / teacher["macs"]["exact"],
        student["macs"]["paper"] / teacher["macs"]["paper"],
        student["params"] / teacher["params"],
    ]
    speed = student["timing"]["milliseconds"] / teacher["timing"]["milliseconds"]
    shown.add_row("student / teacher", *(f"{r:.2%}" for r in ratios), "", "", "", f"{speed:.0%}")
    for name, quality in result.get("baselines", {}).items():
        shown.add_row(name, "", "", "", *_quality_cells(quality), "", "", style="dim")
    for name, quality in result.get("baselines_to_teacher", {}).items():
        shown.add_row(name, "", "", "", "", "", _likeness_cell(quality), "", style="dim")
    return shown


def _quality_cells(quality: dict[str, Any] | None) -> tuple[str, str]:
    return ("", "") if quality is None else (f"{quality['l1']:.4f}", f"{quality['psnr']:.2f} dB")


def _likeness_cell(quality: dict[str, Any] | None) -> str:
    return "" if quality is None else f"{quality['l1']:.4f}"


def _facts(cost: Cost, quality: PairedValues | None, speed: Speed) -> dict[str, Any]:
    timing = asdict(speed)
    return {
        "macs": {"exact": cost.exact, "paper": cost.paper},
        "params": cost.params,
        "quality": quality and asdict(quality.means),
        "timing": {"milliseconds": timing.pop("median_ms"), **timing},
    }


def _picture(
    path: Path, teacher: GraphModule, student: GraphModule, data: ImageData, device: str, *, paired: bool
) -> None:
    batch = next(plain_batches(data.validation, batch=min(_SHOWN, len(data.validation))))
    on_device = batch.input_BCHW.to(device)
    with evaluating(teacher), evaluating(student):
        columns = {
            "input": batch.input_BCHW,
            "teacher": teacher(on_device).cpu(),
            "student": student(on_device).cpu(),
        }
    write_grid(path, {**columns, "target": batch.target_BCHW} if paired else columns)
