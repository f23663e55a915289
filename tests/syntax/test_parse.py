"""Text to tree: what binds how, what a number is, where things stand, and how much is read after an error."""

from dataclasses import fields, is_dataclass

import pytest

from catdsl.diagnostics import CatError, Span
from catdsl.syntax import tree
from catdsl.syntax.layout import format_text
from catdsl.syntax.parse import MAX_TOKENS, parse


def expression(text: str) -> tree.Expr:
    (item,) = parse(f"param p = {text}", "test.cat").items
    assert isinstance(item, tree.Param)
    return item.default


def shape(node: object) -> object:
    """A tree as nested tuples, without places."""
    match node:
        case tree.Name() | tree.Ident():
            return node.text
        case tree.Number():
            return f"{node.value:g}{node.unit}" if node.unit == "%" else node.value
        case tree.Binary():
            return (shape(node.left), node.op, shape(node.right))
        case tree.Pipe():
            return ("->", shape(node.source), *map(shape, node.stages))
        case tree.Call():
            arguments = node.arguments if isinstance(node.arguments, tuple) else (node.arguments,)
            return (node.callee.text, *map(shape, arguments))
        case tuple():
            return tuple(map(shape, node))
        case str() | bool() | None:
            return node
    assert is_dataclass(node)
    return (type(node).__name__, *(shape(getattr(node, f.name)) for f in fields(node) if "span" not in f.name))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b -> norm", ("->", ("a", "+", "b"), "norm")),
        ("a -> f -> g", ("->", "a", "f", "g")),
        ("a + (b -> f)", ("a", "+", ("->", "b", "f"))),
        ("(a -> f) -> g", ("->", ("->", "a", "f"), "g")),
        ("a + b * c", ("a", "+", ("b", "*", "c"))),
        ("a - b - c", (("a", "-", "b"), "-", "c")),
        ("128 // 2 // 6", ((128, "//", 2), "//", 6)),
        ("-a * b", (("Negate", "a"), "*", "b")),
        ("a * -1", ("a", "*", ("Negate", 1))),
        ("-x.channels", ("Negate", ("Attribute", "x", "channels"))),
        ("a[n - 1].height", ("Attribute", ("Index", "a", ("n", "-", 1)), "height")),
        ("a + 1 < b", (("a", "+", 1), "<", "b")),
        ("a if b else c if d else e", ("Choose", "a", "b", ("Choose", "c", "d", "e"))),
        ("a if b < 2 else c -> f", ("->", ("Choose", "a", ("b", "<", 2), "c"), "f")),
    ],
)
def test_what_binds_how(text: str, expected: object) -> None:
    assert shape(expression(text)) == expected


def test_a_repeat_is_a_stage_of_its_own() -> None:
    pipe = expression("x -> 9 * f(2)")
    assert isinstance(pipe, tree.Pipe)
    (stage,) = pipe.stages
    assert isinstance(stage, tree.Binary)
    assert (shape(stage.left), stage.op, stage.right.callee.text) == (9, "*", "f")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("64", 64, ""),
        ("0.02", 0.02, ""),
        ("2e-4", 2e-4, ""),
        ("2.6G", 2_600_000_000, "G"),
        ("400K", 400_000, "K"),
        ("12ms", 12e-3, "ms"),
        ("25%", 25, "%"),
        ("12.5%", 12.5, "%"),
    ],
)
def test_numbers(text: str, value: float, unit: str) -> None:
    number = expression(text)
    assert isinstance(number, tree.Number)
    assert (number.value, number.unit) == (pytest.approx(value), unit)


@pytest.mark.parametrize("text", ["7 % 2", "7%2", "7 %2"])
def test_a_percent_sign_before_a_number_is_a_remainder(text: str) -> None:
    assert shape(expression(text)) == (7, "%", 2)


def test_a_share_is_no_remainder() -> None:
    with pytest.raises(CatError):
        expression("7% 2")


def test_a_share_can_be_calculated_with() -> None:
    assert shape(expression("25% * 2")) == ("25%", "*", 2)
    assert shape(expression("[25%, 5%]")) == ("ListOf", ("25%", "5%"))


def value_of(text: str) -> tree.Value:
    call = expression(f"conv({text})")
    assert isinstance(call, tree.Call)
    assert isinstance(call.arguments, tuple)
    return call.arguments[0].value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("64 in 8..48", ("Bounded", 64, 8, 48, None)),
        ("mid in 0..", ("Bounded", "mid", 0, None, None)),
        ("mid in ..48", ("Bounded", "mid", None, 48, None)),
        ("mid in ..", ("Bounded", "mid", None, None, None)),
        ("2 * n in n // 2..n step 8", ("Bounded", (2, "*", "n"), ("n", "//", 2), "n", 8)),
        ("64 in 16.. step 8", ("Bounded", 64, 16, None, 8)),
        ("fixed 2 * n", ("Fixed", (2, "*", "n"))),
        ("tied x.channels / 2", ("Tied", (("Attribute", "x", "channels"), "/", 2))),
    ],
)
def test_width_forms(text: str, expected: object) -> None:
    assert shape(value_of(text)) == expected


@pytest.mark.parametrize("text", ["x.channels in", "64 in 8", "step in 8.48"])
def test_half_a_form_is_none(text: str) -> None:
    with pytest.raises(CatError) as caught:
        value_of(text)
    assert caught.value.diagnostics[0].code == "E101"


