"""`train`: the teacher, in a run folder."""

from collections.abc import Callable
from pathlib import Path

from catdsl.jobs.run_folder import WEIGHTS, open_run
from catdsl.jobs.setting import JobOptions, settle
from catdsl.jobs.training import trained_teacher
from catdsl.project import Project


def train(project: Project, folder: Path, options: JobOptions, *, say: Callable[[str], None]) -> Path:
    """Train the teacher, or go on with it. Returns its weights. Raises CatError, Stopped."""
    setting = settle(project, options, say)
    run = open_run(folder, project, setting.identity, resume=options.resume)
    trained_teacher(project, run, setting)
    return run.teacher / WEIGHTS
