"""Tables of operator times on disk: where they lie, and which one a search takes."""

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from pydantic import TypeAdapter

from catdsl.diagnostics import CatError, Diagnostic
from catdsl.files import cache_folder, write_text
from catdsl.jobs.targets import check_no_input, refusal
from catdsl.project import Project
from catdsl.reading import Door, read_json, there
from catdsl.search.budget import no_times
from catdsl.search.latency import Curve, OperatorTimes
from catdsl.search.plan import Plan
from catdsl.search.scores import Scores
from catdsl.search.speed import Speed, predicted_speed, slow_warning

_TABLES = "times"
_TABLE = TypeAdapter(OperatorTimes)
_MEASURE = "run `catdsl measure SPEC` on the device, or give its table with --times"
_TIMES_DOOR = Door("table of operator times", "E406", "json", _MEASURE)


def table_path(times: OperatorTimes) -> Path:
    """The file of a device and a version of the software, in the cache."""
    name = re.sub(r"[^a-z0-9.]+", "-", f"{times.device} {times.threads} threads {times.software}".lower())
    return cache_folder(_TABLES) / f"{name.strip('-')}.json"


def load_times(path: Path) -> OperatorTimes:
    """A table from its file. Raises CatError E406."""
    if not there(path):
        raise CatError.one("E406", f"there are no operator times at {path}", help=_MEASURE)
    return read_json(path, _TIMES_DOOR, _TABLE)


def check_table(path: Path, *, overwrite: bool, inputs: Iterable[Path] = ()) -> None:
    """Refuse to replace a file that is no table of operator times: what is one, is ours.

    Nor one of `inputs`, which the command reads. Raises CatError E608.
    """
    check_no_input(path, inputs)
    if overwrite or not path.is_file():
        return
    try:
        load_times(path)
    except CatError:
        raise refusal(path, "it is no table of operator times") from None


def save_times(times: OperatorTimes, path: Path, *, overwrite: bool = False) -> None:
    """Write a table; what lies there of the same device stays, unless measured anew. Raises CatError E608.

    What is no table is replaced only in the cache, where it was one once, or with `overwrite`.
    """
    check_table(path, overwrite=overwrite or _in_cache(path))
    old = times
    if path.exists():
        with suppress(CatError):
            old = load_times(path)
    if _where(old) == _where(times):
        names = {checked.name for checked in times.checked}
        kept = tuple(checked for checked in old.checked if checked.name not in names)
        curves = {key: _wider(curve, times.curves.get(key, curve)) for key, curve in old.curves.items()}
        times = replace(times, curves={**times.curves, **curves}, checked=(*kept, *times.checked))
    write_text(path, json.dumps(asdict(times), indent=1) + "\n")


def _in_cache(path: Path) -> bool:
    with suppress(CatError):
        return path.parent == cache_folder(_TABLES)
    return False


def _wider(old: Curve, new: Curve) -> Curve:
    """The newer curve, unless the older one knows more channels."""
    wider = (old.inputs[-1], old.outputs[-1]) > (new.inputs[-1], new.outputs[-1])
    return old if wider and old.inputs[-1] >= new.inputs[-1] and old.outputs[-1] >= new.outputs[-1] else new


def _where(times: OperatorTimes) -> tuple[str, str, int]:
    return times.device, times.software, times.threads


def times_for(project: Project, budget: str | None, path: Path | None) -> OperatorTimes | None:
    """The table that a budget needs: the one given, else the newest; None where no latency is asked for.

    Raises CatError E406 where there is none.
    """
    if path is not None:
        return load_times(path)
    settings = project.settings.budget
    if "latency" not in budget if budget is not None else settings.latency is None:
        return None
    newest = _newest()
    if newest is None:
        raise CatError((no_times(),))
    return load_times(newest)


def _newest() -> Path | None:
    # A user without a home, or a link that leads nowhere: as if nothing had been measured.
    with suppress(OSError, CatError):
        return max(cache_folder(_TABLES).glob("*.json"), key=lambda file: file.stat().st_mtime, default=None)
    return None


def speed_of(
    project: Project, scores: Scores, plan: Plan, times: OperatorTimes | None
) -> tuple[Speed | None, tuple[Diagnostic, ...]]:
    """The predicted speed of a plan, and a warning where fewer MACs bring none.

    Without `times` the newest table is asked, of whatever device; one that lacks operators of this
    spec says nothing.
    """
    search, graph = project.settings.search, project.teacher_graph
    try:
        newest = _newest()
        table = times or (load_times(newest) if newest else None)
        speed = predicted_speed(graph, plan.kept, table) if table else None
    except CatError:
        return None, ()
    if table is None or speed is None:
        return None, ()
    model = project.cost_model
    warning = slow_warning(model, scores, plan, speed, table, group=search.group, policy=search.policy)
    return speed, () if warning is None else (warning,)
