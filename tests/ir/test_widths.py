"""Unification: bounds, steps and ties that meet, cuts that cannot be made, and what the errors name."""

import pytest

from catdsl.diagnostics import CatError, Diagnostic
from catdsl.ir.graph import Graph
from catdsl.project import load


def graph(statements: str, *, floor: int = 1, channels: int = 3) -> Graph:
    return load(
        f"generator g {{\ninput x: image({channels}, 8, 8)\n{statements}\n}}\nsearch {{ floor = {floor} }}"
    ).graph


def bounds(statements: str, *, floor: int = 1) -> dict[str, tuple[int, int, int, int]]:
    """Per independent width: the teacher's count, low, high, step."""
    found = graph(statements, floor=floor)
    return {w.name: (w.count, w.low, w.high, w.step) for w in found.widths if w.independent}


def errors(statements: str, *, floor: int = 1) -> tuple[Diagnostic, ...]:
    with pytest.raises(CatError) as caught:
        graph(statements, floor=floor)
    return tuple(d for d in caught.value.diagnostics if d.severity.value == "error")


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ("64", (64, 16, 64, 1)),
        ("8", (8, 8, 8, 1)),
        ("64 in 8..48", (64, 8, 48, 1)),
        ("64 in ..48", (64, 16, 48, 1)),
        ("64 in 0..", (64, 0, 64, 1)),
        ("64 in 80..", (64, 64, 64, 1)),
        ("64 in 3.. step 8", (64, 8, 64, 8)),
        ("60 in 3.. step 8", (60, 8, 56, 8)),
        ("fixed 64", (64, 64, 64, 1)),
        ("64 in 8..8", (64, 8, 8, 1)),
    ],
)
def test_forms(form: str, wanted: tuple[int, int, int, int]) -> None:
    assert bounds(f"a = x -> conv({form}, 3)\noutput a -> conv(2, 1)", floor=16)["a.conv0"] == wanted


def test_bounds_of_what_is_added_intersect() -> None:
    text = "a = x -> conv(24 in 2..20, 3)\nb = x -> conv(24 in 6.. step 4, 3)\nc = x -> conv(24 in .. step 6, 3)\n"
    assert bounds(text + "output a + b + c -> conv(2, 1)") == {
        "a.conv0": (24, 12, 12, 1),
        "output.conv0": (2, 2, 2, 1),
    }


def test_an_empty_intersection_names_both_places() -> None:
    (error,) = errors("a = x -> conv(24 in 2..8, 3)\nb = x -> conv(24 in 12.., 3)\noutput a + b -> conv(2, 1)")
    assert error.code == "E303"
    assert "between 12 and 8" in error.message
    assert any(":3:" in note for note in error.notes)
    assert any(":4:" in note for note in error.notes)


def test_a_concat_that_meets_one_conv_is_two_widths() -> None:
    text = "a = x -> conv(4 in 2.., 3)\nb = x -> conv(6 in 0.., 3)\nc = concat(a, b) + (x -> conv(10 in 5.., 3))\n"
    found = graph(text + "output c -> conv(2, 1)")
    assert {w.name: (w.count, w.low) for w in found.widths if w.searched} == {
        "a.conv0": (4, 2),
        "b.conv0": (6, 3),
    }
    assert found.node["c.conv0"].type == found.node["c.concat0"].type


def test_parts_share_bounds_and_step() -> None:
    text = "a, b = x -> conv(24 in 8..20 step 2, 3) -> split(2)\noutput concat(a -> conv(2, 1), b) -> conv(2, 1)"
    found = bounds(text)
    assert [found[f"a_b.conv0.{i}"] for i in (0, 1)] == [(12, 4, 10, 2)] * 2


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ("32 in 8.. step 8", (8, 2, 8, 2)),
        ("32 in 8.. step 2", (8, 2, 8, 1)),
        ("24 in 0..17 step 6", (6, 0, 3, 3)),
        ("fixed 32", (8, 8, 8, 1)),
    ],
)
def test_each_shuffled_channel_stands_for_four(form: str, wanted: tuple[int, int, int, int]) -> None:
    found = bounds(f"a = x -> conv({form}, 3) -> pixel_shuffle(2)\noutput a -> conv(2, 1)")
    assert found["a.conv0.0"] == wanted


