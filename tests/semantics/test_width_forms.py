"""Width forms at operators and through blocks: bounds, steps, `fixed`, ties, and where they meet."""

import pytest

from tests.semantics.checking import codes_in, found_in, generator, graph_of, under_caret, widths_of


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("64", (64, 16, 64, 1)),
        ("8", (8, 8, 8, 1)),
        ("64 in 8..48", (64, 8, 48, 1)),
        ("64 in 0..", (64, 0, 64, 1)),
        ("64 in ..48", (64, 16, 48, 1)),
        ("64 in ..", (64, 16, 64, 1)),
        ("64 in 16.. step 8", (64, 16, 64, 8)),
        ("60 in 10..50 step 8", (60, 16, 48, 8)),
        ("8 in 16..48", (8, 8, 8, 1)),
        ("fixed 64", (64, 64, 64, 1)),
        ("2 * n in n.. step n // 2", (32, 16, 32, 8)),
        ("fixed 2 * n", (32, 32, 32, 1)),
    ],
)
def test_forms(form: str, expected: tuple[int, int, int, int]) -> None:
    graph = graph_of(f"a = x -> conv({form}, 3)\noutput a -> conv(3, 1)", "param n = 16\n")
    assert widths_of(graph)["a.conv0"] == expected


def test_the_floor_is_a_setting() -> None:
    for floor in (0, 4, 64, 100):
        graph = graph_of("a = x -> conv(64, 3)\noutput a -> conv(3, 1)", after=f"search {{ floor = {floor} }}")
        assert widths_of(graph)["a.conv0"][1] == min(floor, 64)


PASS = "block f(x, w) { return x -> conv(w, 3) }\nblock g(x, w) { return x -> f(w) }\n"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("64 in 8..48", (64, 8, 48, 1)),
        ("64 in 16.. step 8", (64, 16, 64, 8)),
        ("fixed 64", (64, 64, 64, 1)),
        ("w = 64 in 0..", (64, 0, 64, 1)),
    ],
)
def test_forms_pass_through_blocks(form: str, expected: tuple[int, int, int, int]) -> None:
    graph = graph_of(f"a = x -> g({form})\noutput a -> conv(3, 1)", PASS)
    assert widths_of(graph)["a.conv0"] == expected


def test_a_form_is_a_default() -> None:
    block = "block f(x, w = 64 in 8..48 step 8, v = fixed 4) { return x -> conv(w, 3) -> conv(v, 3) }\n"
    widths = widths_of(graph_of("a = x -> f\noutput a -> conv(3, 1)", block))
    assert (widths["a.conv0"], widths["a.conv1"]) == ((64, 8, 48, 8), (4, 4, 4, 1))


def test_bounds_of_a_block_hold_besides_those_of_its_caller() -> None:
    block = "block f(x, w) { return x -> conv(w in 4.. step 4, 3) }\n"
    graph = graph_of("a = x -> f(64 in 10..40)\noutput a -> conv(3, 1)", block)
    assert widths_of(graph)["a.conv0"] == (64, 12, 40, 4)


def test_ties_pass_through_blocks() -> None:
    graph = graph_of("a = x -> conv(64, 3)\nb = a -> g(tied a.channels / 2)\noutput b -> conv(3, 1)", PASS)
    assert str(graph.width["b.conv0"].tie) == "1/2 * a.conv0"
    # The half keeps its floor, so the whole keeps twice that, and stays even.
    assert widths_of(graph)["a.conv0"] == (64, 32, 64, 2)


def test_ties_are_linear_forms() -> None:
    graph = graph_of(
        "a = x -> conv(32, 3)\nb = x -> conv(16, 3)\n"
        "c = a -> conv(tied 2 * a.channels + b.channels - 8, 3) -> conv(3, 1)\nd = b -> conv(3, 1)\noutput c + d"
    )
    assert str(graph.width["c.conv0"].tie) == "2 * a.conv0 + b.conv0 + -8"
    assert graph.width["c.conv0"].count == 72


def test_ties_carry_steps_and_floors_transitively() -> None:
    body = "a = x -> conv(64, 3)\nb = a -> conv(tied a.channels / 2, 3)\nc = b -> conv(tied b.channels / 2, 3)\n"
    widths = widths_of(graph_of(body + "output c -> conv(3, 1)"))
    assert widths["a.conv0"] == (64, 64, 64, 1)
    widths = widths_of(graph_of(body + "output c -> conv(3, 1)", after="search { floor = 4 }"))
    assert widths["a.conv0"] == (64, 16, 64, 4)


