"""How mistakes are reported: each once, all in one run, without consequences, in the order of the text."""

from catdsl.diagnostics import Severity
from catdsl.diagnostics.render import render_text
from tests.semantics.checking import codes_in, found_in, generator, under_caret


def test_independent_mistakes_are_found_in_one_run() -> None:
    text = generator(
        """
a = x -> conv(8)
b = x -> foo(3)
c = x -> conv(8, 3, strid = 2)
d = a + b + c
e = d -> conv(8, 3) -> norm(affin = true)
f = undefined
output e -> conv(3, 1)
""",
        "param p = q\nblock k(x, x) { return x }\nstyle { norm = layer }\n",
        "train { lr = 7 }\ndistill { taps = [nope] }\ndata { nope = 1 }\n",
    )
    assert codes_in(text) == [
        "E201", "E203", "E503", "E205", "E202", "E204", "E204", "E201", "E503", "E201", "E502",
    ]  # fmt: skip


def test_one_mistake_has_no_consequences() -> None:
    text = generator(
        """
a = x -> foo
b = a -> conv(a.channels, 3) -> norm
c, d = b -> split(2)
e = [c, d][7]
f = sum(k -> conv(8, 3) for k in [c, d]) + b
g = f if a.height > 3 else e
h = g -> 3 * conv(8, 3)
i = concat(h[0], h) -> resize(like = a)
output modulate(i, a, b) -> conv(3, 1)
""",
        after="distill { taps = [a, b, h[1]] }\n",
    )
    (found,) = found_in(text)
    assert (found.code, under_caret(text, found)) == ("E202", "foo")


def test_a_failed_use_has_no_consequences() -> None:
    text = generator("output x -> f -> conv(3, 1)", "use f from std.nope\n")
    assert codes_in(text) == ["E210"]


def test_a_failed_parameter_has_no_consequences() -> None:
    text = generator(
        "output x -> conv(a, 3) -> conv(b, a) -> conv(3, 1)", "param a = foo\nparam b = 2 * a\nsearch { floor = a }\n"
    )
    assert codes_in(text) == ["E201"]


def test_a_failed_setting_has_no_consequences() -> None:
    text = generator("output x -> norm -> conv(3, 1)", "style { norm = layer }\n", "distill { taps = [z] }\n")
    assert codes_in(text) == ["E503", "E201"]


def test_an_argument_under_a_wrong_name_is_not_missing_besides() -> None:
    assert codes_in(generator("output x -> conv(3, kernel_size = 3)")) == ["E204"]


def test_a_mistake_in_a_block_is_reported_once() -> None:
    block = "block f(x) {\n    y = x -> conv(x.channels, 3) -> rleu\n    return x + y\n}\n"
    text = generator("a = x -> 9 * f\nb = a -> f\noutput b + f(x)", block)
    (found,) = found_in(text)
    assert (found.code, found.span and found.span.line, under_caret(text, found)) == ("E202", 2, "rleu")


def test_a_mistake_in_an_argument_names_the_call() -> None:
    blocks = "block f(x, k) { return x -> conv(8, k) }\nblock g(x, k) { return x -> f(k) }\n"
    (found,) = found_in(generator("output x -> g(99999) -> conv(3, 1)", blocks))
    assert found.code == "E307"
    assert found.notes == ("in block `f`, called at <text>:2:29", "in block `g`, called at <text>:5:17")


def test_the_same_statement_twice_is_two_mistakes() -> None:
    text = generator("a = x -> rleu\nb = x -> rleu\noutput a + b")
    assert codes_in(text) == ["E202", "E202"]


def test_order_and_limit() -> None:
    text = generator("\n".join(f"a{i} = x -> f{i}" for i in range(100)) + "\noutput x")
    found = found_in(text)
    assert len(found) == 50
    assert [d.span.line for d in found if d.span] == list(range(3, 53))


def warnings_in(text: str) -> list[tuple[str, str]]:
    found = found_in(text)
    assert {(d.code, d.severity) for d in found} <= {("E208", Severity.WARNING)}
    return [(d.message, under_caret(text, d)) for d in found]


def test_what_nothing_uses_is_a_warning() -> None:
    text = generator(
        "input y: image(3, 8, 8)\na = x -> conv(8, 3)\nb, c = a -> split(2)\noutput b -> f -> conv(3, 1)",
        "use inc_res from std.inception\nparam p = 1\nblock k(x) { return x }\n"
        "block f(x, q = 2) {\n    d = x -> relu\n    return x -> tanh\n}\n",
    )
    assert warnings_in(text) == [
        ("nothing uses `inc_res` of std.inception", "inc_res"), ("nothing uses the parameter `p`", "p"),
        ("nothing uses the block `k`", "k"), ("nothing uses the argument `q`", "q"), ("nothing uses `d`", "d"),
        ("nothing uses the input `y`", "y"), ("nothing uses `c`", "c"),
    ]  # fmt: skip


def test_what_is_used_somewhere_is_no_warning() -> None:
    """In a branch that is not taken, in a repeat of 0, in a list of nothing, in taps, in settings, in defaults."""
    text = generator(
        """
a = x -> conv(8, 3)
b = x -> conv(8, 1)
c = x -> conv(8, 5)
d = a if p == 1 else b
e = d -> 0 * f(c)
g = [h -> relu for h in []]
i = x -> tanh
output concat(e, g) -> conv(3, 1)
""",
        "param p = 1\nparam q = 2\nparam r = 3\nparam s = 4\nblock f(x, y, z = q) { return x + y * z }\n"
        "style { init = normal(r) }\nsearch { floor = s }\n",
        "distill { taps = [i] }\n",
    )
    assert warnings_in(text) == []


def test_what_stands_behind_return_is_a_warning() -> None:
    text = generator("output x -> f", "block f(x) { return x -> relu\n    a = x -> tanh\n}\n")
    assert [under for _, under in warnings_in(text)] == ["a = x -> tanh"]


def test_beside_errors_there_are_no_warnings_of_unused_names() -> None:
    assert codes_in(generator("abc = x -> conv(3, 1)\noutput acb")) == ["E201"]


def test_the_text_form_of_the_tour() -> None:
    text = "\n".join(
        [
            "style { norm = batch }", "", "block two(x) {", "", "", "", "    b =  x -> conv(128, 3)",
            "    a = x -> conv(64, 3)", "    return a + b", "}",
            "generator g { input x: image(3, 32, 32) output x -> two -> conv(3, 1) }",
        ]
    )  # fmt: skip
    found = found_in(text)
    assert render_text(found, {"<text>": text}).split("\n") == [
        "error[E301]: `+` needs equal channel counts, got 64 and 128",
        "  --> <text>:9:12",
        "  |",
        "9 |     return a + b",
        "  |            ^^^^^ 64 here, 128 there",
        "  |",
        "  = note: `b` gets its 128 channels from conv at <text>:7:15",
        "  = help: give both the same width, or put conv(64, 1) on `b`",
        "",
    ]
