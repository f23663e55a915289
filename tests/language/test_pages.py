"""The reference of the language says what is true: every program on its pages is checked as it is claimed."""

import re
from pathlib import Path

import pytest

from catdsl.diagnostics.codes import CODES
from tests.language.pages import Program, complaints, programs_of

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "language"
ALL = tuple(
    p
    for page in sorted(PAGES.rglob("*.md"))
    for p in programs_of(page.relative_to(PAGES).as_posix(), page.read_text("utf-8"))
)

# Codes that no program alone can cause, and where they are tested.
ELSEWHERE = {
    "E401": "needs scores and a budget: tests/search/test_plan.py",
    "E402": "stands in a flag: tests/search/test_budget.py",
    "E403": "needs a score file: tests/search/test_scores.py",
    "E404": "is found by a search: tests/search/test_plan.py",
    "E406": "needs a latency budget: tests/search/test_latency.py",
    "E407": "needs operator times: tests/search/test_latency.py",
}


@pytest.mark.parametrize("program", ALL, ids=str)
def test_claims(program: Program, tmp_path: Path) -> None:
    assert complaints(program, tmp_path) == []


def test_every_code_is_claimed() -> None:
    claimed = {claim.code for program in ALL for claim in program.claims}
    of_programs = {code for code in CODES if code < "E6"}
    assert of_programs - claimed == set(ELSEWHERE)


def test_every_code_has_a_section() -> None:
    text = "\n".join(page.read_text("utf-8") for page in PAGES.glob("errors-*.md"))
    headings = re.findall(r"^## (E\d\d\d): (.+)$", text, re.MULTILINE)
    assert dict(headings) == CODES


def test_links_lead_to_pages() -> None:
    broken = [
        f"{page.name}: {target}"
        for page in PAGES.rglob("*.md")
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


# ---- the guard is seen to fail ----

RIGHT = "a = x -> conv(8, 3)\n"


def page(fragment: str) -> Program:
    (program,) = programs_of("planted.md", f"text\n\n```cat fragment\n{fragment}```\n")
    return program


def test_a_right_page_passes(tmp_path: Path) -> None:
    assert complaints(page(RIGHT), tmp_path) == []
    assert complaints(page("a = x -> conv(8)  # error[E205]: needs its argument `kernel`\n"), tmp_path) == []


@pytest.mark.parametrize(
    ("fragment", "complaint"),
    [
        ("a = x -> conv(8, 3)  # error[E205]: needs\n", "no error[E205]"),
        ("a = x -> conv(8)  # error[E204]: needs\n", "no error[E204]"),
        ("a = x -> conv(8)  # error[E205]: something else\n", "no error[E205]"),
        ("a = x -> conv(8)  # warning[E205]: needs\n", "no warning[E205]"),
        ("# error[E205]: needs\na = x -> conv(8)\n", "no error[E205]"),
        ("a = x -> conv(8)\n", "unclaimed error[E205] on line 3"),
        ("b = x -> relu\na = x -> conv(8, 3)\n", "unclaimed warning[E208] on line 3"),
        ("a = x -> conv(8) + foo  # error[E201]: `foo`\n", "unclaimed error[E207]"),
    ],
)
def test_a_wrong_page_fails(fragment: str, complaint: str, tmp_path: Path) -> None:
    assert any(complaint in found for found in complaints(page(fragment), tmp_path))


def test_an_unknown_kind_of_program_fails() -> None:
    with pytest.raises(ValueError, match="unknown kind"):
        list(programs_of("planted.md", "```cat fragmnet\na = x\n```\n"))
