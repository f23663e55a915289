"""Each rule holds for the whole package, and each catches the fault that is planted for it."""

import subprocess
from collections.abc import Callable

import pytest

from catdsl.diagnostics.codes import CODES
from tests.architecture import rules
from tests.architecture.source import ROOT, Module, module, package_modules

_CODES_FILE = "catdsl/diagnostics/codes.py"
_GENERATED = (".venv", ".git", "runs", "dist", "build")


@pytest.mark.parametrize(
    "rule", [rules.naming, rules.docstring, rules.length, rules.asking_for_attributes, rules.printing]
)  # fmt: skip
def test_every_module_follows(rule: Callable[[Module], list[str]]) -> None:
    assert [complaint for m in package_modules() for complaint in rule(m)] == []


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (rules.naming, "catdsl/ir/utils.py", '"""Things."""'),
        (rules.naming, "catdsl/common/__init__.py", '"""Things."""'),
        (rules.docstring, "catdsl/a.py", "import json"),
        (rules.docstring, "catdsl/a.py", ""),
        (rules.docstring, "catdsl/a.py", '"""\n"""'),
        (rules.docstring, "catdsl/a.py", '"""Begins here and\ngoes on."""'),
        (rules.docstring, "catdsl/a.py", '# Not a docstring.\n"""Plans."""[0]'),
        (rules.length, "catdsl/a.py", '"""Long."""\n' + "x = 1\n" * rules.MAX_LINES),
        (rules.asking_for_attributes, "catdsl/a.py", "def f(x):\n    return hasattr(x, 'y')"),
        (rules.printing, "catdsl/cli/a.py", "def f(x):\n    print(x)"),
        (rules.printing, "catdsl/jobs/a.py", "import sys\nprint('a', file=sys.stderr)"),
        (rules.printing, "catdsl/cli/a.py", "typer.echo('a')"),
        (rules.printing, "catdsl/cli/a.py", "sys.stdout.write('a')"),
        (rules.printing, "catdsl/cli/a.py", "Console().print(table)"),
    ],
)
def test_a_planted_fault_is_caught(rule: Callable[[Module], list[str]], path: str, text: str) -> None:
    assert len(rule(module(path, text))) == 1


def test_every_code_is_documented_and_raised() -> None:
    raising = [m for m in package_modules() if m.path != _CODES_FILE]
    assert rules.stray_codes(raising, CODES) == []


@pytest.mark.parametrize(
    ("text", "complaints"),
    [
        ("raise E('E301')\nraise E('E302')", []),
        ("raise E('E301')", ["E302: nothing raises it"]),
        ("'''E302 is only spoken of.'''\nraise E('E301')", ["E302: nothing raises it"]),
        ("raise E('E301')\nraise E('E302')\nraise E('E399')", ["catdsl/a.py: E399 has no entry"]),
        ("'''Raises E399.'''\nraise E('E301' if a else 'E302')", ["catdsl/a.py: E399 has no entry"]),
    ],
)
def test_stray_codes_are_caught(text: str, complaints: list[str]) -> None:
    assert rules.stray_codes([module("catdsl/a.py", text)], ("E301", "E302")) == complaints


def test_codes_are_in_order_and_one_line_each() -> None:
    assert list(CODES) == sorted(CODES)
    assert [code for code, meaning in CODES.items() if not meaning or "\n" in meaning] == []


def _files_of_the_project() -> list[str]:
    """What git tracks or would track; without git, as in a source archive, all but what is generated."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0 and listed.stdout:
        return [path for path in listed.stdout.split("\0") if path and (ROOT / path).is_file()]
    found = (p.relative_to(ROOT) for p in ROOT.rglob("*") if p.is_file())
    return [p.as_posix() for p in found if p.parts[0] not in _GENERATED]


def _text(path: str) -> str:
    """The text of a file; nothing for pictures and weights."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_no_file_names_a_machine_or_leaves_work_over() -> None:
    paths = _files_of_the_project()
    assert "catdsl/__init__.py" in paths
    assert [found for path in paths for found in rules.traces(path, _text(path))] == []


# Written in two parts, so that this file passes its own guard.
@pytest.mark.parametrize(
    "line",
    [
        "data = '/ho" + "me/ada/data'",
        "see /ro" + "ot/notes",
        "cd /wo" + "rk/main && make",
        "open('/tm" + "p/x')",
        "-o=/Us" + "ers/ada",
        "path = 'C:" + "\\\\Users'",
        "# TO" + "DO: later",
        "# FIX" + "ME",
    ],
)
def test_a_trace_is_caught(line: str) -> None:
    assert rules.traces("notes.md", f"first\n{line}\n") == [f"notes.md:2: {line}"]


@pytest.mark.parametrize(
    "line",
    ["runs/tmp/x", "https://example.org/home/ada", "a frame/work/flow", "~/work/x", "12/root/x", "in 3:\\n"],
)
def test_other_slashes_are_left_alone(line: str) -> None:
    assert rules.traces("notes.md", line) == []
