"""Scores and operator times that are hostile or damaged, through every command that takes them."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.hostile.damages import ANY, JSON
from tests.hostile.doors import SCORES, TIMES
from tests.hostile.refusing import refused

pytestmark = pytest.mark.slow


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def _archive(path: Path, entries: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries.items():
            made.writestr(name, content)


ARCHIVES = {
    "a bomb": lambda path: _archive(path, {"stem.norm0.npy": _npy(np.zeros(75_000_000, np.float32))}),
    "objects": lambda path: _archive(path, {"stem.norm0.npy": _npy(np.array([{}], object))}),
    "texts": lambda path: _archive(path, {"stem.norm0.npy": _npy(np.array(["a"] * 8))}),
    "a shape beyond what is there": lambda path: _archive(
        path, {"stem.norm0.npy": _npy(np.zeros(8)).replace(b"(8,), ", b"(1e9,)")}
    ),
    "a header that is code": lambda path: _archive(
        path, {"stem.norm0.npy": _npy(np.zeros(8)).replace(b"(8,), ", b"f(),  ")}
    ),
    "not finite": lambda path: _archive(path, {"stem.norm0.npy": _npy(np.full(8, np.nan))}),
    "of another length": lambda path: _archive(path, {"stem.norm0.npy": _npy(np.ones(5))}),
    "of no norm": lambda path: _archive(path, {"nothing.npy": _npy(np.ones(5))}),
    "many": lambda path: _archive(path, {f"a{i}.npy": b"" for i in range(3000)}),
    **ANY,
}


@pytest.mark.parametrize("damage", ARCHIVES)
@pytest.mark.parametrize("name", list(SCORES))
def test_scores(cli, place: Path, name: str, damage: str) -> None:
    np.savez(place / "s.npz", **{"stem.norm0": np.ones(8)})
    ARCHIVES[damage](place / "s.npz")
    told = refused(cli, SCORES.words(name, "s.npz"), codes="E403")
    # Of the sizes in its directory, not of what it unpacks to.
    assert damage != "a bomb" or "raise it with `--limit arrays=" in told


CURVE = {"inputs": [0], "outputs": [8], "times": [[1.0]]}
TABLE = {"device": "d", "software": "s", "threads": 1, "curves": {"relu": CURVE}, "checked": []}
TABLES = {
    "no curves": {**TABLE, "curves": {}},
    "a negative time": {**TABLE, "curves": {"relu": {**CURVE, "times": [[-1.0]]}}},
    "an infinite time": {**TABLE, "curves": {"relu": {**CURVE, "times": [[float("inf")]]}}},
    "a ragged table": {**TABLE, "curves": {"relu": {**CURVE, "times": [[1.0], [2.0]]}}},
    "counts beyond all": {**TABLE, "curves": {"relu": {**CURVE, "outputs": [10**400]}}},
    "counts below none": {**TABLE, "curves": {"relu": {**CURVE, "outputs": [-1]}}},
    "a factor beyond all": {
        **TABLE,
        "checked": [{"name": "n", "operators": 1e-300, "measured": 8e13, "teacher": True, "kinds": []}],
    },
    "threads of another kind": {**TABLE, "threads": "many"},
    "a device missing": {key: value for key, value in TABLE.items() if key != "device"},
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("name", list(TIMES))
def test_tables_of_times(cli, place: Path, name: str, table: str) -> None:
    if name == "measure" and table == "no curves":
        pytest.skip("a table to which curves are added")
    (place / "t.json").write_text(json.dumps(TABLES[table]))
    refused(cli, TIMES.words(name, "t.json"), codes="E406|E608")


@pytest.mark.parametrize("damage", JSON)
def test_files_that_are_no_table(cli, place: Path, damage: str) -> None:
    (place / "t.json").write_text(json.dumps(TABLE))
    JSON[damage](place / "t.json")
    for name in TIMES:
        refused(cli, TIMES.words(name, "t.json"), codes="E406|E608")
