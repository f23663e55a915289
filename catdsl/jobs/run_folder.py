"""The folder of one run: what lies where, what it was made with, and whether it may be continued.

run.json                      what was asked, with versions and seed
spec/                         the spec and the files it uses
teacher/, student/            weights.safetensors, checkpoint.pt, metrics.jsonl, samples/
scores.safetensors            what the search ranked channels by; times.json predicted latencies
student.cat, plan.json        the search's result; plan.txt explains it
inherited.json                what became of the removed channels in the student's first weights
result.json, comparison.png, graph.svg
report/                       what `evaluate` found: report.html, .md and .json, plots, and all images
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from catdsl.acceptance import STRICT, Acceptance
from catdsl.diagnostics import CatError
from catdsl.jobs.run_links import check_links
from catdsl.jobs.run_records import (
    InheritedRecord,
    PlanRecord,
    ResultRecord,
    RunRecord,
    read_record,
)
from catdsl.project import Project, load
from catdsl.reading import there
from catdsl.semantics.student import digest

WEIGHTS = "weights.safetensors"
WEIGHTS_BACK = "weights_back.safetensors"
"""Of CycleGAN's other generator, from targets to inputs."""
DISCRIMINATOR = "discriminator.safetensors"
"""Of a teacher that was given, whose training lies elsewhere."""

RECORD, PLAN, INHERITED, RESULT = "run.json", "plan.json", "inherited.json", "result.json"
_AGAIN = "remove it: `--resume` makes it again"
_RECORDS: tuple[tuple[str, type[PlanRecord | InheritedRecord | ResultRecord], str], ...] = (
    (PLAN, PlanRecord, "search again in a new run"),
    (INHERITED, InheritedRecord, "remove it; nothing is made from it"),
    (RESULT, ResultRecord, _AGAIN),
)


@dataclass(frozen=True)
class RunFolder:
    """Paths inside a run folder, and what its record and its copy of the spec hold, each read once."""

    path: Path
    acceptance: Acceptance = STRICT
    """Whether files are taken that are not what the run has made."""

    @property
    def record(self) -> Path:
        return self.path / RECORD

    @property
    def teacher(self) -> Path:
        return self.path / "teacher"

    @property
    def student(self) -> Path:
        return self.path / "student"

    @property
    def student_program(self) -> Path:
        return self.path / "student.cat"

    @property
    def plan(self) -> Path:
        return self.path / PLAN

    @property
    def scores(self) -> Path:
        return self.path / "scores.safetensors"

    @property
    def explanation(self) -> Path:
        return self.path / "plan.txt"

    @property
    def times(self) -> Path:
        return self.path / "times.json"

    @property
    def inherited(self) -> Path:
        return self.path / INHERITED

    @property
    def result(self) -> Path:
        return self.path / RESULT

    @property
    def picture(self) -> Path:
        return self.path / "comparison.png"

    @property
    def report(self) -> Path:
        """The folder of what `evaluate` found."""
        return self.path / "report"

    @property
    def drawing(self) -> Path:
        return self.path / "graph.svg"

    @property
    def id(self) -> str | None:
        """What the run's files say whose they are; None of a run that a version without it has made."""
        return self.held().id

    def project(self) -> Project:
        """The run's own copy of its spec, with the parameters it was started with.

        Raises CatError E604 where the copy is not what the run was made with.
        """
        return self._project

    @cached_property
    def _project(self) -> Project:
        held = self.held()
        return self._same_spec(load(self.confined(held.spec_file), held.asked.set), held)

    def student_project(self) -> Project:
        """The run's student program, of the run's own copy of its spec. Raises CatError as `project` does."""
        return self._same_spec(load(self.confined(self.student_program.name)), self.held())

    def held(self) -> RunRecord:
        """What the record of the run holds. Raises CatError E604 where it is damaged."""
        return self._held

    @cached_property
    def _held(self) -> RunRecord:
        return read_record(self.record, RunRecord, run=None, acceptance=self.acceptance)

    def found_plan(self) -> PlanRecord | None:
        """The plan that the run's student comes from; None where there was no search.

        Raises CatError E604 where it is damaged.
        """
        if not there(self.plan):
            return None
        help = "search again in a new run"
        return read_record(self.plan, PlanRecord, run=self.id, acceptance=self.acceptance, help=help)

    def confined(self, inside: str) -> Path:
        """The path of a file of the run. Raises CatError E604 where a link leads out of the folder."""
        path = self.path / inside
        if not path.resolve().is_relative_to(self.path.resolve()):
            raise CatError.one(
                "E604", f"{path} is a link that leads out of the run folder", help="put the file itself in its place"
            )
        return path

    def check(self) -> None:
        """Read every record of the run, and its copy of the spec.

        Raises CatError E604 for the first that is damaged, another run's, or not what the run was made with.
        """
        owner = self.held().id
        for path, model, help in _RECORDS:
            if there(self.path / path):
                read_record(self.path / path, model, run=owner, acceptance=self.acceptance, help=help)
        self.project()

    def _same_spec(self, project: Project, held: RunRecord) -> Project:
        """Refuse a copy of the spec that was changed since the run was made. Raises CatError E604."""
        found = digest(project.spec.files)
        if found != held.asked.spec:
            self.acceptance.refuse(
                CatError.one(
                    "E604",
                    f"the spec in {self.path / 'spec'} is not the one that the run was made with: its hash is "
                    f"{found[:12]}, and {RECORD} says {held.asked.spec[:12]}",
                    help="restore the folder from a copy, or go on on purpose with --accept-changes",
                )
            )
        return project

    def spec(self, project: Project) -> Path:
        """Where the run's copy of the spec lies."""
        return self.path / "spec" / Path(project.spec.files[0].shown).name


