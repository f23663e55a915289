"""`measure`: times of every operator that a spec's students may need, and how well they predict networks."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

import torch

from catdsl import resources
from catdsl.backend.timing import Kind, device_name, kinds, measure_kind, measure_network
from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph
from catdsl.jobs.operator_times import check_table, save_times, table_path
from catdsl.jobs.targets import files_of
from catdsl.ops import BY_NAME
from catdsl.project import Project, load
from catdsl.search.latency import Checked, Curve, OperatorTimes, signatures
from catdsl.train.progress import open_progress

_SHARES = (0.6, 0.3, 0.1)


def shipped() -> list[Project]:
    """The specs that come with catdsl and hold a generator."""
    projects = [load(path) for path in sorted(resources.folder("specs").glob("*.cat"))]
    return [project for project in projects if project.teacher_graph.kind == "generator"]


def measure(
    projects: Sequence[Project], device: str, out: Path | None, *, overwrite: bool = False
) -> tuple[OperatorTimes, Path]:
    """Time the operators and a few whole networks of each project, and write the table.

    Networks are the teacher and students of which all widths keep 60, 30 and 10 % of their range.
    Raises CatError E405 for a student program, E608, also where `out` is another file and not to be replaced.
    """
    for project in projects:
        if project.student is not None:
            raise CatError.one("E405", f"{project.source.shown} is a student program", help="give its spec")
    if out is not None:
        check_table(out, overwrite=overwrite, inputs=[file for project in projects for file in files_of(project)])
    found = kinds([(at_share(project, 0.0), project.teacher_graph) for project in projects], BY_NAME["arrange"])
    software = f"torch {torch.__version__}"
    times = OperatorTimes(device_name(device), software, torch.get_num_threads(), _curves(found, device))
    checked = tuple(result for project in projects for result in _checked(project, times, device))
    times = OperatorTimes(times.device, software, times.threads, times.curves, checked)
    path = out or table_path(times)
    save_times(times, path, overwrite=overwrite)
    return times, path


def _curves(found: dict[str, Kind], device: str) -> dict[str, Curve]:
    curves: dict[str, Curve] = {}
    with open_progress("measure", start=0, total=len(found), batch=1) as progress:
        for index, (key, kind) in enumerate(found.items(), 1):
            curves[key] = measure_kind(kind, device)
            progress.advance(index, {})
    return curves


def _checked(project: Project, times: OperatorTimes, device: str) -> Iterable[Checked]:
    changed = "".join(f" {name}={value}" for name, value in project.overrides.items())
    teacher = project.teacher_graph
    for share in (1.0, *_SHARES):
        graph = teacher if share == 1 else at_share(project, share)
        name = f"{project.source.shown}{changed} at {share:.0%}"
        measured = measure_network(graph, device) / 1e6
        yield Checked(name, times.operators(graph) / 1e6, measured, share == 1, signatures(teacher))


def at_share(project: Project, share: float) -> Graph:
    """A student whose searched widths keep a share of their range, at least one step."""
    counts = {}
    for width in project.teacher_graph.widths:
        if width.searched:
            steps = (width.high - width.low) // width.step
            least = 0 if width.low else min(1, steps)
            counts[width.name] = width.low + max(least, round(share * steps)) * width.step
    return project.student_at(counts)


def as_json(times: OperatorTimes, path: Path) -> str:
    """Where the table lies, and each whole network beside its prediction, in milliseconds."""
    networks = [
        {"name": c.name, "predicted": times.predicted(c), "measured": c.measured, "error": times.error(c)}
        for c in times.checked
    ]
    facts = {"device": times.device, "software": times.software, "threads": times.threads}
    return json.dumps({**facts, "file": str(path), "networks": networks}, indent=1)


def as_text(times: OperatorTimes, path: Path) -> str:
    """What was measured, and each whole network beside its prediction."""
    lines = [
        f"{times.device}, {times.software}, {times.threads} threads: {len(times.curves)} kinds of operators",
        f"{'network':<44}{'operators':>12}{'predicted':>12}{'measured':>12}{'error':>9}",
        *(
            f"{c.name:<44}{c.operators:>9.2f} ms{times.predicted(c):>9.2f} ms{c.measured:>9.2f} ms"
            f"{times.error(c):>9.1%}"
            for c in times.checked
        ),
    ]
    errors = [abs(times.error(checked)) for checked in times.checked if not checked.teacher]
    if errors:
        lines.append(
            f"predictions are fitted to those at 100%; students: median error {median(errors):.1%}, "
            f"largest {max(errors):.1%}"
        )
    return "\n".join([*lines, f"written: {path}"])
