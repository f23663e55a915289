"""The digest of a network: equal for two spellings of one network, another for every other network."""

import pytest

from catdsl.ir.identity import network_digest
from catdsl.project import load

BODY = """
generator g {
    input x: image(3, 32, 32)
    a = x -> conv(8, 3) -> norm -> relu
    b = a -> conv(8, 3) -> norm -> relu
    up = (a + b) -> resize(scale = 2, nearest) -> max_pool(2)
    c, d = up -> conv(8, 3) -> split(2)
    output modulate(c, d, d) -> conv(3, 1) -> tanh
}
"""


def digest(text: str, **overrides: object) -> str:
    return network_digest(load(text, overrides).graph)


SPELLINGS = {
    "white space and comments": BODY.replace("relu\n", "relu   # here\n\n\n"),
    "the generator's name": BODY.replace("generator g", "generator other"),
    "an input's name": BODY.replace("input x", "input photo").replace("= x ->", "= photo ->"),
    "the declared size": BODY.replace("32, 32", "64, 32"),
    "bounds of widths": BODY.replace("conv(8, 3) -> norm -> relu\n    b", "conv(8 in 2..8, 3) -> norm -> relu\n    b"),
    "defaults written out": "style { norm = instance, pad = zero }" + BODY,
    "padding as it comes out": BODY.replace("conv(8, 3) -> split", "conv(8, 3, padding = 1) -> split"),
    "the padding of no pixels": BODY.replace("conv(3, 1)", "conv(3, 1, pad = reflect)"),
    "a factor as a fraction": BODY.replace("scale = 2", "scale = 2.0"),
    "the stride of a pool": BODY.replace("max_pool(2)", "max_pool(2, stride = 2)"),
    "the order of a sum": BODY.replace("(a + b)", "(b + a)"),
    "a block": "block once(y) { return y -> norm -> relu }"
    + BODY.replace("b = a -> conv(8, 3) -> norm -> relu", "b = a -> conv(8, 3) -> once"),
    "parameters": "param n = 8" + BODY.replace("conv(8", "conv(n"),
    "settings": BODY + "search { floor = 2 } train { lr = 1e-3 }",
}

OTHERS = {
    "an operator": BODY.replace("-> tanh", "-> sigmoid"),
    "no operator": BODY.replace(" -> tanh", ""),
    "a kernel": BODY.replace("conv(8, 3) -> split", "conv(8, 5) -> split"),
    "a width": BODY.replace("conv(8, 3) -> split", "conv(10, 3) -> split"),
    "a mode of padding": BODY.replace("conv(8, 3) -> split", "conv(8, 3, pad = reflect) -> split"),
    "a dilation": BODY.replace("conv(8, 3) -> split", "conv(8, 3, dilation = 2) -> split"),
    "a kind of norm": BODY.replace("b = a -> conv(8, 3) -> norm", "b = a -> conv(8, 3) -> batch_norm"),
    "an edge": BODY.replace("(a + b)", "(a + a)").replace("modulate(c, d, d)", "modulate(c, d, d) + modulate(c, d, d)"),
    "the order of what does not commute": BODY.replace("modulate(c, d, d)", "modulate(d, c, c)"),
    "names under which weights are kept": BODY.replace("b = a", "e = a").replace("+ b", "+ e"),
    "channels of the input": BODY.replace("image(3, 32", "image(1, 32"),
    "a way to resize": BODY.replace("nearest", "bilinear"),
}  # fmt: skip


@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_two_spellings_of_one_network(spelled: str) -> None:
    assert spelled != BODY
    assert digest(spelled) == digest(BODY)


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_another_network(other: str) -> None:
    assert other != BODY
    assert digest(other) != digest(BODY)


def test_operators_without_weights_may_stand_in_any_statement() -> None:
    one = "generator g { input x: image(3, 8, 8) a = x -> conv(4, 3) -> norm -> relu output a -> conv(3, 3) }"
    other = "generator g { input x: image(3, 8, 8) a = x -> conv(4, 3) -> norm b = a -> relu output b -> conv(3, 3) }"
    assert digest(one) == digest(other)


def test_weights_that_change_places_are_another_network() -> None:
    """Of equal shapes, and under equal names: each would get the other's."""
    text = "generator g {{ input x: image(3, 8, 8) {0} = x -> conv(3, 3) {1} = {0} -> conv(3, 3) output {1} }}"
    assert digest(text.format("a", "b")) != digest(text.format("b", "a"))


def test_a_student_is_another_network_than_its_teacher_and_than_its_siblings() -> None:
    project = load("generator g { input x: image(3, 8, 8) a = x -> conv(8 in 2..8, 3) -> norm output a -> conv(3, 3) }")
    found = {network_digest(project.student_at({"a.conv0": count})) for count in (2, 4, 8)}
    assert len(found) == 3
    assert network_digest(project.graph) in found
