"""Every JSON file of a run, damaged in every way, through every command that opens runs."""

import json
import random
import shutil
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from catdsl.diagnostics import CatError
from catdsl.provenance import values_digest
from catdsl.train.metrics import read_metrics
from catdsl.view.report.charts import training_charts
from tests.hostile.damages import JSON
from tests.hostile.doors import RUN
from tests.hostile.refusing import refused, refused_or_done

pytestmark = pytest.mark.slow

RECORDS = ("run.json", "plan.json", "inherited.json", "result.json")
DRAWN = 500
LOOKED_AT = 25
"""Of how many drawn damages one has all files compared."""
EVALUATED_AT = 100
"""Of how many damaged metrics one goes through `evaluate`; the others through what reads them there."""
_TIMES = {
    "device": "d", "software": "s", "threads": 1,
    "curves": {"relu": {"inputs": [0], "outputs": [8, 16], "times": [[1.0, 2.0]]}},
    "checked": [{"name": "n", "operators": 1.0, "measured": 2.0, "teacher": True, "kinds": ["relu"]}],
}  # fmt: skip


@pytest.mark.parametrize("damage", JSON, ids=str)
@pytest.mark.parametrize("record", RECORDS)
def test_a_record_that_is_none(cli, place: Path, record: str, damage: str) -> None:
    """Through commands in turn: each record and each damage meets several, and every command meets each record."""
    JSON[damage](place / "run" / record)
    names = list(RUN)
    start = (RECORDS.index(record) * len(JSON) + list(JSON).index(damage)) * 3
    for name in (names[(start + i) % len(names)] for i in range(3)):
        # A folder in the place of run.json makes it no run.
        refused(cli, RUN.words(name, "run"), codes="E603|E604")


@pytest.mark.parametrize("name", list(RUN))
def test_paths_of_a_record_stay_inside(cli, place: Path, name: str) -> None:
    record = json.loads((place / "run" / "run.json").read_text())
    del record["digest"]
    for path in ("../tiny.cat", "/etc/passwd", "spec/../../tiny.cat", "", "..\\tiny.cat", "C:/tiny.cat", ".", "./"):
        (place / "run" / "run.json").write_text(json.dumps({**record, "spec_file": path}))
        assert "spec_file" in refused(cli, RUN.words(name, "run"), codes="E604")


def test_a_copy_of_the_spec_that_is_a_link_to_elsewhere(cli, place: Path) -> None:
    copy = place / "run" / "spec" / "tiny.cat"
    copy.unlink()
    copy.symlink_to(place / "tiny.cat")
    for name in ("evaluate", "explain-plan", "translate --use-teacher"):
        assert "leads out of the run folder" in refused(cli, RUN.words(name, "run"), codes="E604")


@pytest.mark.parametrize("name", list(RUN))
def test_an_edited_spec(cli, place: Path, name: str) -> None:
    copy = place / "run" / "spec" / "tiny.cat"
    copy.write_text(copy.read_text().replace("-> tanh", "-> sigmoid"))
    told = refused(cli, RUN.words(name, "run"), codes="E604")
    assert "is not the one that the run was made with" in told
    assert "--accept-changes" in told


@pytest.mark.parametrize("record", RECORDS)
def test_drawn_damages(cli, place: Path, record: str) -> None:
    draw = random.Random(f"damages of {record}")
    path = place / "run" / record
    whole = path.read_text()
    names = list(RUN)
    for number in range(DRAWN):
        path.write_text(_damaged(json.loads(whole), draw))
        refused(cli, RUN.words(draw.choice(names), "run"), codes="E603|E604", look=number % LOOKED_AT == 0)
    path.write_text(whole)
    cli(*RUN.words("explain-plan", "run"))


def test_drawn_damages_of_a_report(cli, place: Path) -> None:
    draw = random.Random("damages of a report")
    path = place / "run" / "report" / "report.json"
    whole = path.read_text()
    for number in range(DRAWN):
        path.write_text(_damaged(json.loads(whole), draw))
        refused(cli, RUN.words("compare", "run"), codes="E603", look=number % LOOKED_AT == 0)
    path.write_text(whole)
    cli(*RUN.words("compare", "run"))


