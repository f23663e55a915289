"""A run's folder, made and locked by the first process of a training, and found by the others."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from catdsl.acceptance import Acceptance
from catdsl.jobs.reproducing import recorded
from catdsl.jobs.run_folder import RunFolder, existing_run
from catdsl.jobs.run_lock import writing
from catdsl.jobs.run_opening import check_place, open_run
from catdsl.jobs.setting import JobOptions
from catdsl.project import Project
from catdsl.train.collective import by_first


@contextmanager
def begin(
    folder: Path, project: Project, asked: Mapping[str, Any], options: JobOptions, say: Callable[[str], None]
) -> Iterator[RunFolder]:
    """Start a run, or continue one (see `open_run`), which nobody else writes into meanwhile (see `writing`)."""
    with ExitStack() as held:

        def opened() -> None:
            # A folder that is no run's gets no lock.
            check_place(folder, project.spec.files)
            held.enter_context(writing(folder, options.command))
            open_run(
                folder, project, asked, resume=options.resume, accept_changes=options.accept_changes,
                command=recorded(options.command),
            )  # fmt: skip

        by_first(opened, options.device)
        yield existing_run(folder, Acceptance(options.accept_changes, say))
