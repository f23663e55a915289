"""Everything that belongs to a report is written, and nothing that could lie elsewhere."""

import pytest

from catdsl.view.report.files import report_files
from catdsl.view.report.serial import from_json
from tests.view.report.samples import REPORTS, pictures, whole


def test_the_files_of_a_report() -> None:
    files = report_files(whole(), pictures(whole()))
    charts = ["losses", "gan", "taps"]
    assert list(files) == [
        "report.html", "report.md", "report.json",
        *(f"{network}-{chart}.svg" for network in ("teacher", "student") for chart in charts),
    ]  # fmt: skip
    assert from_json(files["report.json"]) == whole()


@pytest.mark.parametrize("name", REPORTS)
def test_their_names_are_those_of_files_in_one_folder(name: str) -> None:
    report = REPORTS[name]()
    for file, text in report_files(report, pictures(report)).items():
        assert not set(file) & set("/\\:\0 ")
        text.encode("utf-8")