def test_a_report_of_another_run(cli, place: Path) -> None:
    cli("evaluate", "sibling")
    path = place / "sibling" / "report" / "report.json"
    shutil.copy(path, place / "run" / "report" / "report.json")
    assert "belongs to another run" in refused(cli, RUN.words("compare", "run"), codes="E603")
    assert "taken all the same" in cli(*RUN.words("compare", "run"), "--accept-changes").stderr


def test_drawn_damages_of_files_without_a_digest(cli, place: Path) -> None:
    """Operator times and metrics: refused, or as good as any other that somebody might have measured."""
    draw = random.Random("damages of tables and metrics")
    times, metrics = place / "run" / "times.json", place / "run" / "teacher" / "metrics.jsonl"
    refusals = 0
    for _ in range(DRAWN):
        times.write_text(_damaged(deepcopy(_TIMES), draw))
        refusals += refused_or_done(cli, RUN.words("explain-plan", "run"), codes="E406|E403")
    assert refusals > DRAWN / 2
    times.unlink()
    lines = metrics.read_text().splitlines()
    refusals = 0
    for number in range(DRAWN):
        at = draw.randrange(len(lines))
        damaged = _damaged(json.loads(lines[at]), draw)
        metrics.write_text("\n".join((*lines[:at], damaged, *lines[at + 1 :], "")))
        if number % EVALUATED_AT == 0:
            refusals += refused_or_done(cli, ("evaluate", "run"), codes="E603")
            continue
        try:
            training_charts("teacher", read_metrics(metrics), taps="1 - KA")
        except CatError as error:
            refusals += error.diagnostics[0].code == "E603"
    assert refusals > DRAWN / 2


HUGE = 10**400


@pytest.mark.parametrize("field", ["exact", "paper", "params", "weights", "memory"])
def test_a_report_of_numbers_beyond_all(cli, place: Path, field: str) -> None:
    path = place / "run" / "report" / "report.json"
    report = json.loads(path.read_text())
    del report["digest"]
    for part in ("teacher", "student"):
        path.write_text(json.dumps({**report, part: {**report[part], field: HUGE}}))
        assert f"`{part}.{field}`" in refused(cli, ("compare", "run", "sibling"), codes="E603")


@pytest.mark.parametrize("missing", [("digest",), ("run",), ("digest", "run")])
def test_a_record_that_says_less_is_taken_with_a_line(cli, place: Path, missing: tuple[str, ...]) -> None:
    path = place / "run" / "plan.json"
    record = json.loads(path.read_text())
    for name in missing:
        del record[name]
    if "digest" not in missing:
        record["digest"] = values_digest({name: value for name, value in record.items() if name != "digest"})
    path.write_text(json.dumps(record))
    told = cli("explain-plan", "run").stderr
    words = "no run and no digest" if len(missing) == 2 else f"no {missing[0]}"
    assert told.count("note:") == 1
    assert f"plan.json names {words}; only types and ranges were checked" in told


def test_one_change_is_told_once(cli, place: Path) -> None:
    path = place / "run" / "run.json"
    path.write_text(path.read_text().replace('"python": "', '"python": "not '))
    for name in ("explain-plan", "export --use-teacher", "plan"):
        told = cli(*RUN.words(name, "run"), "--accept-changes").stderr
        assert told.count("run.json was changed since it was written") == 1, told


def _damaged(values: dict[str, Any], draw: random.Random) -> str:
    """One value of another kind, out of its range, missing, deep or huge."""
    # A record without a digest is one of the version before.
    places = [place for place in _places(values, ()) if place != ("digest",)]
    place = draw.choice(places)
    at: Any = values
    for key in place[:-1]:
        at = at[key]
    before = at[place[-1]]
    match draw.choice(("kind", "range", "missing", "deep", "huge")):
        case "missing":
            del at[place[-1]]
        case "deep":
            return json.dumps(values).replace(json.dumps(before), "[" * 3000 + "]" * 3000, 1)
        case "huge":
            at[place[-1]] = draw.choice(("x" * 2_000_000, list(range(200_000)), 10**4000 // 7))
        case "range":
            at[place[-1]] = draw.choice((-1, -(10**30), 10**30, 0.5, -0.5, 1e308, "\0", "../..", "a" * 5000))
        case _:
            other = (None, True, 17, 1.5, "text", [], {}, [None], {"a": 1})
            at[place[-1]] = draw.choice([value for value in other if type(value) is not type(before)])
    return json.dumps(values)


def _places(value: Any, at: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*at, key)
        yield from _places(each, (*at, key))
