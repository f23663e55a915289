"""A run's folder, made and locked by the first process of a training, and found by the others."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from catdsl.acceptance import Acceptance
from catdsl.diagnostics import CatError
from catdsl.jobs.reproducing import recorded
from catdsl.jobs.run_folder import RunFolder, existing_run
from catdsl.jobs.run_lock import writing
from catdsl.jobs.run_opening import Asked, check_place, open_run
from catdsl.jobs.setting import JobOptions
from catdsl.project import Project
from catdsl.reading import there
from catdsl.train.collective import by_first


@contextmanager
def begin(
    folder: Path, project: Project, asked: Mapping[str, Any], options: JobOptions, say: Callable[[str], None]
) -> Iterator[RunFolder]:
    """Start a run, or continue one (see `open_run`), which nobody else writes into meanwhile (see `writing`)."""
    before: list[Asked] = []
    with ExitStack() as held:

        def opened() -> None:
            # A folder that is no run's gets no lock.
            check_place(folder, project.spec.files)
            held.enter_context(writing(folder, options.command))
            if options.accept_changes and there(RunFolder(folder).record):
                before.append(Asked.of(folder))
            open_run(
                folder, project, asked, resume=options.resume, accept_changes=options.accept_changes,
                command=recorded(options.command),
            )  # fmt: skip

        by_first(opened, options.device)
        try:
            yield existing_run(folder, Acceptance(options.accept_changes, say))
        except CatError:
            for asked_before in before:
                asked_before.put_back()
            raise
