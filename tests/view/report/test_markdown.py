"""report.md, read by a Markdown parser: the structure is ours, the texts are theirs."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from catdsl.view.report.markdown import cell, chart_files, plain, render_markdown
from tests.examples import examples
from tests.view.report.samples import (
    HOSTILE,
    LONG,
    REPORTS,
    bare,
    hostile,
    names_no_loss,
    teacher_only,
    unpaired,
    whole,
)

_PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def tokens(text: str) -> list[Token]:
    """Blocks and what stands in them."""
    return [t for block in _PARSER.parse(text) for t in (block, *(block.children or ()))]


def skeleton(text: str) -> list[str]:
    """Everything but the texts themselves."""
    return [f"{t.type} {t.tag}" for t in tokens(text) if t.type not in ("text", "text_special")]


def shown(text: str) -> str:
    return "".join(t.content for t in tokens(text) if t.type in ("text", "text_special", "code_inline"))


_SKELETON = skeleton(render_markdown(whole()))


@pytest.mark.parametrize("text", [*HOSTILE, LONG, "# ", "1. ", "- ", "---", "> ", "```", "![x](y)", "~~a~~", "\\"])
def test_texts_are_texts(text: str) -> None:
    assert skeleton(render_markdown(hostile(text))) == _SKELETON


@settings(max_examples=examples(40))
@given(st.text(max_size=20).filter(names_no_loss))
def test_any_text_is_a_text(text: str) -> None:
    assert skeleton(render_markdown(hostile(text))) == _SKELETON


def test_a_text_that_gets_through_is_caught() -> None:
    assert skeleton(render_markdown(whole()).replace("short training", "<b>short</b>")) != _SKELETON
    assert "html_inline " in skeleton("a <b>b</b>")


@pytest.mark.parametrize(
    "text", ["a|b", "`c`", "*d* _e_", "[f](g)", "<h>", "&amp;", "\\*", "# x", "1. x", "- x", "---", "~~x~~"]
)
def test_what_is_escaped_is_shown(text: str) -> None:
    assert shown(plain(text)) == text
    assert shown(f"| a |\n| --- |\n| {cell(text)} |") == f"a{text}"


def test_what_needs_no_escape_has_none() -> None:
    assert (
        plain("0.1535 (0.148 to 0.160), 25 % - and 1.5, a-b + c") == "0.1535 (0.148 to 0.160), 25 % - and 1.5, a-b + c"
    )


def test_tables_and_pictures() -> None:
    text = render_markdown(whole())
    assert (
        "| L1 | smaller is better | 0.1540 (0.148 to 0.160) | 0.1535 (0.148 to 0.160) | 0.1731 (0.167 to 0.179) | 50 |"
        in text
    )
    assert "| MACs (exact) | 313.10 M | 78.20 M | 25.0 % |" in text
    assert "| body.0 | body.0.dense.0.conv0 | 10 | 0 | vanished |" in text
    assert "- **FID:** Not measured: no Inception weights" in text
    assert "![teacher, 1.jpg](1_teacher.png)" in text
    assert "```sh\ncatdsl compress spec.cat --budget 25%\n" in text


def test_links_lead_to_files_that_are_made() -> None:
    report = whole()
    links = set(re.findall(r"\]\(([^)]*)\)", render_markdown(report)))
    files = {file for example in report.examples for _, file in example.pictures()}
    assert links == files | set(chart_files(report))
    assert all(svg.startswith("<svg xmlns") for svg in chart_files(report).values())


def test_a_fence_is_longer_than_any_within() -> None:
    text = render_markdown(hostile("````\n"))
    (fence,) = (t for t in tokens(text) if t.type == "fence")
    assert "catdsl evaluate" in fence.content


@pytest.mark.parametrize("name", REPORTS)
def test_any_report_is_a_file(name: str) -> None:
    render_markdown(REPORTS[name]()).encode("utf-8")


def test_what_is_missing_is_left_out() -> None:
    assert "student" not in render_markdown(teacher_only()).replace("There is no student in this run.", "").replace(
        "student: ", ""
    ).replace("student-", "")
    assert "target" not in render_markdown(unpaired())
    headings = [line for line in render_markdown(bare()).splitlines() if line.startswith("#")]
    assert headings == ["# bare", "## What was asked", "## What came out", "## Cost"]
