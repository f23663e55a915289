"""What operators compute, beside torch called by hand; and the sizes that the language promises."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from catdsl.ops import ALL
from catdsl.project import load

CHANNELS, HEIGHT, WIDTH = 8, 9, 12

_VALUES: dict[str, Callable[[Tensor], Tensor]] = {
    "relu(x)": F.relu,
    "leaky_relu(x)": lambda x: F.leaky_relu(x, 0.2),
    "leaky_relu(x, 0.01)": lambda x: F.leaky_relu(x, 0.01),
    "prelu(x)": lambda x: F.prelu(x, torch.tensor([0.25])),
    "prelu(x, shared = true, slope = -0.5)": lambda x: F.prelu(x, torch.tensor([-0.5])),
    "global_pool(x)": lambda x: x.mean((2, 3), keepdim=True),
    "global_pool(x, max)": lambda x: x.amax((2, 3), keepdim=True),
    "gelu(x)": F.gelu,
    "silu(x)": F.silu,
    "tanh(x)": torch.tanh,
    "sigmoid(x)": torch.sigmoid,
    "clamp(x)": lambda x: x.clamp(-1, 1),
    "clamp(x, 0.1, 0.5)": lambda x: x.clamp(0.1, 0.5),
    "scale(x, -2)": lambda x: -2 * x,
    "x * 0.5": lambda x: x / 2,
    "x / 4": lambda x: x / 4,
    "dropout(x)": lambda x: x,
    "x + x * x": lambda x: x + x**2,
    "sum(x * k for k in [1, 2, 4])": lambda x: 7 * x,
    "concat(x, x * 2)": lambda x: torch.cat([x, 2 * x], 1),
    "concat(x -> split(2))": lambda x: x,
    "split(x, 4)[1]": lambda x: x[:, 2:4],
    "split(x, 4)[3] + split(x, 4)[0]": lambda x: x[:, 6:] + x[:, :2],
    "concat(x, x * 3) -> split(2) -> concat": lambda x: torch.cat([x, 3 * x], 1),
    "split(concat(x, x * 3), 2)[1]": lambda x: 3 * x,
    "pixel_shuffle(x)": lambda x: F.pixel_shuffle(x, 2),
    "modulate(x, x * 2, x * 3)": lambda x: x * (1 + 2 * x) + 3 * x,
    "resize(x, scale = 2)": lambda x: F.interpolate(x, scale_factor=2),
    "resize(x, to = [5, 7], bilinear)": lambda x: F.interpolate(x, (5, 7), mode="bilinear"),
    "resize(x, to = [5, 7], nearest)": lambda x: F.interpolate(x, (5, 7), mode="nearest"),
    "resize(x -> avg_pool, like = x)": lambda x: F.interpolate(F.avg_pool2d(x, 2), (HEIGHT, WIDTH)),
    "avg_pool(x)": lambda x: F.avg_pool2d(x, 2),
    "avg_pool(x, 3, stride = 1, padding = 1)": lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False),
    "max_pool(x, 3, stride = 2, padding = 1)": lambda x: F.max_pool2d(x, 3, 2, 1),
    "pad(x, 2)": lambda x: F.pad(x, (2,) * 4),
    "pad(x, 1, reflect)": lambda x: F.pad(x, (1,) * 4, mode="reflect"),
    "pad(x, 3, replicate)": lambda x: F.pad(x, (3,) * 4, mode="replicate"),
    "instance_norm(x, affine = false)": lambda x: F.instance_norm(x),
    "instance_norm(x, affine = false, eps = 0.5)": lambda x: F.instance_norm(x, eps=0.5),
    "batch_norm(x, affine = false)": lambda x: x / (1 + 1e-5) ** 0.5,
    "batch_norm(x, affine = false, tracked = false)": lambda x: F.batch_norm(x, None, None, training=True),
}


def _built(expression: str, style: str = "") -> nn.Module:
    text = f"generator g {{ input x: image({CHANNELS}, {HEIGHT}, {WIDTH})\noutput {expression} }}\n{style}"
    return load(text).teacher(seed=1).eval()


def _image() -> Tensor:
    return torch.randn(2, CHANNELS, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("expression", _VALUES)
def test_values(expression: str) -> None:
    torch.testing.assert_close(_built(expression)(_image()), _VALUES[expression](_image()))


def test_every_operator_without_weights_has_its_values_checked() -> None:
    named = {op.name for op in ALL if op.in_language} - {"conv", "dwconv", "deconv"}
    assert {name for name in named if not any(f"{name}(" in e or f"-> {name}" in e for e in _VALUES)} == set()


_PADS = {"zero": "constant", "reflect": "reflect", "replicate": "replicate"}


@pytest.mark.parametrize("pad", _PADS)
@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(1, 1, 1), (3, 1, 1), (5, 2, 1), (7, 1, 1), (3, 1, 2)])
def test_convs_pad_so_that_odd_kernels_keep_the_size(pad: str, kernel: int, stride: int, dilation: int) -> None:
    arguments = f"{kernel}, stride = {stride}, dilation = {dilation}, pad = {pad}"
    edge = dilation * (kernel - 1) // 2
    padded = F.pad(_image(), (edge,) * 4, mode=_PADS[pad])
    for call, groups in ((f"conv(5, {arguments})", 1), (f"dwconv({arguments})", CHANNELS)):
        module = _built(f"x -> {call}")
        weight, bias = module.state_dict().values()
        wanted = F.conv2d(padded, weight, bias, stride=stride, dilation=dilation, groups=groups)
        found = module(_image())
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
        assert found.shape[2:] == (-(-HEIGHT // stride), -(-WIDTH // stride))


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (4, 2), (2, 2), (7, 3), (5, 4), (3, 1)])
def test_deconvs_multiply_the_size_exactly(kernel: int, stride: int) -> None:
    """And they are the transpose of the conv that divides it."""
    module = _built(f"x -> deconv(5, {kernel}, stride = {stride}, bias = false)")
    found = module(_image())
    assert found.shape == (2, 5, HEIGHT * stride, WIDTH * stride)
    (weight,) = module.state_dict().values()
    pad = (kernel - stride + 1) // 2
    other = torch.randn(found.shape, generator=torch.Generator().manual_seed(1))
    back = F.conv2d(F.pad(other, (pad,) * 4), weight, stride=stride)[:, :, :HEIGHT, :WIDTH]
    torch.testing.assert_close((found * other).sum(), (_image() * back).sum(), rtol=1e-3, atol=1e-3)


def test_the_style_decides_what_is_not_said() -> None:
    module = _built("x -> conv(4, 3) -> norm", "style { norm = batch, pad = reflect, bias = true, spectral = true }")
    conv, norm = module.get_submodule("output.conv0"), module.get_submodule("output.norm0")
    assert isinstance(conv, nn.Conv2d)
    assert conv.padding_mode == "reflect"
    assert conv.bias is not None
    assert "parametrizations.weight.original" in conv.state_dict()
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.track_running_stats
    instance = _built("x -> norm").get_submodule("output.norm0")
    assert isinstance(instance, nn.GroupNorm)
    assert instance.num_groups == instance.num_channels


@pytest.mark.parametrize(
    ("text", "biased"),
    [
        ("x -> conv(4, 3) -> norm", False),
        ("(x -> conv(4, 3)) + (x -> conv(4, 1)) -> norm", False),
        ("x -> conv(4, 3) -> relu -> norm", True),
        ("x -> conv(4, 3) -> instance_norm", True),
        ("x -> conv(4, 3)", True),
        ("x -> conv(4, 3, bias = true) -> norm", True),
        ("x -> conv(4, 3) -> dwconv(3, bias = false) -> norm", True),
    ],
)
def test_bias_auto_leaves_out_what_a_batch_norm_swallows(text: str, biased: bool) -> None:
    module = _built(text, "style { norm = batch }")
    assert any(".conv" in name and name.endswith("bias") for name in module.state_dict()) == biased


def test_a_conv_with_two_readers_keeps_its_bias_unless_both_are_batch_norms() -> None:
    for reader, biased in (("norm", False), ("relu", True)):
        text = (
            f"generator g {{ input x: image(3, 8, 8)\na = x -> conv(4, 3)\n"
            f"output (a -> norm) + (a -> {reader}) }}\n"
            "style { norm = batch }"
        )
        assert ("a.conv0.bias" in load(text).teacher().state_dict()) == biased