def test_white_space_and_comments_mean_nothing() -> None:
    tight = parse("param a=1 generator g{input x:image(3,8,8)output x->conv(a,3)}", "t")
    loose = parse(
        "\ufeff# first\nparam\n a = 1 # one\n\tgenerator g {\r\n input x : image ( 3 , 8 , 8 , )\r\n\r\n"
        " output x\n -> # the last\n conv( a , 3 , ) }\n# end",
        "t",
    )
    assert shape(tight.items) == shape(loose.items)


def test_places() -> None:
    (item,) = parse("\n  block f(x) {\n    return x + (x ->\n  conv(8, 3))\n}", "here.cat").items
    assert isinstance(item, tree.Block)
    (statement,) = item.statements
    assert item.name.span == Span("here.cat", 2, 9, 2, 10)
    assert isinstance(statement.value, tree.Binary)
    assert statement.value.op_span == Span("here.cat", 3, 14, 3, 15)
    pipe = statement.value.right
    assert isinstance(pipe, tree.Pipe)
    assert pipe.stages[0].span == Span("here.cat", 4, 3, 4, 13)


def test_version() -> None:
    assert parse("cat 1 param a = 1", "t").items == parse("      param a = 1", "t").items
    with pytest.raises(CatError) as caught:
        parse("cat 1.0", "t")
    assert caught.value.diagnostics[0].code == "E105"


@pytest.mark.parametrize("word", ["in", "for", "fixed", "step", "true", "student", "from"])
def test_keywords_are_no_names(word: str) -> None:
    with pytest.raises(CatError) as caught:
        parse(f"generator g {{ {word} = x }}", "t")
    assert [d.code for d in caught.value.diagnostics] == ["E104"]


def test_settings_may_be_called_like_anything() -> None:
    (block,) = parse("data { kind = paired, set = 1, cat = 2 }", "t").items
    assert isinstance(block, tree.SettingsBlock)
    assert [p.key.text for p in block.pairs] == ["kind", "set", "cat"]


def test_student() -> None:
    text = (
        'student of "a.cat" sha256 "9f" { set { ngf = 64 } '
        "widths { body.0.dense.1.conv0 = 0, s.c0.1 = 7 } widths { x = 1 } }"
    )
    (student,) = parse(text, "t").items
    assert isinstance(student, tree.Student)
    assert (student.spec.value, student.digest and student.digest.value) == ("a.cat", "9f")
    assert [(w.path.text, w.count) for w in student.widths] == [
        ("body.0.dense.1.conv0", 0), ("s.c0.1", 7), ("x", 1),
    ]  # fmt: skip


def test_several_errors_in_one_run() -> None:
    text = "param = 3\nblock f(x { return x }\ngenerator g {\n  output x -> (3\n}\nstyle { norm batch }\nparam a = 1\n"
    with pytest.raises(CatError) as caught:
        parse(text, "t")
    places = [(d.span.line, d.span.column) for d in caught.value.diagnostics if d.span]
    assert places == [(1, 7), (2, 11), (5, 1), (6, 14)]


def test_an_error_hides_nothing_before_it_and_adds_nothing_behind_it() -> None:
    good = "block f(x) { return x }\n"
    with pytest.raises(CatError) as caught:
        parse(good + "generator g {\n  output x ->\n}\n" + good * 20, "t")
    assert len(caught.value.diagnostics) == 1


def test_a_missing_brace_is_one_error() -> None:
    with pytest.raises(CatError) as caught:
        parse("block f(x) {\n    return x\nblock g(x) {\n    return x\n}\ngenerator g { output x }\n", "t")
    (found,) = caught.value.diagnostics
    assert found.span == Span("t", 3, 1, 3, 6)
    assert "`}` may be missing" in found.help


def test_long_pipelines_cost_no_depth() -> None:
    pipe = expression("x" + " -> relu" * 15_000)
    assert isinstance(pipe, tree.Pipe)
    assert len(pipe.stages) == 15_000


@pytest.mark.parametrize(
    "text",
    [
        "param a = " + "-" * 200 + "1",
        "param a = " + "[" * 200 + "]" * 200,
        "param a = 1" + " + 1" * 200,
        "param a = " + "f(" * 200 + ")" * 200,
    ],
)
def test_nesting_is_limited(text: str) -> None:
    with pytest.raises(CatError) as caught:
        parse(text, "t")
    (found,) = caught.value.diagnostics
    assert (found.code, "100 deep" in found.message) == ("E103", True)


def test_parentheses_count_as_deep_as_what_has_nodes() -> None:
    """The formatter walks them."""
    assert shape(expression("(" * 90 + "a" + ")" * 90)) == "a"
    text = f"param p = {'(' * 90}a{')' * 90}\n"
    assert format_text(text, "t") == text
    with pytest.raises(CatError, match="E103"):
        expression("(" * 5_000 + "a" + ")" * 5_000)


def test_size_is_limited() -> None:
    for text in ("#" * 1_000_001, "a " * (MAX_TOKENS + 1)):
        with pytest.raises(CatError) as caught:
            parse(text, "t")
        assert caught.value.diagnostics[0].code == "E103"


@pytest.mark.parametrize("text", ["9" * 5_000, "1e400", "2000000T", "2000000000000000000"])
def test_giants_are_no_numbers(text: str) -> None:
    with pytest.raises(CatError) as caught:
        expression(text)
    assert [d.code for d in caught.value.diagnostics] == ["E102"]
