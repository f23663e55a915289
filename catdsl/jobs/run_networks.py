"""Trained networks of runs and of specs with weights: the program, the file, and whose both are."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor
from torch.fx import GraphModule

from catdsl.acceptance import Acceptance
from catdsl.backend.weights import module_with_weights, read_weights
from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph
from catdsl.ir.identity import owner_of
from catdsl.jobs.run_folder import WEIGHTS, RunFolder, check_student, existing_run
from catdsl.project import Project, load
from catdsl.reading import there


@dataclass(frozen=True, slots=True)
class Trained:
    """A program and the file of its weights, which belongs to `run` where that is known."""

    project: Project
    weights: Path
    run: str | None
    acceptance: Acceptance

    def module(self) -> GraphModule:
        """The network with its weights. Raises CatError E605."""
        return module_with_weights(self.project.graph, self.weights, self.acceptance, run=self.run)

    def tensors(self) -> Mapping[str, Tensor]:
        """The weights by the names of the graph. Raises CatError E605."""
        return read_weights(self.weights, owner_of(self.project.graph, self.run), self.acceptance)[0]


def trained_network(
    source: Path, weights: Path | None, overrides: Mapping[str, str], *, teacher: bool, acceptance: Acceptance
) -> Trained:
    """The network of a run (its student, or its teacher), or of a spec with a weights file.

    `weights`, where they are given, stand in the place of a run's. Raises CatError E603 where a run has
    not got that far, E604 where it is damaged, E605 where a spec was given without weights.
    """
    if source.is_dir():
        found = _of_run(existing_run(source, acceptance), teacher=teacher)
        return found if weights is None else Trained(found.project, weights, None, acceptance)
    if weights is None:
        raise CatError.one("E605", f"{source} has no weights by itself", help="add --weights FILE.safetensors")
    return Trained(load(source, overrides), weights, None, acceptance)


def trained_module(graph: Graph, run: RunFolder, part: Path) -> GraphModule:
    """The network of a part of a run, its teacher or its student, with its weights. Raises CatError E605."""
    return module_with_weights(graph, part / WEIGHTS, run.acceptance, run=run.id)


def _of_run(run: RunFolder, *, teacher: bool) -> Trained:
    if not teacher and there(run.student / WEIGHTS):
        return Trained(run.student_project(), run.student / WEIGHTS, run.id, run.acceptance)
    if not teacher and there(run.student_program):
        # The teacher's pictures would pass for the student's.
        check_student(run)
    path = run.teacher / WEIGHTS
    if not there(path):
        raise CatError.one("E603", f"the run {run.path} has no trained network yet", help="finish it with --resume")
    return Trained(run.project(), path, run.id, run.acceptance)
