"""How each operator is written in Python: as a module, as an expression of its inputs, or as either."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from catdsl.export.source.code import Call, Halved, Slot, call, flat
from catdsl.ir.op import Attrs, Site
from catdsl.ir.size import SizeExpr
from catdsl.ops.conv import deconv_padding, padding, scatter_padding

Expression = Callable[[Site, Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class Writing:
    """`module(site)` is what is constructed; `expression(site, names)` what is computed of variables.

    What has weights has no expression.
    """

    module: Callable[[Site], Call] | None = None
    expression: Expression | None = None


def _conv(site: Site, *, groups: bool = False) -> Call:
    attrs, kernel = site.attrs, Slot("kernel", site.attrs["kernel"])
    inputs, outputs = Slot("inputs", site.in_channels), Slot("outputs", site.out_channels)
    named: dict[str, Any] = _given(stride=(attrs["stride"], 1))
    pad = padding(attrs)
    same = pad == attrs["kernel"] // 2 and attrs["dilation"] == 1
    named |= {"padding": Halved(kernel)} if same else _given(padding=(pad, 0))
    named |= _given(dilation=(attrs["dilation"], 1))
    if groups:
        named["groups"] = inputs
    named |= _given(padding_mode=({"zero": "zeros"}.get(attrs["pad"], attrs["pad"]), "zeros"))
    return call("nn.Conv2d", inputs, outputs, kernel, **named, **_given(bias=(attrs["bias"], True)))


def _deconv(site: Site) -> Call:
    pad, more = deconv_padding(site.attrs)
    return _transposed(site, stride=(site.attrs["stride"], 1), padding=(pad, 0), output_padding=(more, 0))


def _scatter_conv(site: Site) -> Call:
    return _transposed(site, padding=(scatter_padding(site.attrs), 0))


def _transposed(site: Site, **given: tuple[object, object]) -> Call:
    attrs = site.attrs
    return call(
        "nn.ConvTranspose2d", Slot("inputs", site.in_channels), Slot("outputs", site.out_channels),
        Slot("kernel", attrs["kernel"]), **_given(**given, bias=(attrs["bias"], True)),
    )  # fmt: skip


def _norm(name: str, *, affine: bool, tracked: bool) -> Writing:
    def module(site: Site) -> Call:
        attrs = site.attrs
        return call(
            name, Slot("channels", site.out_channels),
            **_given(
                eps=(attrs["eps"], 1e-5), affine=(attrs["affine"], affine),
                track_running_stats=(attrs["tracked"], tracked),
            ),
        )  # fmt: skip

    return Writing(module)


def _plain(module: str, function: str) -> Writing:
    """What takes no arguments."""
    return Writing(lambda site: call(module), lambda site, names: f"{function}({names[0]})")


def _pool(module: str, function: str, **more: Any) -> Writing:
    def arguments(site: Site) -> tuple[tuple[Any, ...], dict[str, Any]]:
        attrs = site.attrs
        stride = attrs["stride"] or attrs["kernel"]
        return (attrs["kernel"],), {**_given(stride=(stride, attrs["kernel"]), padding=(attrs["padding"], 0)), **more}

    def made(site: Site) -> Call:
        placed, named = arguments(site)
        return call(module, *placed, **named)

    def computed(site: Site, names: Sequence[str]) -> str:
        placed, named = arguments(site)
        text = flat(call("", *placed, **named))
        return f"{function}({names[0]}, {text[1:]}"

    return Writing(made, computed)


def _pad_expression(site: Site, names: Sequence[str]) -> str:
    amount, mode = site.attrs["amount"], site.attrs["mode"]
    more = "" if mode == "zero" else f', mode="{mode}"'
    return f"F.pad({names[0]}, {flat((amount,) * 4)}{more})"


def _split_expression(site: Site, names: Sequence[str]) -> str:
    start, stop = site.attrs["segments"]
    offsets = (0, *accumulate(site.inputs[0]))
    parts, index = site.attrs["parts"], site.attrs["index"]
    if offsets[start] * parts == index * site.in_channels and offsets[stop] * parts == (index + 1) * site.in_channels:
        return f"{names[0]}.chunk({parts}, dim=1)[{index}]"
    return f"{names[0]}[:, {offsets[start]}:{offsets[stop]}]"


def _arrange_expression(site: Site, names: Sequence[str]) -> str:
    """Channels in a new order, with zeros where a removed branch would have written."""
    x, offsets = names[0], (0, *accumulate(site.inputs[0]))
    pieces = [
        f"{x}[:, {offsets[source]}:{offsets[source + 1]}]" if source >= 0
        else f"{x}.new_zeros({x}.shape[0], {size}, *{x}.shape[2:])"
        for source, size in zip(site.attrs["sources"], site.output, strict=True)
    ]  # fmt: skip
    return f"torch.cat([{', '.join(pieces)}], dim=1)"


def _resize_expression(site: Site, names: Sequence[str]) -> str:
    attrs = site.attrs
    mode = ', mode="bilinear"' if attrs["mode"] == "bilinear" else ""
    if attrs["to"] is None:
        if _whole(attrs["scale"]):
            return f"F.interpolate({names[0]}, scale_factor={int(attrs['scale'])}{mode})"
        sides = [f"int({names[0]}.shape[{axis}] * {attrs['scale']!r})" for axis in (2, 3)]
        return f"F.interpolate({names[0]}, size=({sides[0]}, {sides[1]}){mode})"
    height, width = attrs["to"]
    if isinstance(height, tuple) and height[0] == "height" and width == ("width", height[1]):
        return f"F.interpolate({names[0]}, size={names[height[1]]}.shape[2:]{mode})"
    return f"F.interpolate({names[0]}, size=({_side(height, names)}, {_side(width, names)}){mode})"


def _resize_module(site: Site) -> Call:
    mode = _given(mode=(site.attrs["mode"], "nearest"))
    return call("nn.Upsample", scale_factor=int(site.attrs["scale"]), **mode)


def _side(expr: SizeExpr, names: Sequence[str]) -> str:
    """A size as a Python expression over the shapes of variables."""
    if not isinstance(expr, tuple):
        return repr(expr)
    head, *rest = expr
    if head in ("height", "width"):
        return f"{names[rest[0]]}.shape[{2 if head == 'height' else 3}]"
    left, right = (_side(part, names) for part in rest)
    if head in ("min", "max"):
        return f"{head}({left}, {right})"
    if head == "scaled":
        return f"int({left} * {right})"
    left, right = (f"({side})" if " " in side and not side.endswith(")") else side for side in (left, right))
    return f"{left} {head} {right}"


def _modulate_expression(site: Site, names: Sequence[str]) -> str:
    x, gamma, *beta = names
    return f"{x} * (1 + {gamma})" + (f" + {beta[0]}" if beta else "")


def _given(**values: tuple[Any, Any]) -> dict[str, Any]:
    """Arguments that are not as they are by default."""
    return {name: value for name, (value, default) in values.items() if value != default}


def _whole(scale: float | None) -> bool:
    return scale is not None and scale == int(scale)


_UPSAMPLE = Writing(_resize_module, _resize_expression)
_RESIZE = Writing(None, _resize_expression)
_PADS = {"zero": "nn.ZeroPad2d", "reflect": "nn.ReflectionPad2d", "replicate": "nn.ReplicationPad2d"}

WRITINGS: dict[str, Writing] = {
    "conv": Writing(_conv),
    "dwconv": Writing(lambda site: _conv(site, groups=True)),
    "deconv": Writing(_deconv),
    "scatter_conv": Writing(_scatter_conv),
    "instance_norm": _norm("nn.InstanceNorm2d", affine=False, tracked=False),
    "batch_norm": _norm("nn.BatchNorm2d", affine=True, tracked=True),
    "relu": _plain("nn.ReLU", "F.relu"),
    "leaky_relu": Writing(
        lambda site: call("nn.LeakyReLU", site.attrs["slope"]),
        lambda site, names: f"F.leaky_relu({names[0]}, {site.attrs['slope']!r})",
    ),
    "gelu": _plain("nn.GELU", "F.gelu"),
    "silu": _plain("nn.SiLU", "F.silu"),
    "tanh": _plain("nn.Tanh", "torch.tanh"),
    "sigmoid": _plain("nn.Sigmoid", "torch.sigmoid"),
    "clamp": Writing(None, lambda site, names: f"{names[0]}.clamp({site.attrs['low']!r}, {site.attrs['high']!r})"),
    "scale": Writing(None, lambda site, names: f"{site.attrs['factor']!r} * {names[0]}"),
    "dropout": Writing(lambda site: call("nn.Dropout", site.attrs["p"])),
    "resize": _RESIZE,
    "pixel_shuffle": Writing(
        lambda site: call("nn.PixelShuffle", site.attrs["factor"]),
        lambda site, names: f"F.pixel_shuffle({names[0]}, {site.attrs['factor']})",
    ),
    "avg_pool": _pool("nn.AvgPool2d", "F.avg_pool2d", count_include_pad=False),
    "max_pool": _pool("nn.MaxPool2d", "F.max_pool2d"),
    "pad": Writing(lambda site: call(_PADS[site.attrs["mode"]], site.attrs["amount"]), _pad_expression),
    "add": Writing(None, lambda site, names: " + ".join(names)),
    "mul": Writing(None, lambda site, names: " * ".join(names)),
    "concat": Writing(None, lambda site, names: f"torch.cat([{', '.join(names)}], dim=1)"),
    "modulate": Writing(None, _modulate_expression),
    "split": Writing(None, _split_expression),
    "arrange": Writing(None, _arrange_expression),
}  # fmt: skip


def writing(name: str, attrs: Attrs) -> Writing | None:
    """How an operator with these attributes is written; None where the table has no entry."""
    if name == "resize" and attrs["to"] is None and _whole(attrs["scale"]):
        return _UPSAMPLE
    return WRITINGS.get(name)
