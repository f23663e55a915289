"""`train`: the teacher, in a run folder."""

from collections.abc import Callable
from pathlib import Path

from catdsl.jobs.beginning import begin
from catdsl.jobs.run_folder import WEIGHTS
from catdsl.jobs.setting import JobOptions, check_teacher, settle
from catdsl.jobs.training import trained_teacher
from catdsl.project import Project


def train(project: Project, folder: Path, options: JobOptions, *, say: Callable[[str], None]) -> Path:
    """Train the teacher, or go on with it. Returns its weights. Raises CatError, Stopped."""
    setting = settle(project, options, say)
    check_teacher(project, setting)
    with begin(folder, project, setting.identity, setting.options, say) as run:
        trained_teacher(project, run, setting)
    return run.teacher / WEIGHTS
