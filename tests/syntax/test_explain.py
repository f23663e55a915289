"""What is said of a text that the grammar refuses: the place, and what to write instead."""

import pytest

from catdsl.diagnostics import CatError, Diagnostic
from catdsl.syntax.parse import parse


def only_error(text: str) -> Diagnostic:
    with pytest.raises(CatError) as caught:
        parse(text, "t.cat")
    (found,) = caught.value.diagnostics
    return found


def in_generator(line: str) -> str:
    return f"generator g {{\n    input x: image(3, 32, 32)\n    {line}\n    output a\n}}\n"


# A statement, the token under the caret, and a part of the help.
STATEMENTS = [
    ("a = x -> conv(8 3)", "3", "a comma or a closing bracket may be missing"),
    ("a = x -> conv(8, 3 stride = 2)", "stride", "a comma or a closing bracket may be missing"),
    ("a = x -> conv(8, 3]", "]", "`(` is closed with `)`"),
    ("a = [x, x)", ")", "`[` is closed with `]`"),
    ("a = x - > relu", ">", "did you mean `->`?"),
    ("a = x => relu", "=", "did you mean `->`?"),
    ("a = x → relu", "→", "write `->`"),
    ("a = x -> conv(2 ** 3, 3)", "*", "powers are written as products"),
    ("a == x -> relu", "=", "one `=`"),
    ("a += x", "+", "write a new name"),
    ("a = x.relu()", "(", "there are no methods: write `x -> relu(...)`"),
    ("a = x -> leaky_relu(.5)", ".", "write `0.5`"),
    ("let a = x", "a", "a statement needs no keyword"),
    ("for i in [1, 2] { a = x }", "i", "there are no loops"),
    ("if x { a = x }", "x", "there is no `if` statement"),
    ("a = x -> relu;", ";", "statements need no `;`"),
    ("// a comment", "//", "comments begin with `#`"),
    ("a = x -> conv(8 if 1 < 2 and 2 < 3 else 9, 3)", "and", "there is no `and`"),
    ("a = x -> conv(8 if 1 < 2, 3)", ",", "every `if` has its `else`"),
    ("a = x -> conv(8 in 1.4, 3)", ",", "bounds are written low..high"),
    ("a = x -> conv(8 in 1...4, 3)", ".", "bounds are written low..high"),
    ("a = x -> conv(8 in 1-4, 3)", ",", "bounds are written low..high"),
    ("a = x -> conv(tied x.channels in 1..4, 3)", "in", "`tied` takes no bounds"),
    ("w = fixed 8", "8", "width forms stand only where an argument stands"),
    ("a = sum(x -> conv(8, k) for k in [1, 3] if k > 1)", ")", "every `if` has its `else`"),
    ("a = x -> conv(8, 3, pad = 'zero')", "'", "double quotes"),
    ("a = x -> conv(8, 3, pad = “zero”)", "“", "straight double quotes"),
    ("a = x & x", "&", "there is no `and`"),
    ("été = x", "é", "names are made of the letters"),
    ("inptu y: image(3, 8, 8)", "y", "did you mean `input`?"),
    ("return x", "x", "a generator ends with `output`"),
]


@pytest.mark.parametrize(("statement", "under", "help_text"), STATEMENTS, ids=[s for s, _, _ in STATEMENTS])
def test_statements(statement: str, under: str, help_text: str) -> None:
    found = only_error(in_generator(statement))
    assert found.code in ("E101", "E102")
    assert found.span is not None
    assert found.span.line == 3
    line = f"    {statement}"
    assert line[found.span.column - 1 : found.span.end_column - 1] == under
    assert help_text in found.help


FILES = [
    ("generatr g { output x }", "g", "did you mean `generator`?"),
    ("blok f(x) { return x }", "f", "did you mean `block`?"),
    ("def f(x) { return x }", "f", "a block is written"),
    ("param m = 8 in 4..8", "in", "width forms stand only where an argument stands"),
    ("import torch", "torch", "use name from"),
    ("param a = 1\ncat 1", "1", "at the very start of the file"),
    ("block f(x) { return x }\n}", "}", "one `}` too many"),
    ("block f(x) { output x }", "x", "a block ends with `return`"),
    ("search { floor = 1 score = norm_scale }", "score", "a comma may be missing"),
    ("search { floor: 1 }", ":", "write `=`"),
    ("search { floor = 1; score = norm_scale }", ";", "settings are separated by `,`"),
    ("budget { macs = 2.6GB }", "2.6GB", "numbers look like"),
    ('use f from "a.cat', '"', "end it with"),
]


@pytest.mark.parametrize(("text", "under", "help_text"), FILES, ids=[t for t, _, _ in FILES])
def test_files(text: str, under: str, help_text: str) -> None:
    found = only_error(text)
    assert found.span is not None
    line = text.split("\n")[found.span.line - 1]
    assert line[found.span.column - 1 : found.span.end_column - 1] == under
    assert help_text in found.help


def test_a_bracket_that_was_opened_on_another_line_is_named() -> None:
    found = only_error(in_generator("a = x -> conv(8, 3\n    b = a"))
    assert (found.span and found.span.line) == 4
    assert found.notes == ("`(` at t.cat:3:18 is still open",)


def test_the_end_of_the_file_names_what_is_open() -> None:
    found = only_error("generator g {\n    output x   # {{{\n\n")
    assert found.message == "the file ends too early"
    assert (found.span and (found.span.line, found.span.column)) == (2, 13)
    assert found.notes == ("`{` at t.cat:1:13 is still open",)
    assert found.help == "a closing `}` is missing"


def test_control_characters_do_not_reach_the_terminal() -> None:
    found = only_error("param a = \x1b[31m")
    assert "\x1b" not in found.message + found.help + found.label
