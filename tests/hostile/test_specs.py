"""Specs and student programs that are hostile, damaged or odd, through every command that takes one."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.hostile.damages import ANY
from tests.hostile.doors import SPEC
from tests.hostile.refusing import refused

pytestmark = pytest.mark.slow

DEEP = 20_000

TEXTS = {
    "nested deep": "generator g { input x: image(3, 8, 8) output x -> conv(" + "(" * DEEP + "3" + ")" * DEEP + ", 1) }",
    "a list nested deep": "param p = " + "[" * DEEP + "]" * DEEP,
    "a long chain": "generator g { input x: image(3, 8, 8) output x" + " -> relu" * 200_000 + " }",
    "a huge repeat": "generator g { input x: image(3, 8, 8) b = x -> 999999999 * relu output b }",
    "a huge number": "generator g { input x: image(3, 8, 8) output x -> conv(" + "9" * 100_000 + ", 1) }",
    "blocks that double": "\n".join(
        f"block b{i}(x) {{ return b{i - 1}(b{i - 1}(x)) }}" if i else "block b0(x) { return x -> relu }"
        for i in range(40)
    )
    + "\ngenerator g { input x: image(3, 8, 8) output x -> b39 }",
    "used from outside": 'use f from "../outside.cat"\ngenerator g { input x: image(3, 8, 8) output x -> f }',
    "used by its whole path": 'use f from "/etc/passwd"\ngenerator g { input x: image(3, 8, 8) output x -> f }',
    "used from a device": 'use f from "zero.cat"\ngenerator g { input x: image(3, 8, 8) output x -> f }',
    "control characters": "generator g { input x: image(3, 8, 8) output x -> \x1b]0;title\x07\x1b[2J }",
}

STUDENTS = {
    "of a spec outside": 'student of "../outside.cat" { widths { stem.conv0 = 4 } }',
    "of a spec by its whole path": 'student of "/etc/passwd" { widths { stem.conv0 = 4 } }',
    "of a device": 'student of "zero.cat" { widths { stem.conv0 = 4 } }',
    "of itself": 'student of "hostile.cat" { widths { stem.conv0 = 4 } }',
    "of what is not there": 'student of "gone.cat" { widths { stem.conv0 = 4 } }',
}

_PLACES_OF_STUDENTS = [name for name in SPEC if name not in ("fmt", "train", "compress", "distill", "measure")]


@pytest.fixture
def around(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a spec may try to reach."""
    (place / "zero.cat").symlink_to("/dev/zero")
    (place.parent / "outside.cat").write_text("block f(x) { return x -> relu }")
    return place


@pytest.mark.parametrize("damage", [name for name in ANY if name not in ("text", "empty", "cut short")])
def test_a_file_that_is_no_text(cli, place: Path, damage: str) -> None:
    (place / "hostile.cat").write_bytes((place / "tiny.cat").read_bytes())
    ANY[damage](place / "hostile.cat")
    for name in SPEC:
        refused(cli, SPEC.words(name, "hostile.cat"), codes="E103|E210|E603")


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_that_asks_for_too_much(cli, around: Path, text: str) -> None:
    (around / "hostile.cat").write_text(TEXTS[text], encoding="utf-8")
    for name in SPEC:
        if name != "fmt":
            refused(cli, SPEC.words(name, "hostile.cat"))


@pytest.mark.parametrize("text", STUDENTS)
def test_a_student_of_something_else(cli, around: Path, text: str) -> None:
    (around / "hostile.cat").write_text(STUDENTS[text], encoding="utf-8")
    for name in _PLACES_OF_STUDENTS:
        refused(cli, SPEC.words(name, "hostile.cat"))


NAMES = (
    '"""; __import__("os").system("touch proof"); """.cat',
    "\n__import__('os').mkdir('proof')\n#.cat",
    "<script>proof<script>.cat",
    "<!--<img src=x onerror=proof>.cat",
    "\x1b]0;proof\x07.cat",
    "a'b\"c\\.cat",
    "{proof}%s.cat",
    "-o.cat",
    "\N{RIGHT-TO-LEFT OVERRIDE}tac.cat",
)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_run_nothing_and_steer_nothing(cli, place: Path, name: str) -> None:
    """Every file that is written is what it is without the name: the name is in it as a literal, or not at all."""
    (place / name).write_bytes((place / "tiny.cat").read_bytes())
    given = f"./{name}"
    weights = ("--weights", "run/teacher/weights.safetensors")
    for words in (
        ("check", given),
        ("info", given),
        ("build", given, "-o", "built"),
        ("graph", given, "-o", "page.html"),
        ("graph", given, "-o", "graph.svg"),
        ("graph", given, "-o", "graph.mmd"),
        ("graph", given, "-o", "graph.dot"),
        ("export", given, *weights, "-o", "x.py"),
        ("export", given, *weights, "-o", "x.onnx"),
        ("translate", given, "photo.png", *weights, "-o", "painted"),
        ("plan", given, "--budget", "40%", "--teacher", "run", "-o", "planned/student.cat"),
    ):
        done = cli(*words, code=(0, 1))
        assert "\x1b" not in done.stdout + done.stderr
        assert "\x07" not in done.stdout + done.stderr
    assert not (place / "proof").exists()
    if (place / "x.py").exists():
        compile((place / "x.py").read_text(), "x.py", "exec")
    if (place / "built" / "module.py").exists():
        compile((place / "built" / "module.py").read_text(), "module.py", "exec")
    if (place / "page.html").exists():
        assert "<script>proof" not in (place / "page.html").read_text()


def test_a_record_that_names_a_hostile_file(cli, place: Path) -> None:
    """The name in a received run: the digest of the record is made to fit by leaving it out."""
    path = place / "run" / "run.json"
    record = json.loads(path.read_text())
    del record["digest"]
    name = '""" + str(open("proof", "w")) + """.cat'
    os.rename(place / "run" / "spec" / "tiny.cat", place / "run" / "spec" / name)
    # A student program could not name such a spec.
    (place / "run" / "student.cat").unlink()
    shutil.rmtree(place / "run" / "student")
    path.write_text(json.dumps({**record, "spec_file": f"spec/{name}", "file": name, "command": ["\x1b[2J", name]}))
    cli("export", "run", "-o", "x.py", "--use-teacher", code=(0, 1))
    cli("evaluate", "run")
    assert not (place / "proof").exists()
    report = (place / "run" / "report" / "report.md").read_text()
    assert "\x1b" not in report
