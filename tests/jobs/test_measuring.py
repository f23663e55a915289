"""`measure`: every operator can be timed, tables are kept and merged, and plans take them."""

import json
import os
from pathlib import Path

import pytest

from catdsl.backend import timing
from catdsl.backend.timing import kinds, measure_kind, points
from catdsl.diagnostics import CatError
from catdsl.files import cache_folder
from catdsl.jobs.measuring import at_share, measure
from catdsl.jobs.operator_times import load_times, save_times, times_for
from catdsl.ops import ALL, BY_NAME
from catdsl.project import load
from catdsl.search.latency import Curve, OperatorTimes, signature
from tests.ops.test_contract import surrounded

SPEC = """
generator tiny {
    input photo: image(3, 8, 8)
    stem = photo -> conv(6, 3) -> norm -> relu
    output (stem -> conv(4 in 0.., 3) -> conv(3, 1)) + (stem -> conv(3, 3)) -> tanh
}
search { floor = 2 }
"""


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(timing, "_ENOUGH_SECONDS", 0.0)
    monkeypatch.setattr(timing, "_ENOUGH_FOR_NETWORKS", 0.0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_points_lie_closer_where_channels_are_few() -> None:
    assert points(1, 1) == (1,)
    assert points(0, 3) == (1, 2, 3)
    assert points(16, 256) == (16, 28, 49, 84, 147, 256)


@pytest.mark.parametrize("op", [op for op in ALL if op.examples], ids=lambda op: op.name)
def test_every_operator_can_be_timed(op) -> None:  # type: ignore[no-untyped-def]
    graph = surrounded(op, op.examples[0])
    project_kinds = kinds([(graph, graph)], BY_NAME["arrange"])
    for key, kind in project_kinds.items():
        curve = measure_kind(kind, "cpu")
        assert len(curve.times) == len(curve.inputs)
        assert all(len(row) == len(curve.outputs) and min(row) > 0 for row in curve.times), key
    times = OperatorTimes("cpu", "torch", 1, {key: measure_kind(kind, "cpu") for key, kind in project_kinds.items()})
    assert times.of(graph) > 0


def test_what_a_join_may_need_is_timed_too() -> None:
    project = load(SPEC)
    found = kinds([(at_share(project, 0), at_share(project, 1))], BY_NAME["arrange"])
    assert "arrange 8x8 to 8x8" in found
    assert all(signature(project.graph, node) in found for node in project.graph.nodes if node.inputs)


def test_measured_tables_serve_plans(tmp_path: Path) -> None:
    spec = tmp_path / "tiny.cat"
    spec.write_text(SPEC)
    project = load(spec)
    with pytest.raises(CatError) as caught:
        times_for(project, "latency=50%", None)
    assert caught.value.diagnostics[0].code == "E406"
    times, path = measure([project], "cpu", None)
    assert path.parent == cache_folder("times")
    assert "torch" in path.name
    assert [c.teacher for c in times.checked] == [True, False, False, False]
    assert abs(times.error(times.checked[0])) < 1e-9
    assert times_for(project, "25%", None) is None
    found = times_for(project, "latency=99%", None)
    assert found == load_times(path)
    assert project.budget("latency=50%", None, found).limits[0].most == times.of(project.graph) // 2


def test_a_table_keeps_what_other_specs_need(tmp_path: Path) -> None:
    path = tmp_path / "times.json"
    one = OperatorTimes("d", "s", 1, {"a": Curve((0,), (1,), ((1.0,),)), "b": Curve((0,), (1,), ((1.0,),))})
    two = OperatorTimes("d", "s", 1, {"b": Curve((0,), (1,), ((2.0,),))})
    save_times(one, path)
    save_times(two, path)
    assert load_times(path).curves == {"a": one.curves["a"], "b": two.curves["b"]}
    wide = OperatorTimes("d", "s", 1, {"b": Curve((0,), (1, 8), ((2.0, 9.0),))})
    save_times(wide, path)
    save_times(two, path)
    assert load_times(path).curves["b"] == wide.curves["b"]
    save_times(OperatorTimes("other", "s", 1, {}), path)
    assert load_times(path).curves == {}


def _table(curve: object, checked: object = ()) -> str:
    return json.dumps({"device": "d", "software": "s", "threads": 1, "curves": {"a": curve}, "checked": checked})


@pytest.mark.parametrize(
    "content",
    [
        "", "[]", '{"device": 1}', json.dumps({"device": "d", "curves": {"a": 3}}),
        _table({"inputs": [0], "outputs": [], "times": [[]]}),
        _table({"inputs": [0], "outputs": [1, 2], "times": [[1.0]]}),
        _table({"inputs": [0], "outputs": [2, 1], "times": [[1.0, 2.0]]}),
        _table({"inputs": [0], "outputs": [1], "times": [[-1.0]]}),
        _table({"inputs": [0], "outputs": [1], "times": [[float("nan")]]}),
        _table({"inputs": [0], "outputs": [1], "times": [[1.0]]},
               [{"name": "n", "operators": 1.0, "measured": 0.0, "teacher": True, "kinds": []}]),
    ],
)  # fmt: skip
def test_a_damaged_table_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "times.json"
    path.write_text(content)
    with pytest.raises(CatError) as caught:
        load_times(path)
    assert caught.value.diagnostics[0].code == "E406"
    assert str(path) in caught.value.diagnostics[0].message


def test_measuring_replaces_a_damaged_table_of_its_own_and_no_other_file(tmp_path: Path) -> None:
    project = load(SPEC)
    times, path = measure([project], "cpu", None)
    path.write_text("damaged")
    assert measure([project], "cpu", None)[1] == path
    assert load_times(path).device == times.device
    other = tmp_path / "notes.json"
    other.write_text("{}")
    with pytest.raises(CatError):
        measure([project], "cpu", other)
    assert other.read_text() == "{}"


def test_the_newest_table_is_taken(tmp_path: Path) -> None:
    for age, name in ((100, "old"), (0, "new")):
        path = cache_folder("times") / f"{name}.json"
        save_times(OperatorTimes(name, "s", 1, {}), path)
        os.utime(path, (10**9 - age, 10**9 - age))
    taken = times_for(load(SPEC), "latency=1ms", None)
    assert taken is not None
    assert taken.device == "new"


def test_a_table_can_be_written_without_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `measure -o` does, and a run with a latency budget, for its own copy."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "nowhere")
    with pytest.raises(CatError, match="there is no home directory"):
        cache_folder("times")
    times, path = measure([load(SPEC)], "cpu", tmp_path / "times.json")
    assert load_times(path) == times
    (tmp_path / "notes.json").write_text("{}")
    with pytest.raises(CatError, match="E608"):
        save_times(times, tmp_path / "notes.json")
