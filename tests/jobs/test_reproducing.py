"""The command of a report: parts that were checked, whatever a run folder says that was typed."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from catdsl.diagnostics.shell import shell_line, shell_word
from catdsl.jobs.reproducing import making_command, recorded
from tests.hostile_names import HOSTILE

SPEC = Path("run/spec/a.cat")
ASKED = {"seed": 0, "steps": 3, "set": {"ngf": "8", "norm_kind": "batch"}, "budget": "macs (exact) 50%", "data": "ab12"}


def made(command: object, *, file: object = "a.cat", **asked: object) -> list[str]:
    return making_command({"command": command, "file": file, "asked": ASKED | asked}, SPEC, "again")


def test_what_was_typed_and_is_known_comes_back_in_its_order() -> None:
    typed = [
        "catdsl",
        "compress",
        "a.cat",
        "--data",
        "my images",
        "--steps",
        "3",
        "--teacher=run",
        "--set",
        "ngf=8",
        "--budget",
        "macs=2.6G,params=400K",
        "--tensorboard",
        "-o",
        "old",
        "--resume",
        "--device",
        "cuda:1",
    ]
    assert made(typed) == [
        "catdsl", "compress", "a.cat", "--data", "my images", "--steps", "3", "--teacher", "run", "--set", "ngf=8",
        "--budget", "macs=2.6G,params=400K", "--tensorboard", "--device", "cuda:1", "-o", "again",
    ]  # fmt: skip


def test_what_decides_a_run_is_what_was_asked() -> None:
    typed = ["catdsl", "train", "a.cat", "--seed", "5", "--set", "ngf=99", "--set=norm_kind=instance"]
    assert made(typed, seed=7, steps=None) == [
        "catdsl", "train", "a.cat", "--seed", "7", "--set", "ngf=8", "--set", "norm_kind=batch", "-o", "again"
    ]  # fmt: skip
    assert made(["catdsl", "train", "a.cat"], seed=7)[3:7] == ["--seed", "7", "--steps", "3"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (["sh", "-c", "rm -rf ."], []),
        (["catdsl", "train", "a.cat", "--unheard", "x", "; rm"], []),
        (["catdsl", "train", "a.cat", "--teacher", "x"], []),
        (["catdsl", "compress", "a.cat", "--budget", "$(x)"], []),
        (["catdsl", "compress", "a.cat", "--device", "x; y"], []),
        (["catdsl", "compress", "a.cat", "--count", "all", "--devices", "-1"], []),
        (["catdsl", "compress", "a.cat", "--data", "a\x1b[2Jb"], ["--data", "DATA"]),
        (["catdsl", "compress", "a.cat", "--data", "a\nb"], ["--data", "DATA"]),
        (["catdsl", "compress", "a.cat", "--data", "-o"], ["--data", "./-o"]),
        (["catdsl", "compress", "a.cat", "--data", *recorded(["a\udcff"])], ["--data", "DATA"]),
        (["catdsl", "compress", "a.cat", "--data"], ["--data", "DATA"]),
        (["catdsl", "compress", "a.cat", "--set", "__import__=1", "--set", "ngf"], ["--set", "ngf=8"]),
        ([1, None, ["catdsl"], {}], []),
        (["catdsl"], []),
        ("catdsl train", None),
        ([], None),
        (None, None),
    ],
)
def test_other_words_are_left_out(typed: object, kept: list[str] | None) -> None:
    found = made(typed, steps=None)
    if kept is None:
        assert found == []
        return
    assert found[:1] == ["catdsl"]
    assert found[1] in ("train", "compress")
    assert found[2:] == ["a.cat", *kept, "-o", "again"]


@pytest.mark.parametrize(
    "asked",
    [
        {"seed": "1; x"},
        {"seed": True},
        {"seed": -1},
        {"steps": 1.5},
        {"set": {"ngf": "$(x)\n"}},
        {"set": [1]},
        {"set": {"ngf": 8}},
    ],
)
def test_values_of_other_kinds_are_left_out(asked: dict[str, object]) -> None:
    found = made(["catdsl", "train", "a.cat", "--seed", "1", "--steps", "2", "--set", "ngf=8"], **asked)
    assert all(word.isprintable() and "$" not in word and ";" not in word for word in found)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_records(name: str) -> None:
    text = HOSTILE[name]
    found = making_command(
        {
            "command": [
                text,
                "compress",
                text,
                "--data",
                text,
                f"--teacher={text}",
                "--budget",
                text,
                text,
                "--set",
                text,
            ],
            "file": text,
            "asked": {**ASKED, "set": {"ngf": text, text: text}, text: text},
        },
        SPEC,
        "again",
    )
    line = shell_line(found)
    assert line.isprintable()
    assert shlex.split(line) == found
    assert found[:2] == ["catdsl", "compress"]
    assert found[-2:] == ["-o", "again"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_shell_takes_a_line_apart_into_the_same_words(name: str) -> None:
    words = [HOSTILE[name].replace("\x00", "").replace("\ud83d", ""), "b c", "é"]
    line = shell_line(words)
    assert line.isprintable()
    done = subprocess.run(["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True)
    assert done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1] == words


def test_halves_of_characters_are_no_words() -> None:
    assert shell_word("a\ud83db") == "$'a?b'"


def test_a_record_holds_words_that_json_can() -> None:
    words = recorded(["catdsl", "train", "x\udcff", "--data", "y\udc80"])
    assert json.loads(json.dumps(words).encode("utf-8")) == list(words)
    assert all(word.encode("utf-8") for word in words)
