"""A run started, or continued as it was started: its record, its copy of the spec, and what may not change."""

import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from catdsl import __version__
from catdsl.diagnostics import CatError
from catdsl.files import is_temporary
from catdsl.jobs.run_folder import RunFolder
from catdsl.jobs.run_links import check_links
from catdsl.jobs.run_lock import is_lock
from catdsl.jobs.run_records import RunRecord, write_record
from catdsl.jobs.spec_copy import copy_spec, is_copy, spec_changes
from catdsl.project import Project
from catdsl.provenance import values_digest
from catdsl.reading import there
from catdsl.semantics.library import SourceFile
from catdsl.semantics.student import digest, literal


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
        "id": values_digest(identity),
    }  # fmt: skip
    write_record(run.record, record, run=None, indent=2)
    return run


def check_spec(path: Path, project: Project, asked: Mapping[str, Any]) -> None:
    """Raise CatError E604 where the run that lies at `path` was started with another spec, or asked otherwise."""
    run = RunFolder(path)
    if there(run.record):
        check_links(path)
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
    # A folder called `spec` may hold somebody's only copy of another one.
    return known and is_copy(path / "spec", files)


def _short(value: Any) -> str:
    """A value for a message; of a long one, such as a digest, the beginning."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:12]}..."
