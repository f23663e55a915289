"""The formatter: one layout, every comment kept, the same tokens, and nothing left to do the second time."""

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catdsl.diagnostics import CatError
from catdsl.ir.serial import to_json
from catdsl.project import load
from catdsl.syntax.layout import format_text
from catdsl.syntax.layout.program import WIDTH
from tests.examples import examples

ROOT = Path(__file__).resolve().parents[2]
SPECS = tuple(sorted((ROOT / "specs").rglob("*.cat")))
TEXTS = tuple(path.read_text("utf-8") for path in SPECS)
TOKEN = re.compile(r'"[^"\n]*"|#[^\n]*|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?[\w%]*|\.\.|->|//|[=!<>]=|\w+|[^\w\s]')


def body(statements: str) -> str:
    """Statements as they stand, formatted, in a block."""
    made = format_text(f"block b(x) {{\n{statements}\n}}", "b.cat").splitlines()
    assert (made[0], made[-1]) == ("block b(x) {", "}")
    return "\n".join(line.removeprefix("    ") for line in made[1:-1])


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_shipped_specs_are_in_the_canonical_layout(path: Path) -> None:
    text = path.read_text("utf-8")
    assert format_text(text, path.name) == text


@pytest.mark.parametrize(
    ("written", "formatted"),
    [
        ("a=x->relu", "a = x -> relu"),
        ("return x->conv(2*n,3,pad=zero)", "return x -> conv(2 * n, 3, pad = zero)"),
        ("a=x->relu\nlong=x\nreturn a", "a    = x -> relu\nlong = x\nreturn a"),
        ("a=x\n\n\n\nlong=x", "a = x\n\nlong = x"),
        ("\n\na=x\n\n", "a = x"),
        ("g , b=x->split( 2 )", "g, b = x -> split(2)"),
        ("a=-x+( -1)", "a = -x + (-1)"),
        ("a=x.channels//2%3", "a = x.channels // 2 % 3"),
        ("a=x[ 1 ] . height", "a = x[1].height"),
        ("a=[1,2 ,3,]", "a = [1, 2, 3,]"),
        ("a=[ ]", "a = []"),
        ("a=f( )", "a = f()"),
        ("a=1 if n==2 else 3", "a = 1 if n == 2 else 3"),
        ("a=sum(x->conv(m in 0 .. ,k) for k in[1,3])", "a = sum(x -> conv(m in 0.., k) for k in [1, 3])"),
        ("a=conv(x,64 in..48 step 8,3)", "a = conv(x, 64 in ..48 step 8, 3)"),
        ("a=conv(x,64 in 2*n .. 4*n,3)", "a = conv(x, 64 in 2 * n..4 * n, 3)"),
        ("a=conv(x,tied x.channels/2,3)", "a = conv(x, tied x.channels / 2, 3)"),
        ("a=conv(x,fixed(64),3)", "a = conv(x, fixed (64), 3)"),
        ("a=x->3*f(1)", "a = x -> 3 * f(1)"),
        ("a=[k*2 for k in n]", "a = [k * 2 for k in n]"),
        ("a=x#one\nbb=x # two", "a  = x  #one\nbb = x  # two"),
        ("a=x\n#own\nb=x", "a = x\n#own\nb = x"),
        ("#first\n\n#second\n\na=x\n#last", "#first\n\n#second\n\na = x\n#last"),
        ("a=f(1,# one\n2)", "a = f(1,  # one\n      2)"),
    ],
)
def test_statements(written: str, formatted: str) -> None:
    assert body(written) == formatted


@pytest.mark.parametrize(
    ("written", "formatted"),
    [
        ("cat 1 use a,b from std.inception", "cat 1\n\nuse a, b from std.inception"),
        ("param a=1\nparam long=2", "param a    = 1\nparam long = 2"),
        ("block f(x,n=3){return x}", "block f(x, n = 3) {\n    return x\n}"),
        ("param a = 1\nblock f(x){return x}\nparam b=2", "param a = 1\n\nblock f(x) {\n    return x\n}\n\nparam b = 2"),
        ("generator g{}", "generator g { }"),
        ("generator g{\n# nothing\n}", "generator g {\n    # nothing\n}"),
        ("generator g{input x:image(3,8,8)\noutput x}", "generator g {\n    input x: image(3, 8, 8)\n    output x\n}"),
        ("data{load=3}\nsearch{}", "data   { load = 3 }\nsearch { }"),
        ("# only this", "# only this"),
        ('student of"a.cat"sha256"f"{set{n=1}widths{a.conv0=3,b=4}}',
         'student of "a.cat" sha256 "f" {\n    set    { n = 1 }\n    widths { a.conv0 = 3, b = 4 }\n}'),
    ],
)  # fmt: skip
def test_items(written: str, formatted: str) -> None:
    assert format_text(written, "a.cat") == formatted + "\n"


