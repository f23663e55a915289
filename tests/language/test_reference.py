"""The pages that are made from operators and grammar are those in the repository; `explain` prints pages."""

from pathlib import Path

import pytest

from catdsl.diagnostics import CatError
from catdsl.diagnostics.codes import CODES
from catdsl.jobs.explaining import explain, plain
from catdsl.semantics.calls import OPERATORS
from catdsl.view.reference import documented, pages

PAGES = Path(__file__).resolve().parents[2] / "docs" / "language"


def test_the_pages_are_up_to_date() -> None:
    made = pages()
    kept = {p.relative_to(PAGES).as_posix(): p.read_text("utf-8") for p in PAGES.glob("operators/*.md")}
    assert set(kept) == {name for name in made if name.startswith("operators/")}
    stale = [name for name, text in made.items() if (PAGES / name).read_text("utf-8") != text]
    assert stale == [], "run `make docs`"


def test_every_operator_that_can_be_written_has_a_page() -> None:
    assert {op.name for op in documented()} == {*OPERATORS, "add", "mul"}


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained(code: str) -> None:
    page = explain(code)
    assert page.startswith(f"{code}: {CODES[code]}")
    assert len(page.splitlines()) > 2
    assert explain(code.lower()) == explain(code.removeprefix("E")) == page


def test_an_operator_is_explained() -> None:
    page = plain(explain("pixel_shuffle"))
    assert "DepthToSpace" not in page
    assert "    output x -> pixel_shuffle(2)" in page
    assert "```" not in page


def test_norm_and_signs_are_explained() -> None:
    assert "# instance_norm" in explain("norm")
    assert "# batch_norm" in explain("norm")
    assert explain("+") == explain("add")


def test_what_is_unknown_gets_a_suggestion() -> None:
    with pytest.raises(CatError) as found:
        explain("conw")
    assert "`conv`" in found.value.diagnostics[0].help
