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

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from catdsl import __version__
from catdsl.diagnostics import CatError
from catdsl.files import is_temporary
from catdsl.jobs.run_links import check_links
from catdsl.jobs.run_lock import is_lock
from catdsl.jobs.run_records import (
    InheritedRecord,
    PlanRecord,
    ResultRecord,
    RunRecord,
    read_record,
    record_digest,
    write_record,
)
from catdsl.jobs.spec_copy import copy_spec, is_copy, spec_changes
from catdsl.project import Project, load
from catdsl.reading import there
from catdsl.semantics.library import SourceFile
from catdsl.semantics.student import digest, literal
from catdsl.weights_file import STRICT, Acceptance

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


def open_run(
    path: Path, project: Project, asked: Mapping[str, Any], *, resume: bool, accept_changes: bool = False,
    command: Sequence[str] = (),
) -> RunFolder:  # fmt: skip
    """Start a run, or continue one. `asked` is what must not change when it is continued.

    `command` are the words that it was started with, for whoever wants to do it again.

    With `accept_changes` it may, and the record and the copy of the spec become what is asked now.

    Raises CatError E603 for a folder that holds a run already (or something else), E604 where
    what is asked differs from what the run was started with.
    """
    run = RunFolder(path)
    _check_name(Path(project.spec.files[0].shown).name)
    identity = {**_spec_identity(project), **asked}
    check_place(path, project.spec.files)
    if there(run.record):
        _continue(run, project, identity, resume=resume, accept_changes=accept_changes)
        # Its record may have been written anew.
        return RunFolder(path)
    copy_spec(run.path / "spec", project.spec.files)
    record = {
        "catdsl": __version__, "python": platform.python_version(), "file": project.source.shown,
        "spec_file": run.spec(project).relative_to(path).as_posix(), "command": list(command), "asked": identity,
        # Equal runs have equal files; a changed run keeps what its files say.
        "id": record_digest(identity),
    }  # fmt: skip
    write_record(run.record, record, run=None, indent=2)
    return run


def check_spec(path: Path, project: Project, asked: Mapping[str, Any]) -> None:
    """Raise CatError E604 where the run that lies at `path` was started with another spec, or asked otherwise."""
    run = RunFolder(path)
    if there(run.record):
        _changed(run, project, {**_spec_identity(project), **asked}, run.held(), accept_changes=False)


def _spec_identity(project: Project) -> dict[str, Any]:
    return {
        "spec": digest(project.spec.files),
        "set": {name: literal(value) for name, value in project.spec.parameters.items()},
    }


def check_place(path: Path, files: Sequence[SourceFile]) -> None:
    """Refuse a place where a run of a spec can neither begin nor go on. `files` are the spec's.

    Raises CatError E603 for a file or a folder of something else, E604 for links that lead out of the run.
    """
    if path.is_file():
        raise CatError.one("E603", f"{path} is a file, not a folder", help="choose another place with -o")
    if path.exists() and not there(RunFolder(path).record) and not _only_begun(path, files):
        raise CatError.one(
            "E603", f"{path} exists and holds no run of catdsl", help="choose an empty or new folder with -o"
        )
    check_links(path)


def existing_run(path: Path, acceptance: Acceptance = STRICT) -> RunFolder:
    """A run that was made before, all of its records read. Raises CatError E603, E604."""
    run = RunFolder(path, acceptance)
    if not run.record.is_file():
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
            help="finish it with --resume; `export --use-teacher` takes its teacher, and of a spec or a student "
            "program `bench` takes initial weights",
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


def _continue(
    run: RunFolder, project: Project, identity: Mapping[str, Any], *, resume: bool, accept_changes: bool
) -> None:
    if not resume:
        raise CatError.one(
            "E603",
            f"{run.path} holds a run already",
            help="continue it with --resume, or choose another place with -o",
        )
    held = run.held()
    changed = _changed(run, project, identity, held, accept_changes=accept_changes)
    # A spec of the same content may have another name.
    if "spec" in changed or not run.spec(project).is_file():
        copy_spec(run.path / "spec", project.spec.files)
    before = held.asked.values
    merged = {**before, **identity}
    if merged != before:
        spec_file = run.spec(project).relative_to(run.path).as_posix()
        changed_record = {**held.model_dump(exclude_unset=True), "spec_file": spec_file, "asked": merged}
        write_record(run.record, changed_record, run=None, indent=2)


def _changed(
    run: RunFolder, project: Project, identity: Mapping[str, Any], held: RunRecord, *, accept_changes: bool
) -> list[str]:
    """What is asked otherwise than when the run was started. Raises CatError E604 unless that is accepted."""
    before = held.asked.values
    # What another command asks and this one did not (a budget, say) is no contradiction.
    changed = [k for k, v in identity.items() if k in before and before[k] != v]
    if changed and not accept_changes:
        notes = tuple(
            line
            for k in changed
            for line in (
                spec_changes(run.path / "spec", project.spec.files)
                if k == "spec"
                else [f"{k}: {_short(before[k])} before, {_short(identity[k])} now"]
            )
        )
        raise CatError.one(
            "E604", f"the run {run.path} was started with another {', '.join(changed)}", notes=notes,
            help="ask for the same again, start a new run with -o, or go on nevertheless with --accept-changes",
        )  # fmt: skip
    return changed


def _check_name(name: str) -> None:
    """Refuse a spec whose name a student program could not hold. Raises CatError E603."""
    try:
        name.encode("utf-8")
        odd = sorted({character for character in name if character in '"\\' or not character.isprintable()})
    except UnicodeEncodeError:
        odd = ["bytes that are not UTF-8"]
    if odd:
        raise CatError.one(
            "E603", f"a run of {name!r} could not name its spec: its name holds {' '.join(odd)!r}",
            help="give the file another name",
        )  # fmt: skip


def _only_begun(path: Path, files: Sequence[SourceFile]) -> bool:
    """Whether a folder holds no more than a run of this spec that was killed before its record was written."""
    known = all(inside.name == "spec" or is_temporary(inside) or is_lock(inside) for inside in path.iterdir())
    # Another `spec` may be all that there is of somebody's work.
    return known and is_copy(path / "spec", files)


def _short(value: Any) -> str:
    """A value for a message; of a long one, such as a digest, the beginning."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:12]}..."
