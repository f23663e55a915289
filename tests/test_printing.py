"""What reaches a terminal: no control character of any name, in any encoding, on any command."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.table import Table

from catdsl.cli import printing
from catdsl.diagnostics import CatError, Diagnostic
from catdsl.diagnostics.printable import printable, printable_json, printable_lines, write_json, write_line
from catdsl.diagnostics.render import render_github, render_text
from catdsl.train.progress import open_progress
from tests.hostile_names import HOSTILE, in_a_file_name

SPEC = "generator g { input x: image(3, 8, 8)\n output x -> conv(3, 3) }\n"
_OURS = frozenset("\n\t")


def unfit(text: str) -> set[str]:
    """Characters that a terminal might obey."""
    return {c for c in text if not c.isprintable() and c not in _OURS}


@pytest.mark.parametrize("name", HOSTILE)
def test_text_is_made_printable(name: str) -> None:
    text = HOSTILE[name]
    assert printable(text).isprintable()
    assert unfit(printable_lines(text)) == set()
    written = json.dumps({text: text}, ensure_ascii=False)
    assert unfit(printable_json(written)) == set()
    assert json.loads(printable_json(written)) == {text: text}


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252", "utf-16"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_stream_of_any_encoding_takes_it(encoding: str, name: str) -> None:
    text = f"{HOSTILE[name]} é \N{MULTIPLICATION SIGN} \N{CAT FACE}"
    held = io.BytesIO()
    stream = io.TextIOWrapper(held, encoding=encoding, newline="\n")
    write_line(stream, text)
    write_json(stream, json.dumps([text], ensure_ascii=False))
    stream.flush()
    lines = held.getvalue().decode(encoding)
    assert unfit(lines) == set()
    assert json.loads(lines[lines.rindex("[") :] if "[" not in text else lines.splitlines()[-1]) == [text]


def test_a_closed_stream_is_no_fault() -> None:
    write_line(None, "text")
    write_json(None, "[]")


@pytest.mark.parametrize("name", HOSTILE)
def test_diagnostics_and_annotations(name: str) -> None:
    text = HOSTILE[name]
    found = [Diagnostic("E607", text, notes=(text,), help=text)]
    assert unfit(render_text(found, {})) == set()
    (annotation,) = render_github(found).split("\n")
    assert unfit(annotation) == set()
    assert annotation.startswith("::error::")


@pytest.mark.parametrize("name", HOSTILE)
def test_tables_take_no_cell_for_markup(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = Table(title=HOSTILE[name])
    shown.add_column("head", no_wrap=True)
    shown.add_row(f"[red] :cat: {HOSTILE[name]}")
    printing.put_table(shown)
    text = capsys.readouterr().out
    assert unfit(text) == set()
    assert "[red]" in text
    assert ":cat:" in text


def test_a_bar_takes_nothing_for_markup() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    with open_progress("[bold]teacher[/bold]", start=0, total=2, batch=1, stream=stream) as reporter:
        reporter.note("[red]a\x1b]0;title\x07b")
        reporter.advance(1, {"[x]": 1.0})
    shown = stream.getvalue()
    assert "[bold]teacher[/bold]" in shown
    assert "[red]a" in shown
    assert "]0;title\x07" not in shown
    assert "\x1b]" not in shown


# What goes with the name of a file that is there, and of one that is not.
_COMMANDS = (
    ("check", "{}"), ("check", "{}", "--format", "json"), ("check", "{}.none", "--format", "github"),
    ("check", "{}.none"), ("fmt", "{}"), ("fmt", "{}", "--diff"), ("info", "{}"), ("graph", "{}"),
    ("graph", "{}", "--format", "json"), ("graph", "{}", "-o", "{}.svg"),
    ("plan", "{}", "--budget", "50%", "--set", "{}"), ("plan", "{}", "--budget", "{}"), ("explain", "{}"),
    ("data", "check", "{}.d"), ("data", "check", "{}"), ("translate", "{}", "{}", "-o", "o"),
    ("export", "{}", "-o", "{}"), ("compare", "{}"), ("{}",), ("check", "--{}"), ("check", "{}", "--format", "{}"),
    ("train", "{}.none", "--data", "{}.d"), ("evaluate", "{}.d"), ("new", "{}"),
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("words", _COMMANDS, ids=" ".join)
def test_no_command_shows_a_control_character(words: tuple[str, ...], tmp_path: Path) -> None:
    name = in_a_file_name("\x1b[31m\x07\x9b\udcff\u202eq.cat")
    (tmp_path / name).write_text(SPEC.replace(" }", "\x0c\ttanh_\x1b }") if "--diff" in words else SPEC)
    (tmp_path / f"{name}.d").mkdir()
    (tmp_path / f"{name}.d" / f"{name}.png").write_bytes(b"no picture")
    given = [word.replace("{}", name) for word in words]
    for encoding in ("utf-8", "ascii"):
        done = subprocess.run(
            [sys.executable, "-m", "catdsl", *given], cwd=tmp_path, capture_output=True, check=False,
            env={**os.environ, "PYTHONIOENCODING": encoding},
        )  # fmt: skip
        shown = done.stdout.decode(encoding) + done.stderr.decode(encoding)
        assert done.returncode in (0, 1, 2), shown
        assert unfit(shown) == set(), repr(shown)
        assert shown


def test_a_fault_of_ours_shows_none_either(capsys: pytest.CaptureFixture[str]) -> None:
    from catdsl.cli.guard import guarded

    def fails() -> None:
        raise ValueError("\x1b[2J\udcff")

    assert guarded(fails) == 70
    assert unfit(capsys.readouterr().err) == set()

    def refuses() -> None:
        raise CatError.one("E607", "\x1b[2J\udcff")

    assert guarded(refuses) == 1
    assert unfit(capsys.readouterr().err) == set()
