"""report.json gives back what was saved, and says what is wrong with a file that is none."""

import json
from dataclasses import fields, replace

import pytest

from catdsl.acceptance import Acceptance
from catdsl.diagnostics import CatError
from catdsl.provenance import DIGEST
from catdsl.view.report.content import Figure, Report
from catdsl.view.report.serial import as_json, from_json
from tests.view.report.samples import REPORTS, hostile, whole


def _edited(text: str, before: str, after: str) -> str:
    """A report that says something else, and no digest."""
    values = json.loads(text.replace(before, after))
    del values[DIGEST]
    return json.dumps(values)


_LOST = [name for name in REPORTS if "\ud800" in REPORTS[name]().title]


@pytest.mark.parametrize("name", [name for name in REPORTS if name not in _LOST])
def test_a_report_comes_back(name: str) -> None:
    report = REPORTS[name]()
    assert from_json(as_json(report)) == report


def test_what_is_no_character_is_replaced() -> None:
    assert _LOST
    back = from_json(as_json(hostile("a\ud800b")))
    assert back.title == "a\ufffdbfacades at 25 %a\ufffdb"
    as_json(hostile("\udcff")).encode("utf-8")


def test_each_part_has_a_line() -> None:
    lines = as_json(whole()).splitlines()
    assert [line.split('"')[1] for line in lines[2:-1]] == [*(part.name for part in fields(Report)), DIGEST]
    assert json.loads(as_json(whole()))["metrics"][0]["figures"][0]["interval"] == [0.1479, 0.1604]


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_numbers_that_json_lacks(value: float) -> None:
    (metric, *others) = whole().metrics
    figure = Figure(answer="teacher", value=value, interval=(0.0, value))
    report = replace(whole(), metrics=(replace(metric, figures=(figure,)), *others))
    json.loads(as_json(report), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert from_json(as_json(report)) == report


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Expecting value"),
        ("[]", "its format is not catdsl-report-1"),
        ('{"format": "catdsl-graph-1"}', "its format is not catdsl-report-1"),
        (_edited(as_json(whole()), '"seed": 3', '"seed": "three"'), "`seed`: input should be a valid integer"),
        (_edited(as_json(whole()), '"better": "smaller"', '"better": "best"'), r"`metrics\.0\.better`"),
        (_edited(as_json(whole()), ' "teacher": {', ' "other": {'), "`teacher`"),
    ],
)
def test_what_is_no_report_is_refused(text: str, problem: str) -> None:
    with pytest.raises(CatError, match=problem) as caught:
        from_json(text, name="runs/a/report.json")
    assert caught.value.diagnostics[0].code == "E603"
    assert "runs/a/report.json does not hold a report" in str(caught.value)


def test_parts_of_later_versions_are_passed_over() -> None:
    assert from_json(_edited(as_json(whole()), ' "seed": 3', ' "later": [1], "seed": 3')) == whole()


def test_a_report_that_was_changed_is_refused_unless_changes_are_accepted() -> None:
    text = as_json(whole()).replace('"seed": 3', '"seed": 4')
    with pytest.raises(CatError, match=r"E603.*report.json was changed since it was written"):
        from_json(text)
    said: list[str] = []
    assert from_json(text, acceptance=Acceptance(True, said.append)).seed == 4
    assert "taken all the same" in said[0]
