"""The page's files: words are escaped, nothing from elsewhere is let in, and script and markup know each other."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from catdsl.view.web_page.page import INDEX, SCRIPT, STYLE, WORKER, Macs, Side, WebModel, facts_of, web_page
from tests.view.browser import Browser
from tests.view.web_page.served import served

_MODEL = WebModel(
    title="little in the browser", network="student", spec="little.cat", precision="float32",
    height=Side(step=8, least=16), width=Side(step=0, least=64), declared=(64, 64), sizes="multiples",
    channels=3, bytes=2_580_000, macs=Macs(own=25_000_000, teacher=100_000_000), params=628_000, input="photo",
    model="model.onnx", runtime="1.2.3", samples=("example0.png",), made_with="catdsl 9",
)  # fmt: skip
_HOSTILE = '</title></script><script>alert("x")</script>'


def test_figures_are_told() -> None:
    index = web_page(_MODEL)[INDEX]
    for words in ("2.58 MB (float32)", "25.00 M", "25 % of 100.00 M", "628.00 K", "MACs at 64 x 64"):
        assert words in index
    alone = web_page(replace(_MODEL, macs=Macs(own=25_000_000, teacher=None)))[INDEX]
    assert "teacher" not in alone


def test_words_are_escaped() -> None:
    hostile = replace(_MODEL, title=_HOSTILE, spec=_HOSTILE, runtime=_HOSTILE, samples=(_HOSTILE,))
    files = web_page(hostile)
    assert "<script>alert" not in files[INDEX]
    assert files[INDEX].count("<script") == 2
    assert "alert" not in files[SCRIPT]
    held = re.search(r'<script type="application/json" id="data">(.*?)</script>', files[INDEX])
    assert held is not None
    assert json.loads(held[1])["samples"] == [_HOSTILE]


def test_nothing_comes_from_elsewhere() -> None:
    files = web_page(_MODEL)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', files[INDEX])
    assert policy is not None
    assert "default-src &#x27;none&#x27;" in policy[1]
    assert "unsafe-inline" not in policy[1]
    assert " style=" not in files[INDEX]
    assert " on" not in re.sub(r">[^<]*<", "><", files[INDEX])
    for text in files.values():
        assert not re.search(r"https?://", text)


def test_the_script_knows_only_what_is_there() -> None:
    files = web_page(_MODEL)
    there = set(re.findall(r' id="(\w+)"', files[INDEX]))
    asked = set(re.findall(r'(?:byId|getElementById)\("(\w+)"\)', files[SCRIPT]))
    assert {"file", "camera", "size", "output"} <= asked <= there
    styled = set(re.findall(r"#([a-z]+)[ .{]", files[STYLE]))
    assert {"drop", "status"} <= styled <= there
    assert "ort.wasm.min.mjs" in files[WORKER]


def test_without_examples_none_are_offered() -> None:
    assert 'id="sample"' in web_page(_MODEL)[INDEX]
    assert 'id="sample"' not in web_page(replace(_MODEL, samples=()))[INDEX]


def test_facts_are_for_programs() -> None:
    facts = facts_of(_MODEL, {"catdsl.spec": "little.cat"})
    assert json.loads(json.dumps(facts)) == facts
    assert facts["macs"] == {"exact": 25_000_000, "teacher": 100_000_000}


@pytest.fixture
def unserved(browser: Browser, tmp_path: Path) -> Browser:
    """The page where its runtime is missing."""
    for name, text in web_page(_MODEL).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with served(tmp_path) as address:
        browser.visit(address)
        browser.wait(lambda: "could not be loaded" in browser.find("#status").text)
    return browser


def test_a_missing_runtime_is_told_of(unserved: Browser) -> None:
    assert unserved.find("#status").text == "The model could not be loaded: its script did not load"


def test_sizes_follow_the_rule(unserved: Browser) -> None:
    sizes = [option.get_attribute("value") for option in unserved.all("#size option")]
    assert sizes == ["64x64", "32x64", "128x64"]
    unserved.run("facts.width = {step: 8, least: 16}")
    taken = [
        unserved.run("return Object.values(nearest(arguments[0], arguments[1]))", *s) for s in ((1, 30), (100, 67))
    ]
    assert taken == [[16, 32], [104, 64]]
    size = unserved.run("return Object.values(sizeFor('picture', {width: 4096, height: 1000}))")
    assert size == [248, 1024]