def test_shuffled_and_plain_widths_become_one() -> None:
    """Four convs side by side on one side, a shuffled one on the other."""
    text = (
        "a = x -> conv(12 in 4.. step 4, 3)\nb = a -> pixel_shuffle(2) -> avg_pool\n"
        "c = x -> conv(3 in 2.., 1)\n"
        "output (b + c -> conv(2, 1)) + (a -> conv(2, 1))"
    )
    found = graph(text)
    assert [s.repeat for s in found.node["a.conv0"].type.channels] == [4]
    (shuffled,) = found.node["b.pixel_shuffle0"].type.channels
    assert found.node["c.conv0"].type.channels == (shuffled,)
    width = found.width[shuffled.width]
    assert (width.count, width.low, width.high, width.step) == (3, 2, 3, 1)


# ---- ties ----


def _tied(form: str, *, count: int = 12, bounds_of_a: str = "", other: str = "") -> str:
    return (
        f"a = x -> conv({count}{bounds_of_a}, 3)\nb = x -> conv(8, 3)\n"
        f"c = a -> conv(tied {form}, 1)\n{other}output concat(a, b, c) -> conv(2, 1)"
    )


@pytest.mark.parametrize(
    ("form", "low", "step"),
    [
        ("a.channels", 3, 1),
        ("a.channels / 2", 6, 2),
        ("2 * a.channels / 3", 6, 3),
        ("a.channels / 2 + 5", 0, 2),
        ("a.channels * 3 - 4", 3, 1),
        ("a.channels - 2", 5, 1),
    ],
)
def test_a_tie_bounds_what_it_follows(form: str, low: int, step: int) -> None:
    """The tied width keeps its floor of 3, and stays whole."""
    found = graph(_tied(form, bounds_of_a=" in 0.."), floor=3)
    a, c = found.width["a.conv0"], found.width["c.conv0"]
    assert (a.low, a.step) == (low, step)
    assert c.tie is not None
    values = [c.tie.value({"a.conv0": n}) for n in range(a.low, a.high + 1, a.step)]
    assert all(v.denominator == 1 and v >= 3 for v in values)
    # One step lower would break it.
    assert a.low == 0 or c.tie.value({"a.conv0": a.low - a.step}) < 3


def test_a_tie_to_a_sum_holds_for_all_students() -> None:
    found = graph(_tied("(a.channels + b.channels) / 2 + 1"), floor=4)
    a, b, c = (found.width[f"{n}.conv0"] for n in "abc")
    assert c.tie is not None
    assert (a.step, b.step) == (2, 2)
    for n in range(a.low, a.high + 1, a.step):
        for m in range(b.low, b.high + 1, b.step):
            value = c.tie.value({"a.conv0": n, "b.conv0": m})
            assert value.denominator == 1
            assert 4 <= value <= c.count


def test_steps_reach_through_ties() -> None:
    other = "d = c + (x -> conv(6 in .. step 3, 1))\n"
    text = _tied("a.channels / 2", other=other).replace("concat(a, b, c)", "concat(a, b, d)")
    assert bounds(text)["a.conv0"] == (12, 6, 12, 6)


def test_ties_of_ties() -> None:
    text = (
        "a = x -> conv(16, 3)\nb = a -> conv(tied a.channels / 2, 1)\nc = b -> conv(tied b.channels / 2, 1)\n"
        "d = c -> conv(tied c.channels / 2, 1)\noutput d -> conv(2, 1)"
    )
    found = graph(text)
    assert (found.width["a.conv0"].low, found.width["a.conv0"].step) == (8, 8)
    assert {n: str(found.width[f"{n}.conv0"].tie) for n in "bcd"} == {
        "b": "1/2 * a.conv0", "c": "1/4 * a.conv0", "d": "1/8 * a.conv0",
    }  # fmt: skip


def test_a_tie_to_itself_is_no_tie() -> None:
    found = bounds("a = x -> conv(8, 3)\nb = a -> conv(tied a.channels, 3)\noutput a + b -> conv(2, 1)")
    assert found == {"a.conv0": (8, 1, 8, 1), "output.conv0": (2, 2, 2, 1)}


@pytest.mark.parametrize(
    ("form", "message"),
    [
        # More of the one would be less of the other: costs could fall where a width grows.
        ("16 - a.channels", "shrinks"),
        ("a.channels - b.channels", "shrinks"),
        ("(a.channels + 1) / 2", "not always whole"),
    ],
)
def test_ties_that_no_student_could_keep(form: str, message: str) -> None:
    (error,) = errors(_tied(form, count=11))
    assert error.code == "E305"
    assert message in error.message
    assert error.span is not None
    assert error.help


def test_a_tie_that_is_never_a_multiple_of_the_step() -> None:
    other = "d = c + (x -> conv(16 in .. step 8, 1))\n"
    text = _tied("a.channels + 4", other=other).replace("concat(a, b, c)", "concat(a, b, d)")
    (error,) = errors(text)
    assert error.code == "E305"
    assert "multiple of 8" in error.message


