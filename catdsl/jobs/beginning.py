"""A run's folder, made and locked by the first process of a training, and found by the others."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catdsl.acceptance import Acceptance
from catdsl.diagnostics import CatError
from catdsl.files import write_bytes
from catdsl.jobs.reproducing import recorded
from catdsl.jobs.run_folder import RunFolder, existing_run
from catdsl.jobs.run_lock import writing
from catdsl.jobs.run_opening import check_place, open_run
from catdsl.jobs.run_records import RECORD_DOOR
from catdsl.jobs.setting import JobOptions
from catdsl.project import Project
from catdsl.reading import read_bytes, there
from catdsl.semantics.library import SPEC_DOOR
from catdsl.train.collective import by_first
from catdsl.train.engine import CHECKPOINT


@contextmanager
def begin(
    folder: Path, project: Project, asked: Mapping[str, Any], options: JobOptions, say: Callable[[str], None]
) -> Iterator[RunFolder]:
    """Start a run, or continue one (see `open_run`), which nobody else writes into meanwhile (see `writing`)."""
    before: list[_Before] = []
    with ExitStack() as held:

        def opened() -> None:
            # A folder that is no run's gets no lock.
            check_place(folder, project.spec.files)
            held.enter_context(writing(folder, options.command))
            if options.accept_changes and there(RunFolder(folder).record):
                before.append(_Before.of(RunFolder(folder)))
            open_run(
                folder, project, asked, resume=options.resume, accept_changes=options.accept_changes,
                command=recorded(options.command),
            )  # fmt: skip

        by_first(opened, options.device)
        try:
            yield existing_run(folder, Acceptance(options.accept_changes, say))
        except CatError:
            for kept in before:
                kept.put_back()
            raise


@dataclass(frozen=True, slots=True)
class _Before:
    """The record and the spec of a run, kept while it is tried whether the run can go on with others."""

    run: RunFolder
    files: Mapping[Path, bytes]
    checkpoints: Mapping[Path, tuple[int, int]]

    @classmethod
    def of(cls, run: RunFolder) -> "_Before":
        """Raises CatError E103, E604 where a file cannot be read."""
        copies = [file for file in (run.path / "spec").rglob("*") if file.is_file()]
        files = {file: read_bytes(file, SPEC_DOOR) for file in copies}
        # The record last: it is what names the others.
        return cls(run, {**files, run.record: read_bytes(run.record, RECORD_DOOR)}, _checkpoints(run))

    def put_back(self) -> None:
        """Undo a change that had no effect: no part of the run, which is still there, was trained further."""
        if there(self.run.record) and _checkpoints(self.run) == self.checkpoints:
            for file, content in self.files.items():
                write_bytes(file, content)


def _checkpoints(run: RunFolder) -> dict[Path, tuple[int, int]]:
    """Modification time and inode of each checkpoint of a run; a new one differs in both."""
    found = [part / CHECKPOINT for part in (run.teacher, run.student) if (part / CHECKPOINT).is_file()]
    return {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in found}
