"""report.json gives back what was saved, and says what is wrong with a file that is none."""

import json
from dataclasses import fields, replace

import pytest

from catdsl.diagnostics import CatError
from catdsl.view.report.content import Figure, Report
from catdsl.view.report.serial import as_json, from_json
from tests.view.report.samples import REPORTS, hostile, whole

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
    assert [line.split('"')[1] for line in lines[2:-1]] == [part.name for part in fields(Report)]
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
        (as_json(whole()).replace('"seed": 3', '"seed": "three"'), "`seed`: input should be a valid integer"),
        (as_json(whole()).replace('"better": "smaller"', '"better": "best"'), r"`metrics\.0\.better`"),
        (as_json(whole()).replace(' "teacher": {', ' "other": {'), "`teacher`"),
    ],
)
def test_what_is_no_report_is_refused(text: str, problem: str) -> None:
    with pytest.raises(CatError, match=problem) as caught:
        from_json(text, name="runs/a/report.json")
    assert caught.value.diagnostics[0].code == "E603"
    assert "runs/a/report.json does not hold a report" in str(caught.value)


def test_parts_of_later_versions_are_passed_over() -> None:
    assert from_json(as_json(whole()).replace(' "seed": 3', ' "later": [1], "seed": 3')) == whole()
