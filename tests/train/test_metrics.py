"""The metrics file: one line a step, cut where a run goes on, and readable after a torn line."""

import json

import pytest

from catdsl.diagnostics import CatError
from catdsl.train.metrics import MetricsLog, read_metrics


def written(path, steps, *, keep_through=0):
    with MetricsLog.open(path, keep_through=keep_through) as log:
        for step in steps:
            log.append({"step": step, "recon": 0.5 * step})


def steps(path):
    return [record["step"] for record in read_metrics(path)]


def test_lines_are_plain_json(tmp_path):
    written(tmp_path / "new" / "m.jsonl", [1, 2])
    text = (tmp_path / "new" / "m.jsonl").read_text()
    assert [json.loads(line) for line in text.splitlines()] == [
        {"step": 1, "recon": 0.5},
        {"step": 2, "recon": 1.0},
    ]


def test_going_on_cuts_what_lies_beyond(tmp_path):
    path = tmp_path / "m.jsonl"
    written(path, range(1, 8))
    written(path, [5, 6], keep_through=4)
    assert steps(path) == [1, 2, 3, 4, 5, 6]


def test_starting_anew_empties_the_file(tmp_path):
    path = tmp_path / "m.jsonl"
    written(path, range(1, 4))
    written(path, [1])
    assert steps(path) == [1]


def test_a_torn_last_line_is_dropped(tmp_path):
    path = tmp_path / "m.jsonl"
    written(path, [1, 2])
    path.write_text(path.read_text() + '{"step": 3, "rec')
    assert steps(path) == [1, 2]
    written(path, [3], keep_through=3)
    assert steps(path) == [1, 2, 3]


def test_lines_are_there_before_the_file_is_closed(tmp_path):
    path = tmp_path / "m.jsonl"
    with MetricsLog.open(path, keep_through=0) as log:
        log.append({"step": 1})
        assert steps(path) == [1]


HUGE = "1" + "0" * 400


@pytest.mark.parametrize(
    "text",
    [
        "hello\n",
        '[1]\n{"step": 1}\n',
        '{"loss": 1}\n',
        f'{{"step": -{HUGE}}}\n',
        f'{{"step": 1, "loss": {HUGE}}}\n',
        '{"step": 1e300}\n',
    ],
)
def test_a_file_that_is_none_of_ours(tmp_path, text):
    path = tmp_path / "m.jsonl"
    path.write_text(text)
    with pytest.raises(CatError, match=r"E603"):
        MetricsLog.open(path, keep_through=1)
    assert path.read_text() == text


def test_what_is_no_number_is_never_written(tmp_path):
    with (
        MetricsLog.open(tmp_path / "m.jsonl", keep_through=0) as log,
        pytest.raises(ValueError, match="JSON"),
    ):
        log.append({"step": 1, "recon": float("nan")})


@pytest.mark.parametrize("again", [False, True])
def test_a_file_that_goes_away_is_an_error(tmp_path, again):
    path = tmp_path / "m.jsonl"
    with MetricsLog.open(path, keep_through=0) as log:
        log.append({"step": 1})
        path.rename(tmp_path / "away.jsonl")
        if again:
            path.touch()
        with pytest.raises(CatError, match=r"E608.*removed or replaced"):
            log.append({"step": 2})
    assert steps(tmp_path / "away.jsonl") == [1]
