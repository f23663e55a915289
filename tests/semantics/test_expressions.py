"""Expressions: arithmetic, choices, pipelines, repeats, comprehensions, defaults, words."""

import pytest

from catdsl.project import load
from tests.semantics.checking import codes_in, found_in, generator, graph_of


def count(expression: str, before: str = "") -> int:
    """What a number is: the channels that it makes."""
    graph = graph_of(f"a = x -> conv({expression}, 1)\noutput a -> conv(3, 1)", before)
    return graph.channels("a.conv0") if "a.conv0" in graph.node else 0


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("7 % 2", 1),
        ("7%2", 1),
        ("7 // 2", 3),
        ("8 / 2", 4),
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("10 - 2 - 3", 5),
        ("-2 + 5", 3),
        ("128 // 2 // 6", 10),
        ("50% * 8", 4),
        ("1K // 100", 10),
        ("min(8, 5, 6)", 5),
        ("max([1, 2], 3)", 3),
        ("sum([1, 2, 3])", 6),
        ("len([1, 2] + [3])", 3),
        ("sum(k * k for k in range(1, 4))", 14),
        ("2 if 1 < 2 else 3", 2),
        ("2 if 1 == 2 else 3 if true else 4", 3),
        ("x.channels * 2", 6),
        ("x.height // 16 + x.width // 32", 3),
        ("[4, 5, 6][1]", 5),
        ("[4, 5, 6][-1]", 6),
        ("0 if instance == batch else 5", 5),
    ],
)
def test_numbers(expression: str, value: int) -> None:
    assert count(expression) == value


def test_what_is_not_chosen_is_not_built() -> None:
    assert count("4 if true else undefined") == 4
    assert codes_in(generator("output x -> conv(3, 1) if true else x -> foo")) == ["E202"]


def ops(body: str, before: str = "") -> list[str]:
    return [n.op.name for n in graph_of(body, before).nodes]


def test_a_pipeline_is_a_call() -> None:
    assert ops("output x -> conv(8, 3) -> relu -> conv(3, 1)") == ops("output conv(relu(conv(x, 8, 3)), 3, 1)")


def test_a_sum_before_an_arrow_is_its_argument() -> None:
    assert ops("a = x -> conv(3, 1)\noutput a + x -> relu") == ["input", "conv", "add", "relu"]
    assert ops("a = x -> conv(3, 1)\noutput a + (x -> relu)") == ["input", "conv", "relu", "add"]


def test_a_repeat_has_weights_of_its_own_each_time() -> None:
    graph = graph_of("body = x -> 3 * conv(8, 3) -> relu\noutput body -> conv(3, 1)")
    assert [n.name for n in graph.nodes][1:5] == ["body.0.conv0", "body.1.conv0", "body.2.conv0", "body.relu0"]


def test_steps_of_a_repeat_are_indexable_with_expressions() -> None:
    graph = graph_of(
        "body = x -> n * conv(8, 3)\noutput sum(body[k] for k in [0, n - 1]) + body[-1] -> conv(3, 1)",
        "param n = 3\n", "distill { taps = [body[n - 2], body] }\n",
    )  # fmt: skip
    assert graph.node["output.add0"].inputs == ("body.0.conv0", "body.2.conv0")
    assert [(t.label, t.node) for t in graph.taps] == [("body[1]", "body.1.conv0"), ("body", "body.2.conv0")]


def test_a_repeat_of_0_is_the_identity() -> None:
    assert ops("a = x -> 0 * conv(8, 3) -> relu\noutput a") == ["input", "relu"]
    text = generator("a = x -> n * f(x)\noutput a -> conv(3, 1)", "param n = 2\nblock f(x, y) { return x + y }\n")
    assert codes_in(text, n="0") == []


@pytest.mark.parametrize("repeat", ["2.5", "-1", '"2"', "x", "true", "[2]"])
def test_a_repeat_is_a_whole_number(repeat: str) -> None:
    assert codes_in(generator(f"output x -> {repeat} * relu")) == ["E207"]


def test_one_repeat_a_statement() -> None:
    (found,) = found_in(generator("output x -> 2 * relu -> 2 * relu"))
    assert (found.code, "one repeat" in found.message) == ("E207", True)


@pytest.mark.parametrize("form", ["sum(%s)", "sum([%s])", "concat(%s)", "concat([%s])"])
def test_comprehensions_expand_in_place(form: str) -> None:
    graph = graph_of(f"a = {form % 'x -> conv(4, k) for k in [1, 3, 5]'}\noutput a -> conv(3, 1)")
    assert [n.attrs["kernel"] for n in graph.nodes if n.name.startswith("a.") and n.op.name == "conv"] == [1, 3, 5]
    assert [n.name for n in graph.nodes[1:4]] == ["a.0.conv0", "a.1.conv0", "a.2.conv0"]


