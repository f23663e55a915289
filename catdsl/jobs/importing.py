"""`import-weights`: a released checkpoint as a weights file of a spec."""

from collections.abc import Sequence
from pathlib import Path

from catdsl.acceptance import STRICT, Acceptance
from catdsl.backend.importing import import_weights
from catdsl.backend.weights import save_weights
from catdsl.diagnostics import CatError
from catdsl.ir.identity import owner_of
from catdsl.jobs.targets import check_target, files_of
from catdsl.project import Project


def import_file(
    project: Project, file: Path, out: Path, *, overwrite: bool = False, acceptance: Acceptance = STRICT
) -> list[str]:
    """Write `out`. Returns what to tell of the file, as lines. Raises CatError E605, E608."""
    if out.suffix != ".safetensors":
        raise CatError.one("E608", f"weights are written as .safetensors, not as `{out.name}`", help="change -o")
    check_target(out, "import-weights", overwrite=overwrite, inputs=(file, *files_of(project)))
    imported = import_weights(project.graph, file, acceptance)
    save_weights(imported.module, out, {"imported from": file.name}, owner_of(project.graph))
    lines = [f"{len(imported.module.state_dict())} tensors of {project.graph.name}"]
    if imported.filled:
        lines.append(f"no scales of norms in {file}: {len(imported.filled)} are 1 and 0, as without affine norms")
    if imported.statistics:
        lines.append(f"left out, as instance norms take the statistics of each image: {_some(imported.statistics)}")
    if imported.left_out:
        lines.append(f"left out, as the network has no place for them: {_some(imported.left_out)}")
    return lines


def _some(names: Sequence[str]) -> str:
    """How many, and the first of them."""
    return f"{len(names)} ({', '.join(names[:4])}{', ...' if names[4:] else ''})"