def test_a_tie_to_a_fixed_width_is_fixed() -> None:
    graph = graph_of("a = x -> conv(tied 2 * x.channels, 3)\noutput a -> conv(3, 1)")
    assert [w.name for w in graph.widths if w.searched] == []


def test_concat_keeps_widths_apart_and_sums_cut_them() -> None:
    graph = graph_of(
        "a = x -> conv(24, 3)\nb = x -> conv(16, 3)\nc = concat(a, b) + (x -> conv(40, 1))\noutput c -> conv(3, 1)"
    )
    names = [s.width for s in graph.node["c.concat0"].type.channels]
    assert len(names) == 2
    assert graph.node["c.add0"].type.channels == graph.node["c.concat0"].type.channels
    assert graph.node["c.conv0"].type.channels == graph.node["c.concat0"].type.channels


def test_split_and_pixel_shuffle_refine() -> None:
    graph = graph_of("a, b = x -> conv(32, 3) -> split(2)\noutput concat(a, b) -> pixel_shuffle(2) -> conv(3, 1)")
    assert sorted(c for c, _, _, _ in widths_of(graph).values()) == [3, 4, 4]


def test_bounds_that_cannot_meet_name_both_places() -> None:
    text = generator("a = x -> conv(8 in 6..8, 3)\nb = x -> conv(8 in 2..4, 3)\noutput a + b -> conv(3, 1)")
    (found,) = found_in(text)
    assert found.code == "E303"
    assert found.notes == ("the bounds 6..8 at <text>:3:19", "the bounds 2..4 at <text>:4:19")


@pytest.mark.parametrize(
    ("form", "code", "under"),
    [
        ("8 in 48..8", "E303", "8 in 48..8"),
        ("8 in 5..7 step 4", "E303", "8 in 5..7 step 4"),
        ("8 in 1.. step 0", "E307", "0"),
        ('8 in "a"..', "E207", '"a"'),
        ("8 in 1.5..", "E207", "1.5"),
        ("8 in -1..", "E207", "-1"),
        ("8.5 in 0..", "E207", "8.5 in 0.."),
        ("fixed x", "E207", "fixed x"),
        ("-8", "E307", "-8"),
        ("8.5", "E207", "8.5"),
        ("25%", "E207", "25%"),
        ("[8]", "E207", "[8]"),
        ("true", "E207", "true"),
        ("tied 8", "E305", "tied 8"),
        ("tied x", "E305", "x"),
        ("tied x.channels // 2", "E305", "//"),
        ("tied x.channels % 2", "E305", "%"),
        ("tied 2 * (x.channels // 2)", "E305", "//"),
        ("tied min(x.channels, 2)", "E305", "min"),
        ("tied x.channels / 2", "E305", "tied x.channels / 2"),
        ("tied x.channels - 4", "E307", "tied x.channels - 4"),
    ],
)
def test_wrong_forms(form: str, code: str, under: str) -> None:
    text = generator(f"a = x -> conv({form}, 3)\noutput a -> conv(3, 1)")
    (found,) = found_in(text)
    assert (found.code, under_caret(text, found)) == (code, under)


def test_an_output_cannot_be_bounded_away() -> None:
    (found,) = found_in(generator("output x -> conv(3 in 1..2, 3)"))
    assert (found.code, "outputs are fixed" in found.notes[0]) == ("E303", True)


def test_a_tied_width_is_not_divided_by_what_is_added() -> None:
    body = (
        "a = x -> conv(8, 3)\nb = a -> conv(tied a.channels, 3)\nc = x -> conv(3, 3)\nd = x -> conv(5, 3)\n"
        "output b + concat(c, d) -> conv(3, 1)"
    )
    assert codes_in(generator(body)) == ["E304"]


def test_widths_that_are_tied_to_themselves_may_become_one() -> None:
    graph = graph_of(
        "a = x -> conv(64, 3)\nb = a -> conv(tied a.channels, 3)\ns = a + b\n"
        "c = s -> conv(64 in 32.., 3)\nd = c -> conv(tied c.channels, 3)\nt = c + d\noutput (s + t) -> conv(3, 1)"
    )
    assert widths_of(graph)["a.conv0"] == (64, 32, 64, 1)
    assert not {"b.conv0", "c.conv0", "d.conv0"} & set(widths_of(graph))


def test_two_ties_of_one_width_still_have_to_agree() -> None:
    body = (
        "a = x -> conv(64, 3)\nb = a -> conv(tied a.channels / 2, 3)\n"
        "c = x -> conv(16, 3)\nd = c -> conv(tied 2 * c.channels, 3)\noutput (b + d) -> conv(3, 1)"
    )
    assert codes_in(generator(body)) == ["E304"]