def test_an_empty_text_stays_empty() -> None:
    assert format_text("", "a.cat") == format_text("\n \n", "a.cat") == ""


def test_long_pipelines_break_before_convolutions() -> None:
    stage = "conv(2 * features, 3, stride = 2, pad = zero) -> norm -> relu"
    made = body(f"a = x -> {stage} -> {stage} -> tanh -> {stage}")
    assert made == f"a = x -> {stage}\n      -> {stage} -> tanh\n      -> {stage}"


def test_long_sums_break_before_their_operators() -> None:
    term = "(x -> conv(features, 3) -> norm -> relu)"
    assert body(f"return {term} + {term} - {term}") == f"return {term}\n     + {term}\n     - {term}"


def test_settings_fill_their_lines() -> None:
    pairs = ", ".join(f"setting{i} = {i}" for i in range(12))
    made = format_text(f"train {{ {pairs} }}", "a.cat").splitlines()
    assert len(made) == 2
    assert made[1].startswith(" " * len("train { ") + "setting")
    assert all(len(line) <= WIDTH for line in made)


def test_the_widths_of_a_student_stand_one_in_a_line() -> None:
    names = [f"body.{i}.dense.0.conv0" for i in range(6)]
    made = format_text(f'student of "a.cat" {{ widths {{ {", ".join(f"{n} = 1" for n in names)} }} }}', "a.cat")
    assert made.splitlines()[1:3] == ["    widths {", f"        {names[0]} = 1,"]
    assert made.splitlines()[-3:] == [f"        {names[-1]} = 1", "    }", "}"]


def test_mistakes_are_reported_not_formatted() -> None:
    with pytest.raises(CatError, match="E101"):
        format_text("param a = ", "a.cat")


# ---- properties ----


@st.composite
def scrambled(draw: st.DrawFn) -> str:
    """A shipped spec with other white space, and comments anywhere."""
    text = draw(st.sampled_from(TEXTS))
    gaps = st.sampled_from([" ", " ", " ", "\n", "\n\n\n", "\t", " # behind\n", "\n# own\n", '\n\n#"a # b\n\n# c\n'])
    random = draw(st.randoms(use_true_random=False))
    pool = draw(st.lists(gaps, min_size=1, max_size=12))
    return "".join(token + ("\n" if token.startswith("#") else random.choice(pool)) for token in TOKEN.findall(text))


def comments(text: str) -> list[str]:
    return [token.rstrip() for token in TOKEN.findall(text) if token.startswith("#")]


@given(scrambled())
@settings(max_examples=examples(150))
def test_formatting_is_idempotent_and_loses_nothing(text: str) -> None:
    made = format_text(text, "a.cat")
    assert format_text(made, "a.cat") == made
    assert comments(made) == comments(text)
    assert [t for t in TOKEN.findall(made) if t[0] != "#"] == [t for t in TOKEN.findall(text) if t[0] != "#"]
    assert "\n\n\n" not in made
    assert all(line == line.rstrip() for line in made.split("\n"))


@given(st.sampled_from(TEXTS), st.randoms(use_true_random=False))
@settings(max_examples=examples(60))
def test_the_layout_does_not_depend_on_line_breaks(text: str, random) -> None:
    """Without comments and blank lines, all texts of the same tokens have one layout."""
    tokens = [token for token in TOKEN.findall(text) if not token.startswith("#")]
    one = format_text(" ".join(tokens), "a.cat")
    assert format_text("".join(t + random.choice([" ", "\n", "\t"]) for t in tokens), "a.cat") == one


def _shape(graph) -> object:
    """A graph without its places in the text."""
    bare = dataclasses.replace(
        graph,
        nodes=tuple(dataclasses.replace(n, span=None) for n in graph.nodes),
        widths=tuple(dataclasses.replace(w, span=None) for w in graph.widths),
    )
    return to_json(bare)


@pytest.mark.parametrize("path", [p for p in SPECS if p.parent.name == "specs"], ids=lambda path: path.name)
def test_a_scrambled_spec_means_the_same(path: Path) -> None:
    text = path.read_text("utf-8")
    tokens = [token for token in TOKEN.findall(text) if not token.startswith("#")]
    made = format_text(" ".join(tokens), path.name)
    assert _shape(load(made).graph) == _shape(load(text).graph)
