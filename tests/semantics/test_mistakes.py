"""Mistakes that people make: each gets its code, the caret under the very token, the cause and what to write."""

import pytest

from tests.semantics.checking import found_in, generator, under_caret

# Statements of a generator with input x, the code, what stands under the caret, parts of message and help.
STATEMENTS = [
    ("output x -> conv(ngff, 3)", "E201", "ngff", "`ngff` is not defined", "did you mean `ngf`?"),
    ("output x -> conv(3, 3, bias = False)", "E201", "False", "`False` is not defined", "write `false`"),
    ("output x -> conv(3, 3, pad = zeros)", "E201", "zeros", "is not defined", "did you mean `zero`?"),
    ("output x -> resize(scale = 2, bicubic)", "E201", "bicubic", "is not defined", "bilinear, nearest"),
    ("a = relu\noutput a", "E201", "relu", "`relu` is not defined", "`relu` is an operator: apply it, `x -> relu`"),
    ("output x -> conv(x.channel, 3)", "E201", "channel", "no `.channel`", "did you mean `channels`?"),
    ("output x -> conv(x.shape, 3)", "E201", "shape", "no `.shape`", "it has channels, height, width"),
    ("output x -> Conv2d(3, 3)", "E202", "Conv2d", "no operator or block", "did you mean `conv`?"),
    ("output x -> ConvTranspose2d(3, 3)", "E202", "ConvTranspose2d", "no operator", "did you mean `deconv`?"),
    ("output x -> upsample(2)", "E202", "upsample", "no operator or block", "did you mean `resize`?"),
    ("output x -> Relu", "E202", "Relu", "no operator or block", "did you mean `relu`?"),
    ("output x -> inc_res", "E202", "inc_res", "no operator or block", "take it with `use`"),
    ("k = 3\noutput x -> k", "E202", "k", "`k` is the number 3, not a block", ""),
    ("input x: image(3, 8, 8)\noutput x", "E203", "x", "`x` is defined twice", "another name"),
    ("a = x\na = a -> relu\noutput a", "E203", "a", "`a` is defined twice", "another name"),
    ("output x\noutput x", "E203", "output x", "a network has one output", "remove one"),
    ("output x -> conv(3, 3, 2)", "E204", "2", "no further argument by place", "stride = ..."),
    ("output x -> conv(3, 3, strid = 2)", "E204", "strid = 2", "no argument `strid`", "did you mean `stride`?"),
    ("output x -> conv(3, 3, kernel = 3)", "E204", "kernel = 3", "`kernel` is given twice", "remove one"),
    ("output x -> relu(3)", "E204", "3", "no further argument", "write `relu` alone"),
    ("output x -> resize(2, nearest)", "E204", "2", "no further argument by place", "scale = ..."),
    ("output x -> resize(scale = 2, to = [3, 4])", "E204", "resize", "exactly one of scale", "for example"),
    ("output x -> f(kernel = 3)", "E204", "kernel = 3", "block `f` takes no argument `kernel`", "it takes (x, k)"),
    ("output x -> f(3, 4)", "E204", "4", "block `f` takes no further argument", "it takes (x, k)"),
    ("output x -> f", "E205", "f", "block `f` needs its argument `k`", ""),
    ("output x -> conv(3)", "E205", "conv", "`conv` needs its argument `kernel`", "write conv(width, kernel"),
    ("output conv(3, 3)", "E205", "conv", "`conv` needs a tensor, got the number 3", "write `x -> conv(...)`"),
    ("output norm()", "E205", "norm", "`norm` needs a tensor, got nothing", "write `x -> norm(...)`"),
    ("output x -> resize", "E205", "resize", "exactly one of scale", "for example"),
    ("output modulate(x, x)", "E205", "modulate", "needs 3 tensors, got 2", "gamma"),
    ("a = x", "E205", "g", "generator `g` has no output", "end it with `output name`"),
    ('output x -> conv("3", 3)', "E207", '"3"', 'takes a whole number or a width form', "write 3 without quotes"),
    ("output x -> conv(x, 3)", "E207", "x", "got a tensor", "`x.channels`"),
    ("output x -> conv(3, 1.5)", "E207", "1.5", "`kernel` of `conv` takes a whole number, got the number 1.5", ""),
    ('output x -> conv(3, 3, pad = "zero")', "E207", 'pad = "zero"', "one of zero, reflect", "zero without quotes"),
    ("output x -> conv(3, 3, pad = 1)", "E207", "pad = 1", "one of zero, reflect, replicate, got the number 1", ""),
    ("output x -> conv(3, 3) + x", "E207", "conv(3, 3) + x", "after `->`", "write `(x -> conv(...)) +"),
    ("output x -> relu * 3", "E207", "relu * 3", "after `->`", "`x -> 3 * block` to repeat"),
    ("output x -> 3", "E207", "3", "after `->` stands an operator or a block", "for example"),
    ("output x - x", "E207", "x - x", "`-` does not take a tensor and a tensor", "write `a + b * -1`"),
    ("output x + 1", "E207", "x + 1", "`+` does not take a tensor and the number 1", "tensors take +, *"),
    ("output x if 1 else x", "E207", "1", "a condition is true or false, got the number 1", ""),
    ("output 3", "E207", "3", "an output is a tensor, got the number 3", ""),
    ("output f", "E207", "f", "an output is a tensor, got a block", ""),
    ("a = x -> relu\noutput a[0]", "E207", "a[0]", "only lists and repeated statements", "indexable where it repeats"),
    ("a = x -> 3 * relu\noutput a[3]", "E207", "3", "a whole number from 0 to 2, got 3", ""),
    ("a = x -> 0 * relu\noutput a[0]", "E207", "0", "there is nothing to index", ""),
    ("k = 3\noutput x -> conv(k.channels, 3)", "E207", "k.channels", "only tensors have `.channels`", ""),
    ("output sum(x -> conv(3, k) for k in 3)", "E207", "3", "`for` takes a list, got the number 3", ""),
    ("output sum([x, 3])", "E207", "sum([x, 3])", "takes tensors or numbers, got both", ""),
    ("a, b, c = x -> conv(4, 3) -> split(2)\noutput a", "E207", "a, b, c", "3 names need as many values", ""),
    ("output x -> resize(to = 64)", "E207", "to = 64", "two sizes [height, width]", ""),
    ("output x -> conv(8 / 0, 3)", "E212", "/", "division by 0", ""),
    ("output x -> relu if x < 3 else x", "E212", "<", "only numbers can be ordered, got a tensor", ""),
    ("a = x -> conv(8, 3)\nb = x -> conv(9, 3)\noutput a + b", "E301", "a + b", "got 8 and 9", "conv(8, 1) on `b`"),
    ("output sum(x -> conv(k, 3) for k in [8, 9])", "E301", "sum(x -> conv(k, 3) for k in [8, 9])", "got 8 and 9", ""),
    ("output x + (x -> conv(3, 3, stride = 2))", "E302", "x + (x -> conv(3, 3, stride = 2))", "32 x 32 and", "resize"),
    ("output x + (x -> conv(3, 4))", "E302", "x + (x -> conv(3, 4))", "32 x 32 and 31 x 31", "resize(like = x)"),
    ("a, b = x -> conv(9, 3) -> split(2)\noutput a + b", "E304", "split", "9 channels into 2", "multiple of 2"),
    ("output x -> conv(9, 3) -> pixel_shuffle(2)", "E304", "pixel_shuffle", "groups of 4, got 9", "conv(4 * n, 3)"),
    ("output x -> conv(3, 99, pad = reflect)", "E306", "conv", "cannot pad an image of 32 x 32 by 49", "pad = zero"),
    ("output x -> max_pool(64)", "E306", "max_pool", "an empty image (0 x 0) from 32 x 32", "larger input"),
    ("output x -> conv(3, 0)", "E307", "0", "`kernel` of `conv` must be between 1 and 127, got 0", ""),
    ("output x -> deconv(3, 1, stride = 2)", "E307", "deconv", "needs a kernel of at least 2", "write deconv(..., 3"),
    ("output x -> clamp(1, 0)", "E307", "clamp", "a low end above its high end", "swap"),
    ("output x -> conv(0, 3)", "E308", "conv", "the output is absent", ""),
    ("output x -> split(1000)", "E103", "split", "into 1,000 parts is more than 128, the limit", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code", "under", "message", "help_text"), STATEMENTS, ids=[s[0].replace("\n", "; ") for s in STATEMENTS]
)
def test_statements(body: str, code: str, under: str, message: str, help_text: str) -> None:
    text = generator(body, "param ngf = 3\nblock f(x, k) { return x -> conv(ngf, k) }\n")
    (found,) = [d for d in found_in(text) if d.code != "E208"]
    assert (found.code, under_caret(text, found)) == (code, under)
    assert message in found.message
    assert help_text in found.help


GENERATOR = "generator g { input x: image(3, 32, 32) output x }\n"
FILES = [
    ("block f(x) { return x -> f }\n" + GENERATOR.replace("t x }", "t x -> f }"), "E206", "f", "f -> f", "n * block"),
    (
        "block f(x) { return x -> h }\nblock h(x) { return x -> f }\n" + GENERATOR.replace("t x }", "t x -> f }"),
        "E206", "f", "f -> h -> f", "n * block",
    ),
    ("block relu(x) { return x }\n" + GENERATOR, "E203", "relu", "is an operator", "my_relu"),
    ("block f(x) { return x }\n" * 2 + GENERATOR, "E203", "f", "`f` is defined twice", "another name"),
    ("block f(x) { y = x }\n" + GENERATOR, "E205", "f", "block `f` returns nothing", "return ..."),
    ("param a = b\nparam b = 1\n" + GENERATOR, "E201", "b", "`b` is not defined", ""),
    ("param a = 1\nparam a = 2\n" + GENERATOR, "E203", "a", "`a` is defined twice", "another name"),
    ("param a = 1\n", "E211", "p", "the file holds no generator", "write `generator name"),
    ("", "E211", "", "the file holds no generator", "write `generator name"),
    (GENERATOR + GENERATOR, "E211", "g", "the file holds 2 networks of kind generator", "keep one"),
    (GENERATOR.replace("image", "picture"), "E202", "picture", "no input of kind `picture`", "image, labels"),
    (GENERATOR.replace("3, 32, 32", "3, 32"), "E205", "image", "needs its argument `width`", "image(channels, height"),
    (GENERATOR.replace("3, 32", "1, 3, 32"), "E204", "32", "no further argument", "image(channels, height"),
    (GENERATOR.replace("3, 32, 32", "3, 99999, 3"), "E307", "99999", "between 1 and 16384", ""),
    ("generator g { output x }", "E201", "x", "`x` is not defined", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "under", "message", "help_text"), FILES, ids=[f[0] for f in FILES])
def test_files(text: str, code: str, under: str, message: str, help_text: str) -> None:
    (found,) = [d for d in found_in("#{}\n" + text) if d.code != "E208"]
    assert found.code == code
    assert found.code == "E211" or under_caret("#{}\n" + text, found) == under
    assert message in found.message
    assert help_text in found.help
