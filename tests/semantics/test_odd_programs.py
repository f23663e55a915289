"""Programs that no one means: each ends in a diagnostic of its code, fast, and not in another exception."""

import pytest

from catdsl.diagnostics import CatError
from catdsl.project import load


def around(body: str, before: str = "", after: str = "") -> str:
    return f"{before}\ngenerator g {{\ninput photo: image(3, 16, 16)\n{body}\n}}\n{after}"


def repeated(line: str, count: int) -> str:
    return "\n".join(line.format(i=i, j=i + 1) for i in range(count))


NESTED = "\n".join(
    f"block b{i}(x) {{ return {'relu(' * 40}{f'b{i + 1}(x)' if i < 29 else 'x'}{')' * 40} }}" for i in range(30)
)
RIGHT = "output photo -> conv(3, 3)"
ODD = {
    "a circle of ties that a split leads into": (
        "E305",
        around(
            "a = photo -> conv(32, 3)\nb = a -> conv(tied a.channels, 3)\nl, r = b -> split(2)\n"
            "la, ra = a -> split(2)\noutput concat(l, la + r) -> conv(3, 3)"
        ),
    ),
    "a sum above all limits": ("E212", around("s = sum([1e18, 1e18])\noutput photo -> conv(s, 3)")),
    "a size that is no whole number": (
        "E212", around("s = min(photo.height, 0.5)\noutput photo -> conv(3, 3) -> resize(to = [s, s])"),
    ),
    "an init of another block": ("E202", around(RIGHT, "", "distill { init = normal(0.02) }")),
    "calls in blocks in calls": ("E103", NESTED + around("output b0(photo) -> conv(3, 3)")),
    "a size of very many operations": (
        "E103",
        around(f"s0 = photo.height\n{repeated('s{j} = s{i} + 0', 1500)}\n"
               "output photo -> conv(3, 3) -> resize(to = [s1500, s1500])"),
    ),
    "a size that doubles": (
        "E103",
        around(f"s0 = photo.height\n{repeated('s{j} = min(s{i}, s{i})', 40)}\n"
               "output photo -> conv(3, 3) -> resize(to = [s40, s40])"),
    ),
    "a list that doubles": (
        "E103", f"param a0 = [1, 2]\n{repeated('param a{j} = [a{i}, a{i}]', 40)}\n" + around(RIGHT),
    ),
    "an even transposed conv of stride 1": ("E307", around("output photo -> deconv(3, 4, stride = 1)")),
    "a named argument of concat": ("E204", around("output concat(photo, banana = photo) -> conv(3, 3)")),
    "a named argument of min": ("E204", around("output photo -> conv(min(apple = 4, pear = 5), 3)")),
    "a gain given twice": ("E203", around(RIGHT, "style { init_gain = 0.5, init = normal(0.02) }")),
    "a gain given twice, the other way": ("E203", around(RIGHT, "style { init = normal(0.02), init_gain = 0.5 }")),
    "a tensor divided by almost nothing": ("E212", around("output photo / 1e-320 -> conv(3, 3)")),
}  # fmt: skip


@pytest.mark.parametrize(("code", "text"), ODD.values(), ids=ODD)
def test_odd_programs_end_in_a_diagnostic(code: str, text: str) -> None:
    with pytest.raises(CatError) as found:
        _ = load(text).graph
    assert [d.code for d in found.value.diagnostics] == [code]


def test_each_network_has_its_own_mistakes() -> None:
    text = "generator a { input x: image(3, 8, 8) output x -> cnv(3, 3) }\n"
    with pytest.raises(CatError) as found:
        _ = load(text + text.replace("generator a", "discriminator d").replace("cnv", "relo")).graph
    assert ["`cnv`" in d.message for d in found.value.diagnostics] == [True, False]


def test_after_a_mistake_in_the_first_character_the_next_item_is_read() -> None:
    with pytest.raises(CatError) as found:
        _ = load("= 3\nparam = 3\n").graph
    assert [d.span.line for d in found.value.diagnostics if d.span] == [1, 2]


def test_a_text_that_ends_too_early_is_one_mistake() -> None:
    with pytest.raises(CatError) as found:
        _ = load("cat 1\nparam").graph
    assert len(found.value.diagnostics) == 1


@pytest.mark.parametrize(
    ("form", "count"), [("a.channels * 10%", 4), ("a.channels * 0.1", 4), ("a.channels / 2.5", 16)]
)
def test_decimals_are_exact(form: str, count: int) -> None:
    body = f"a = photo -> conv(40, 3)\nb = a -> conv(tied {form}, 3)\noutput b -> conv(3, 3)"
    assert load(around(body)).graph.counts["b.conv0"] == count


def test_whole_numbers_may_be_written_with_an_exponent() -> None:
    found = load(around("output photo -> 1e1 * relu -> conv(64 in 1e1.., 3) -> conv(3, 3)")).graph
    assert found.width["output.conv0"].low == 10


def test_words_of_all_settings_may_stand_in_parameters() -> None:
    project = load(around(RIGHT, "param k = hinge", "train { gan = k }"))
    assert project.settings.train.gan == "hinge"


def test_a_spec_cannot_steer_a_terminal() -> None:
    from catdsl.diagnostics.render import render_text

    with pytest.raises(CatError) as found:
        _ = load(around('output photo -> conv("\x1b[2Jhi", 3)')).graph
    assert "\x1b" not in render_text(found.value.diagnostics, found.value.sources)