def test_comprehensions_nest() -> None:
    graph = graph_of("a = sum(sum(x -> conv(4, k * d) for k in [1, 3]) for d in [1, 3])\noutput a -> conv(3, 1)")
    assert [n.name for n in graph.nodes if n.op.name == "conv"][:4] == [
        "a.0.0.conv0", "a.0.1.conv0", "a.1.0.conv0", "a.1.1.conv0",
    ]  # fmt: skip


def test_the_sum_of_one_is_this_one() -> None:
    assert ops("output sum(x -> conv(3, k) for k in [1])") == ["input", "conv"]


@pytest.mark.parametrize("items", ["[]", "range(0)", "range(3, 1)"])
def test_the_sum_of_nothing_is_an_error(items: str) -> None:
    (found,) = found_in(generator(f"output sum(x -> conv(3, k) for k in {items})"))
    assert (found.code, found.message) == ("E207", "`sum` of nothing")


def test_default_arguments_see_those_before_them() -> None:
    before = "block f(x, a, b = 2 * a, c = b + x.channels) { return x -> conv(c, 1) -> conv(b, 1) -> conv(a, 1) }\n"
    for call, counts in (("f(2)", [7, 4, 2]), ("f(2, c = 5)", [5, 4, 2]), ("f(b = 3, a = 1)", [6, 3, 1])):
        graph = graph_of(f"a = x -> {call}\noutput a -> conv(3, 1)", before)
        assert [graph.channels(f"a.conv{i}") for i in range(3)] == counts


def test_a_block_sees_its_file_and_not_its_caller() -> None:
    before = "param k = 3\nblock f(x) { return x -> conv(n, k) }\n"
    (found,) = found_in(generator("n = 8\noutput x -> f", before))
    assert (found.code, found.message) == ("E201", "`n` is not defined")


def test_a_name_in_scope_goes_before_a_word() -> None:
    text = generator("output x -> conv(3, 3, pad = reflect)", "param reflect = 3\n")
    (found,) = found_in(text)
    assert (found.code, "got the number 3" in found.message) == ("E207", True)


def test_words_stand_only_where_they_are_listed() -> None:
    for call, code in (
        ("conv(3, 3, pad = reflect)", None),
        ("conv(3, 3, reflect)", None),
        ("resize(nearest, scale = 2)", None),
        ("conv(3, 3, bias = auto)", None),
        ("conv(3, 3, stride = reflect)", "E201"),
        ("conv(3, 3, pad = reflct)", "E201"),
        ("conv(3, 3, bias = reflect)", "E201"),
        ("conv(3, paper)", "E201"),
        ("relu(reflect)", "E201"),
    ):
        assert codes_in(generator(f"output x -> {call}")) == ([code] if code else [])
    assert codes_in(generator("a = reflect\noutput x")) == ["E201"]


def test_words_pass_through_blocks_and_parameters() -> None:
    before = "param border = replicate\nblock f(x, p = reflect) { return x -> conv(4, 3, pad = p) }\n"
    graph = graph_of("output x -> f -> f(border) -> f(zero) -> conv(3, 1)", before)
    assert [n.attrs["pad"] for n in graph.nodes[1:4]] == ["reflect", "replicate", "zero"]


def test_choices_of_operators() -> None:
    graph = graph_of("output x -> (relu if smooth == false else silu) -> conv(3, 1)", "param smooth = true\n")
    assert graph.nodes[1].op.name == "silu"


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("n=abc", "`abc` is not defined"),
        ("n=3.5", "got the number 3.5"),
        ('n="3"', 'got the string "3"'),
        ("n=true", "got true"),
        ("n=batch", "got the word `batch`"),
        ("n=", "this is no value"),
        ("n=1 2", "this is no value"),
        ("n=3 param m = 4", "this is no value"),
        ("kind=3", "got the number 3"),
        ("kind=bathc", "`bathc` is not defined"),
        ("flag=1", "got the number 1"),
        ("gain=x", "`x` is not defined"),
        ("list=3", "got the number 3"),
    ],
)
def test_set_takes_the_type_of_the_default(override: str, problem: str) -> None:
    text = generator(
        "output sum(x -> conv(n, k, bias = flag) for k in list) -> norm -> leaky_relu(gain) -> conv(3, 1)",
        "param n = 4\nparam kind = instance\nparam flag = true\nparam gain = 0.5\nparam list = [1, 3]\n"
        "style { norm = kind }\n",
    )
    name, _, value = override.partition("=")
    (found,) = found_in(text, **{name: value})
    assert found.code == "E209"
    assert problem in found.message
    assert found.help.startswith(f"write for example --set {name}=")


def test_set() -> None:
    text = generator("output x -> conv(m, 3) -> conv(3, 1)", "param n = 4\nparam m = 2 * n\n")
    assert load(text, {"n": "8"}).graph.channels("output.conv0") == 16
    assert load(text, {"n": "2 * 3"}).graph.channels("output.conv0") == 12
    assert load(text, {"n": "8", "m": "n + 1"}).graph.channels("output.conv0") == 9
    (found,) = found_in(text, nn="3")
    assert (found.code, found.help) == ("E209", "did you mean `n`?")
