"""The page: whole by itself, well formed, and nothing in it but what its texts say."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catdsl.diagnostics import CatError
from catdsl.view.report.html import render_html
from catdsl.view.report.serial import FORMAT
from tests.examples import examples
from tests.view.report.markup_reading import problems, read
from tests.view.report.samples import (
    HOSTILE,
    REPORTS,
    bare,
    hostile,
    names_no_loss,
    pictures,
    png,
    teacher_only,
    unpaired,
    whole,
)


def page(report) -> str:
    return render_html(report, pictures(report))


_SKELETON = read(page(whole())).skeleton


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_is_well_formed(name: str) -> None:
    html = page(REPORTS[name]())
    assert problems(html) == []
    html.encode("utf-8")


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_are_texts(text: str) -> None:
    assert read(page(hostile(text))).skeleton == _SKELETON


@settings(max_examples=examples(25))
@given(st.text(max_size=30).filter(names_no_loss))
def test_any_text_is_a_text(text: str) -> None:
    assert read(page(hostile(text))).skeleton == _SKELETON


def test_a_text_that_gets_through_is_caught() -> None:
    html = page(whole()).replace("short training", "<b>short</b> training")
    assert read(html).skeleton != _SKELETON


def test_hostile_words_are_shown_as_they_are() -> None:
    words = read(page(hostile("<script>alert('x')</script>"))).text("h1")
    assert words == "<script>alert('x')</script>facades at 25 %<script>alert('x')</script>"


def test_nothing_comes_from_outside() -> None:
    html = page(whole())
    sources = [str(image["src"]) for image in read(html).all("img")]
    assert len(sources) == 12
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"https?://|@import|url\(|<link|<iframe|\son\w+=", html)
    (policy,) = (m["content"] for m in read(html).all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'" in str(policy)


def test_each_picture_is_held_once() -> None:
    sources = [image["src"] for image in read(page(whole())).all("img")]
    assert len(sources) == len(set(sources)) == 12


@pytest.mark.parametrize("text", ["plain", *HOSTILE])
def test_the_data_are_in_the_page(text: str) -> None:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page(hostile(text)), re.DOTALL)
    assert found
    held = json.loads(found[1])
    assert held["format"] == FORMAT
    assert held["notes"][0]["text"] == f"{text}few images{text}".replace("\ud800", "\ufffd")
    assert not set("<>&\u2028\u2029") & set(found[1])


def test_what_came_out_is_said() -> None:
    words = read(page(whole())).text().replace("\N{NO-BREAK SPACE}", " ")
    for said in (
        "The student needs 25.0 % of the teacher's MACs (exact: 78.20 M of 313.10 M at 256 x 128",
        "0.1535", "(0.148 to 0.160)", "smaller is better", "Not measured: no Inception weights",
        "MACs (exact)", "MACs (paper)", "transposed convolutions at their output's resolution",
        "64 \N{RIGHTWARDS ARROW} 20", "vanished", "catdsl compress spec.cat --budget 25%",
        "7.93 ms", "cpu: Some Processor, 2 threads, float32, batch 1, 256 x 128; 30 runs", "Mean absolute error.",
    ):  # fmt: skip
        assert said in words, said


def test_bars_are_filled_as_far_as_is_kept() -> None:
    html = page(whole())
    assert 'style="width:31.25%"' in html
    assert 'style="width:100%"' in html


def test_without_a_student_none_is_spoken_of() -> None:
    words = read(page(teacher_only())).text("li", "td", "th", "figcaption", "h2", "dt", "option")
    assert "There is no student in this run." in words
    assert "student" not in words.replace("There is no student in this run.", "")
    assert "ratio" not in words


def test_without_targets_the_pictures_are_three() -> None:
    roles = [image["data-role"] for image in read(page(unpaired())).all("img")]
    assert roles == ["input", "teacher", "student"] * 3
    assert [option["value"] for option in read(page(unpaired())).all("option")] == ["input", "teacher", "student"] * 2


def test_what_is_empty_has_no_heading() -> None:
    html = page(bare())
    assert read(html).text("h2").split("\n") == ["What was asked", "What came out", "Cost"]
    assert read(html).all("img") == read(html).all("select") == []


def test_one_kind_of_picture_is_not_compared() -> None:
    report = whole()
    (example, *_) = report.examples
    report = replace(report, examples=(replace(example, input=None, student=None, target=None),))
    assert read(page(report)).all("select") == []
    assert problems(page(report)) == []


def test_a_picture_that_is_missing_is_named() -> None:
    with pytest.raises(CatError, match=r"1_student\.png, which is missing") as caught:
        render_html(whole(), {f: d for f, d in pictures(whole()).items() if f != "1_student.png"})
    assert caught.value.diagnostics[0].code == "E602"


@pytest.mark.parametrize("data", [b"", b"GIF89a" + b"\0" * 30, png("red")[:20]])
def test_what_is_no_png_is_refused(data: bytes) -> None:
    with pytest.raises(CatError, match="not a PNG"):
        render_html(whole(), {**pictures(whole()), "1_student.png": data})


@pytest.mark.parametrize(
    ("planted", "complaint"),
    [
        ("<b>", "closes"),
        ('<img src="data:,">', "no alt"),
        ('<input id="x">', "no label"),
        ('<p id="divider"></p>', "2 times"),
        ('<a href="http://example.org">x</a>', "a link"),
        ("<h6>x</h6>", "heading"),
        ("<!-- x -->", "comment"),
    ],
)
def test_a_planted_fault_is_caught(planted: str, complaint: str) -> None:
    html = page(whole()).replace("</main>", f"{planted}</main>")
    assert any(complaint in problem for problem in problems(html))