def default_folder(project: Project, ending: str = "") -> Path:
    """`runs/NAME`, named after the spec."""
    return Path("runs") / f"{Path(project.source.shown).stem}{ending}"


def existing_run(path: Path, acceptance: Acceptance = STRICT) -> RunFolder:
    """A run that was made before, all of its records read. Raises CatError E603, E604."""
    run = RunFolder(path, acceptance)
    if not there(run.record):
        raise CatError.one(
            "E603",
            f"{path} is not a run folder (it has no run.json)",
            help="give a folder that train or compress made",
        )
    check_links(path)
    run.check()
    return run


def check_student(run: RunFolder) -> None:
    """Raise CatError E603 where a run has no trained student, and its teacher was not asked for."""
    if not there(run.student / WEIGHTS):
        raise CatError.one(
            "E603", f"the run {run.path} has no trained student yet",
            help="finish it with `catdsl compress SPEC --resume`, or take its teacher with --use-teacher",
        )  # fmt: skip


def runs_back(given: Path, project: Project, acceptance: Acceptance = STRICT) -> bool:
    """Whether the teacher that `project` means is the other generator of the CycleGAN run `given`."""
    if project.settings.train.system != "cyclegan" or not given.is_dir():
        return False
    return existing_run(given, acceptance).project().settings.data.direction != project.settings.data.direction


def teacher_weights_path(given: Path, project: Project, acceptance: Acceptance = STRICT) -> tuple[Path, str | None]:
    """The weights file of `--teacher RUN|FILE`, and the run that it belongs to. Raises CatError E603, E605."""
    if given.is_file() and given.suffix != ".safetensors":
        raise CatError.one(
            "E605", f"{given} is no weights file", help="give a run folder of train or compress, or a .safetensors file"
        )
    if given.is_file():
        return given, None
    run = existing_run(given, acceptance)
    path = run.teacher / (WEIGHTS_BACK if runs_back(given, project, acceptance) else WEIGHTS)
    if not there(path):
        raise CatError.one(
            "E603",
            f"the run {given} has no finished teacher",
            help="finish it with `catdsl train ... --resume`",
        )
    return path, run.id
