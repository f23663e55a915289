"""How a spec differs from the copy of a run: the lines that changed, of however many, without comparing them all."""

import difflib
from pathlib import Path

import pytest

from catdsl.jobs.spec_copy import copy_spec, is_copy, spec_changes
from catdsl.semantics.library import SourceFile

LINES = 60_000


def source(folder: Path, text: str) -> list[SourceFile]:
    return [SourceFile("a.cat", text, folder / "a.cat", folder)]


def test_the_lines_that_changed_are_told(tmp_path: Path) -> None:
    copy_spec(tmp_path / "copy", source(tmp_path, "one\ntwo\nthree\n"))
    assert spec_changes(tmp_path / "copy", source(tmp_path, "one\n2\nthree\n")) == ["a.cat: -two", "a.cat: +2"]


def test_many_lines_are_not_compared_with_one_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = "".join(f"# {i}\n" for i in range(LINES))
    copy_spec(tmp_path / "copy", source(tmp_path, f"first\n{before}last\n"))
    monkeypatch.setattr(difflib, "unified_diff", lambda *_, **__: pytest.fail("this takes the square of the lines"))
    changed = source(tmp_path, f"first\n{before.replace('#', '##')}last\n")
    told = spec_changes(tmp_path / "copy", changed)
    assert told[0] == "a.cat: -# 0"
    assert told[-1] == f"... and {2 * LINES - 20} more lines"


def test_one_line_of_many(tmp_path: Path) -> None:
    before = "".join(f"# {i}\n" for i in range(LINES))
    copy_spec(tmp_path / "copy", source(tmp_path, before))
    told = spec_changes(tmp_path / "copy", source(tmp_path, before.replace("# 500\n", "# other\n")))
    assert told == ["a.cat: -# 500", "a.cat: +# other"]


def test_what_is_a_copy(tmp_path: Path) -> None:
    files = source(tmp_path, "one\n")
    copy_spec(tmp_path / "copy", files)
    assert is_copy(tmp_path / "copy", files)
    assert not is_copy(tmp_path / "copy", source(tmp_path, "two\n"))
    (tmp_path / "copy" / "mine.txt").write_text("mine")
    assert not is_copy(tmp_path / "copy", files)
