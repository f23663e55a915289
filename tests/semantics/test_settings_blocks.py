"""Settings blocks: errors at the key or value, in words of the spec."""

import pytest

from catdsl.project import load
from tests.semantics.checking import found_in, generator, under_caret

# A settings block, the code, what stands under the caret, a part of the message, a part of the help.
WRONG = [
    ("trian { lr = 1 }", "E501", "trian", "no settings block `trian`", "did you mean `train`?"),
    ("optimizer { lr = 1 }", "E501", "optimizer", "no settings block", "the blocks are style, search"),
    ("train { epoch = 1 }", "E502", "epoch", "`train` has no setting `epoch`", "did you mean `epochs`?"),
    ("train { x = 1 }", "E502", "x", "no setting", "it has system, gan, gan_weight"),
    ("train { lr = 1, lr = 2 }", "E203", "lr", "`lr` is set twice", ""),
    ('train { lr = "2e-4" }', "E503", '"2e-4"', "`lr` must be a number, got `2e-4`", ""),
    ("train { lr = true }", "E503", "true", "`lr` must be a number, got `true`", ""),
    ("train { lr = 25% }", "E503", "25%", "`lr` must be a number", ""),
    ("train { lr = 0 }", "E503", "0", "`lr` must be above 0", ""),
    ("train { lr = 3 }", "E503", "3", "`lr` must be at most 1", ""),
    ("train { lr = fast }", "E201", "fast", "`fast` is not defined", ""),
    ("train { epochs = 1.5 }", "E503", "1.5", "`epochs` must be a whole number", ""),
    ("train { epochs = -1 }", "E503", "-1", "`epochs` must be at least 0", ""),
    ("train { epochs = [1] }", "E503", "[1]", "`epochs` must be a whole number, got [1]", ""),
    ("train { betas = 0.5 }", "E503", "0.5", "`betas` must be a list", ""),
    ("train { betas = [0.5] }", "E503", "[0.5]", "`betas` must have more items", ""),
    ("train { betas = [0.5, 0.9, 1] }", "E503", "[0.5, 0.9, 1]", "at most 2 items", ""),
    ("train { betas = [0.5, 1] }", "E503", "[0.5, 1]", "`betas` must be below 1", ""),
    ("train { system = pixpix }", "E503", "pixpix", "`system` is one of pix2pix, cyclegan", "did you mean `pix2pix`?"),
    ("train { epochs = 0, decay_epochs = 0 }", "E503", "train", "nothing would be trained", ""),
    ("train { lr = conv(3, 3) }", "E202", "conv", "`conv` cannot be called here", ""),
    ("train { lr = x -> relu }", "E201", "x", "`x` is not defined", ""),
    ("data { flip = 1 }", "E503", "1", "`flip` must be true or false, got `1`", ""),
    ("data { load = 4 }", "E503", "4", "`load` must be at least 8", ""),
    ("data { load = [286, 286, 3] }", "E503", "[286, 286, 3]", "at most 2 items", ""),
    ("style { norm = layer }", "E503", "layer", "`norm` is one of instance, batch; got `layer`", ""),
    ("style { bias = maybe }", "E503", "maybe", "`bias` is one of auto, true, false", ""),
    ("style { init = normal() }", "E503", "normal()", "`normal` takes one number, its gain", "write normal(0.02)"),
    ("style { init = normal(1, 2) }", "E503", "normal(1, 2)", "takes one number", ""),
    ("style { init = normal(k for k in [1]) }", "E503", "normal(k for k in [1])", "takes one number", ""),
    ('style { init = normal("a") }', "E503", 'normal("a")', "takes one number", ""),
    ("style { init = normal(0) }", "E503", "normal(0)", "must be above 0", ""),
    ("style { init = uniform(1) }", "E503", "uniform", "`init` is one of normal, xavier, kaiming", ""),
    ("search { floor = 1.5 }", "E503", "1.5", "`floor` must be a whole number", ""),
    ("budget { macs = big }", "E201", "big", "`big` is not defined", ""),
    ('budget { macs = "big" }', "E503", '"big"', "`macs` must be an amount such as 2.6G, 400K or 25%", ""),
    ("budget { macs = 0% }", "E503", "0%", "`macs` must be above 0", ""),
    ("budget { macs = -1 }", "E503", "-1", "`macs` must be above 0", ""),
    ("budget { count = papr }", "E503", "papr", "`count` is one of exact, paper", "did you mean `paper`?"),
    ("distill { similarity = gka }", "E503", "distill", "`taps` names none", ""),
    ("distill { taps = [a, [a]] }", "E504", "[a]", "got a list of 1", ""),
    ("distill { taps = [a, a + a] }", "E504", "a + a", "got a tensor without a name", ""),
    ("distill { taps = [a, 3] }", "E504", "3", "got the number 3", ""),
    ("distill { taps = [a, a] }", "E504", "a", "`a` stands twice", ""),
    ("distill { taps = [a, b[3]] }", "E207", "3", "from 0 to 2, got 3", ""),
    ("distill { taps = [a, bb] }", "E201", "bb", "`bb` is not defined", "did you mean `b`?"),
    ("distill { taps = [gka] }", "E201", "gka", "`gka` is not defined", ""),
]


@pytest.mark.parametrize(("block", "code", "under", "message", "help_text"), WRONG, ids=[w[0] for w in WRONG])
def test_wrong_settings(block: str, code: str, under: str, message: str, help_text: str) -> None:
    text = generator("a = x -> conv(8, 3)\nb = a -> 3 * conv(8, 3)\noutput b -> conv(3, 1)", after=block + "\n")
    (found,) = found_in(text)
    assert (found.code, under_caret(text, found)) == (code, under)
    assert message in found.message
    assert help_text in found.help


def test_several_wrong_settings_are_several_errors() -> None:
    text = generator("output x -> conv(3, 1)", after="train { lr = 7, epochs = -1, batch = 0 }\nstyle { pad = 3 }\n")
    assert [d.code for d in found_in(text)] == ["E503"] * 4


def test_values_are_expressions() -> None:
    text = generator(
        "output x -> conv(3, 1)", "param n = 3\nparam kind = batch\nparam fast = true\n",
        "style { norm = kind }\ntrain { epochs = 2.5 * 4, batch = max(n, 2), lr = 1 / 1K }\n"
        "budget { macs = 25% if fast else 50% }\ndata { load = [n * 16, 64] }\n",
    )  # fmt: skip
    settings = load(text).settings
    assert (settings.style.norm, settings.train.epochs, settings.train.batch) == ("batch", 10, 3)
    assert (settings.train.lr, settings.budget.macs, settings.data.load) == (0.001, "25%", (48, 64))


def test_a_block_stands_once() -> None:
    text = generator("output x -> conv(3, 1)", after="train { lr = 1 }\ntrain { epochs = 1 }\n")
    (found,) = found_in(text)
    assert (found.code, found.span and found.span.line) == ("E203", 6)


def test_style_is_what_operators_do() -> None:
    style = "style { norm = batch, bias = false, pad = reflect, spectral = true }\n"
    graph = load(generator("output x -> conv(3, 3) -> norm -> pad(1) -> conv(3, 3, bias = true, pad = zero)", style))
    conv, norm, pad, last = graph.graph.nodes[1:]
    assert (conv.attrs["bias"], conv.attrs["pad"], conv.attrs["spectral"]) == (False, "reflect", True)
    assert (norm.op.name, pad.attrs["mode"]) == ("batch_norm", "reflect")
    assert (last.attrs["bias"], last.attrs["pad"]) == (True, "zero")
