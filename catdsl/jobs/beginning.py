"""A run's folder, made by the first process of a training and found by the others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catdsl.jobs.reproducing import recorded
from catdsl.jobs.run_folder import RunFolder, open_run
from catdsl.jobs.setting import JobOptions
from catdsl.project import Project
from catdsl.train.collective import by_first


def begin(folder: Path, project: Project, asked: Mapping[str, Any], options: JobOptions) -> RunFolder:
    """Start a run, or continue one: see `open_run`."""

    def opened() -> None:
        open_run(
            folder, project, asked, resume=options.resume, accept_changes=options.accept_changes,
            command=recorded(options.command),
        )  # fmt: skip

    by_first(opened, options.device)
    return RunFolder(folder)
