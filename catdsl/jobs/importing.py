"""`import-weights`: a released checkpoint as a weights file of a spec."""

from pathlib import Path

from catdsl.backend.importing import import_weights
from catdsl.backend.weights import save_weights
from catdsl.diagnostics import CatError
from catdsl.ir.identity import owner_of
from catdsl.jobs.targets import check_target
from catdsl.project import Project


def import_file(project: Project, file: Path, out: Path, *, overwrite: bool = False) -> list[str]:
    """Write `out`. Returns what to tell of the file, as lines. Raises CatError E605, E608."""
    if out.suffix != ".safetensors":
        raise CatError.one("E608", f"weights are written as .safetensors, not as `{out.name}`", help="change -o")
    if out.exists() and file.exists() and out.samefile(file):
        raise CatError.one("E608", f"{out} is the file that is read", help="choose another file with -o")
    check_target(out, "import-weights", overwrite=overwrite)
    imported = import_weights(project.graph, file)
    save_weights(imported.module, out, {"imported from": file.name}, owner_of(project.graph))
    lines = [f"{len(imported.module.state_dict())} tensors of {project.graph.name}"]
    if imported.filled:
        lines.append(f"no scales of norms in {file}: {len(imported.filled)} are 1 and 0, as without affine norms")
    if imported.left_out:
        shown = ", ".join(imported.left_out[:4]) + (", ..." if imported.left_out[4:] else "")
        lines.append(f"left out, as the network has no place for them: {len(imported.left_out)} ({shown})")
    return lines