def test_a_circle_of_ties_that_says_nothing_is_none() -> None:
    text = (
        "a = x -> conv(8, 3)\nb = x -> conv(tied a.channels / 2, 3)\nc = x -> conv(tied b.channels * 2, 3)\n"
        "output (c + a -> conv(2, 1)) + (b -> conv(2, 1))"
    )
    found = graph(text)
    assert found.width["a.conv0"].tie is None
    assert (found.width["a.conv0"].low, found.width["a.conv0"].step) == (2, 2)
    assert str(found.width["b.conv0"].tie) == "1/2 * a.conv0"


@pytest.mark.parametrize(
    "text",
    [
        # a = (a + b) / 2
        "a = x -> conv(4, 3)\nb = x -> conv(4, 3)\nc = a -> conv(tied (a.channels + b.channels) / 2, 3)\n"
        "output (a + c -> conv(2, 1)) + (b -> conv(2, 1))",
        # The half of a is tied to a.
        "a = x -> conv(8, 3)\np, q = a -> split(2)\nb = p -> conv(tied a.channels / 2, 3)\n"
        "output (b + q -> conv(2, 1)) + (p -> conv(2, 1))",
    ],
)
def test_a_tie_in_a_circle(text: str) -> None:
    (error,) = errors(text)
    assert error.code == "E305"
    assert "tied to it" in error.message


def test_two_ties_that_differ() -> None:
    (error,) = errors(
        "a = x -> conv(4, 3)\nb = x -> conv(tied 2 * a.channels, 3)\nc = x -> conv(tied a.channels + 4, 3)\n"
        "output b + c -> conv(2, 1)"
    )
    assert error.code == "E304"
    assert "tied to two widths" in error.message


# ---- cuts ----


def test_parts_of_a_tied_width_follow_by_their_share() -> None:
    found = graph(
        "a = x -> conv(8, 3)\np, q = a -> conv(tied 6 * a.channels, 3) -> split(2)\noutput p * q -> conv(2, 1)"
    )
    ties = {w.name: str(w.tie) for w in found.widths if w.tie}
    assert ties == {"p_q.conv0.0": "3 * a.conv0"}


def test_channels_for_pixel_shuffle_may_be_tied() -> None:
    """What pixel_shuffle gives has the width that the tie divides to, and can be added to it."""
    found = graph(
        "a = x -> conv(8 in 3.., 3)\nb = a -> conv(tied 4 * a.channels, 3) -> pixel_shuffle(2)\n"
        "c = b + (a -> resize(scale = 2, nearest))\noutput c -> conv(2, 1)"
    )
    assert {w.name: (w.low, w.high, w.tie) for w in found.widths if w.independent} == {
        "a.conv0": (3, 8, None), "output.conv0": (2, 2, None),
    }  # fmt: skip


def test_a_half_of_the_channels_for_pixel_shuffle() -> None:
    """The tie of what comes out is a half of a's width, which therefore stays even."""
    found = graph(
        "a = x -> conv(8 in 1.., 3)\nb = a -> conv(tied 2 * a.channels, 3) -> pixel_shuffle(2)\noutput b -> conv(2, 1)"
    )
    assert (found.width["a.conv0"].low, found.width["a.conv0"].step) == (2, 2)
    assert str(found.width["b.conv0.0"].tie) == "1/2 * a.conv0"


@pytest.mark.parametrize(
    ("statements", "code", "message"),
    [
        ("a = x -> conv(8, 3)\nb = a -> pixel_shuffle(2) -> avg_pool\n"
         "p, q, r, s = a -> split(4)\noutput concat(p, q, r, s, b)", "E304", "belong together"),
        ("a = x -> conv(9, 3)\np, q = a -> split(2)\noutput concat(p, q)", "E304", "9 channels into 2"),
        ("a = x -> conv(9, 3) -> pixel_shuffle(2)\noutput a", "E304", "groups of 4"),
        ("a = x -> conv(8, 3)\nb = x -> conv(6, 3)\noutput a + b", "E301", "8 and 6"),
        ("a = x -> conv(8, 3)\nb = x -> conv(tied 2 * x.channels + 2, 3)\n"
         "c = concat(x -> conv(4, 1), x -> conv(4, 1))\noutput b + c + a", "E304", "tied"),
    ],
)  # fmt: skip
def test_cuts_that_cannot_be_made(statements: str, code: str, message: str) -> None:
    error = errors(statements)[0]
    assert error.code == code
    assert message in error.message
    assert error.span is not None
