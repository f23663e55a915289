"""The networks that `bench` times: a teacher, its student as searched, and either as it would be shipped."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch.fx import GraphModule

from catdsl.acceptance import Acceptance
from catdsl.analysis.input_size import with_input_size
from catdsl.backend.initial import initialize
from catdsl.backend.module import build_module
from catdsl.diagnostics import CatError
from catdsl.export.network import Network, rewritten_network
from catdsl.ir.graph import Graph
from catdsl.jobs.run_folder import WEIGHTS, RunFolder, check_student, existing_run
from catdsl.jobs.run_networks import trained_module
from catdsl.project import Project
from catdsl.reading import there

TEACHER, STUDENT, DEPLOYED = "teacher", "student", "deployed"


@dataclass(frozen=True, slots=True, eq=False)
class BenchNetwork:
    """A network to be timed: its graph at the size of the images, and where its weights are from."""

    name: str
    graph: Graph
    module: GraphModule
    weights: str
    original: str
    """The name of the network that this one must compute the same as: its own, or that before the passes."""

    @property
    def deployed(self) -> bool:
        """Whether passes have rewritten it, as an export would."""
        return self.name != self.original


@dataclass(frozen=True, slots=True, eq=False)
class BenchNetworks:
    """What is timed of a run or a spec, in the order of the table; `size` is that of the first input."""

    source: str
    project: Project
    size: tuple[int, int]
    networks: tuple[BenchNetwork, ...]

    @property
    def last(self) -> BenchNetwork:
        """What would be shipped."""
        return self.networks[-1]


def networks_of_run(
    path: Path, *, size: tuple[int, int] | None, teacher: bool, seed: int, acceptance: Acceptance
) -> BenchNetworks:
    """Teacher and student of a run with their weights.

    Raises CatError E603 for a run without a trained student, and what `networks_of_spec` raises.
    """
    run = existing_run(path, acceptance)
    check_student(run)
    parts = {TEACHER: run.teacher, STUDENT: run.student}
    return _networks(str(path), run.student_project(), size, run=run, parts=parts, teacher=teacher, seed=seed)


def networks_of_spec(project: Project, *, size: tuple[int, int] | None, teacher: bool, seed: int) -> BenchNetworks:
    """The teacher of a spec, or teacher and student of a student program, with initial weights from `seed`.

    Raises CatError E607 for a size that the generator cannot take, or where nothing is left to time.
    """
    return _networks(project.source.shown, project, size, run=None, parts={}, teacher=teacher, seed=seed)


def _networks(
    source: str, project: Project, size: tuple[int, int] | None, *,
    run: RunFolder | None, parts: Mapping[str, Path], teacher: bool, seed: int,
) -> BenchNetworks:  # fmt: skip
    first = project.teacher_graph.inputs[0].type
    chosen = size or (first.height, first.width)
    graphs = {TEACHER: project.teacher_graph} if teacher else {}
    if project.student is not None:
        graphs[STUDENT] = project.graph
    if not graphs:
        raise CatError.one(
            "E607", f"{source} has no student, and without its teacher nothing is left to time",
            help="leave out --no-teacher, or give a student program or a run",
        )  # fmt: skip
    made = []
    for name, graph in graphs.items():
        module, weights = _with_weights(project, graph, run, parts.get(name), seed)
        made.append(BenchNetwork(name, with_input_size(graph, *chosen), module, weights, name))
    return BenchNetworks(source, project, chosen, (*made, _shipped(made[-1])))


def _with_weights(
    project: Project, graph: Graph, run: RunFolder | None, part: Path | None, seed: int
) -> tuple[GraphModule, str]:
    if run is not None and part is not None and there(part / WEIGHTS):
        return trained_module(graph, run, part), str(part / WEIGHTS)
    module = build_module(graph)
    initialize(module, graph, project.settings.style, seed)
    return module, f"initial, seed {seed}"


def _shipped(network: BenchNetwork) -> BenchNetwork:
    """The network after the passes that change no result."""
    name = f"{network.name} {DEPLOYED}"
    rewritten = rewritten_network(Network(network.graph, network.module, facts={}), ("deploy",))
    return BenchNetwork(name, rewritten.graph, rewritten.module, network.weights, network.name)
