"""Functions of single elements: activations, clamping, scaling, dropout."""

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from catdsl.ir.code import Call, Slot, Writing, call
from catdsl.ir.offset import OffsetCall, unchanged
from catdsl.ir.op import REQUIRED, Absence, Arg, Attrs, Axis, Example, Kind, Op, Site, Weight
from catdsl.ir.shapes import ShapeCall
from catdsl.ir.types import TensorType

if TYPE_CHECKING:
    import numpy as np

Value = Callable[[Attrs, float], float]


def _type(call: ShapeCall) -> TensorType:
    return call.inputs[0]


def _relu(site: Site) -> Any:
    from torch.nn import functional as F

    return F.relu


def _leaky_relu(site: Site) -> Any:
    from torch.nn import functional as F

    slope = site.attrs["slope"]
    return F.leaky_relu, {"negative_slope": slope}


def _gelu(site: Site) -> Any:
    from torch.nn import functional as F

    return F.gelu


def _silu(site: Site) -> Any:
    from torch.nn import functional as F

    return F.silu


def _tanh(site: Site) -> Any:
    import torch

    return torch.tanh


def _sigmoid(site: Site) -> Any:
    import torch

    return torch.sigmoid


def _clamp(site: Site) -> Any:
    import torch

    return torch.clamp, {"min": site.attrs["low"], "max": site.attrs["high"]}


def _scale(site: Site) -> Any:
    import torch

    return torch.mul, {"other": site.attrs["factor"]}


def _dropout(site: Site) -> Any:
    from torch import nn

    return nn.Dropout(site.attrs["p"])


def _prelu(site: Site) -> Any:
    from torch import nn

    return nn.PReLU(1 if site.attrs["shared"] else site.out_channels, site.attrs["slope"])


def _prelu_weights(attrs: Attrs) -> tuple[Weight, ...]:
    axes, sizes = ((Axis.FIXED,), (1,)) if attrs["shared"] else ((Axis.OUT,), ())
    return (Weight("weight", axes, sizes, initial=attrs["slope"]),)


def _prelu_written(site: Site) -> Call:
    return call("nn.PReLU") if site.attrs["shared"] else call("nn.PReLU", Slot("channels", site.out_channels))


def _prelu_offset(call: OffsetCall) -> "np.ndarray":
    offset, result = call.offsets[0], call.unknown()
    gone = ~call.present[0]
    result[gone] = (offset * ((offset > 0) + (offset <= 0) * call.weights["weight"]))[gone]
    result[call.present[0] & (offset == 0)] = 0.0
    return result


def _clamp_type(call: ShapeCall) -> TensorType:
    if call.attrs["low"] > call.attrs["high"]:
        raise call.fail("E307", "`clamp` has a low end above its high end", help="swap the two numbers")
    return call.inputs[0]


def _elementwise(call: OffsetCall, *, value: Value) -> "np.ndarray":
    """A constant becomes the function's value there; of f(x + c) - f(x) nothing is known, unless c is 0."""
    result = call.unknown()
    for i, (offset, present) in enumerate(zip(call.offsets[0].tolist(), call.present[0].tolist(), strict=True)):
        if present and offset == 0:
            result[i] = 0.0
        elif not present and not math.isnan(offset):
            result[i] = value(call.attrs, offset)
    return result


def _scaled(call: OffsetCall) -> "np.ndarray":
    return call.offsets[0] * call.attrs["factor"]


def _logistic(x: float) -> float:
    # By tanh, since exp(-x) overflows.
    return (1 + math.tanh(x / 2)) / 2


def _plain(module: str, function: str) -> Writing:
    """What takes no arguments."""
    return Writing(lambda site: call(module), lambda site, names: f"{function}({names[0]})", calls=(module, function))


def _pointwise(
    name: str, summary: str, build: Callable[[Site], Any], *args: Arg, python: Writing | None = None,
    infer: Callable[[ShapeCall], TensorType] = _type, examples: tuple[str, ...] = ("",), onnx: str = "",
    value: Value | None = None, offset: "Callable[[OffsetCall], np.ndarray] | None" = None,
    view: bool = False, random: bool = False,
) -> Op:  # fmt: skip
    """An operator of single elements: `value` is the same function of one number, given the attributes.

    What is linear has an `offset` rule instead.
    """
    return Op(
        name=name, summary=summary, args=args, infer=infer, build=build, absence=Absence.PASSES, view=view,
        per_channel=True, random=random, python=python,
        examples=tuple(Example(((4, 5, 6),), e) for e in examples), onnx=onnx or name.title().replace("_", ""),
        offset=partial(_elementwise, value=value) if value else offset,
    )  # fmt: skip


RELU = _pointwise(
    "relu", "max(x, 0)", _relu, onnx="Relu", value=lambda attrs, x: max(x, 0.0), python=_plain("nn.ReLU", "F.relu")
)
LEAKY_RELU = _pointwise(
    "leaky_relu", "x where positive, slope * x elsewhere", _leaky_relu,
    Arg("slope", Kind.NUMBER, 0.2, 0, 1, summary="factor of negative values"),
    examples=("", "0.01"), onnx="LeakyRelu", value=lambda attrs, x: x if x > 0 else x * attrs["slope"],
    python=Writing(
        lambda site: call("nn.LeakyReLU", site.attrs["slope"]),
        lambda site, names: f"F.leaky_relu({names[0]}, {site.attrs['slope']!r})",
        calls=("nn.LeakyReLU", "F.leaky_relu"),
    ),
)  # fmt: skip
PRELU = Op(
    name="prelu", summary="x where positive, slope * x elsewhere, with learned slopes.",
    args=(
        Arg("shared", Kind.BOOL, False, keyword_only=True, summary="one slope for all channels"),
        Arg("slope", Kind.NUMBER, 0.25, -1, 1, keyword_only=True, summary="the slopes' initial value"),
    ),
    infer=_type, build=_prelu, weights=_prelu_weights, absence=Absence.PASSES, per_channel=True, offset=_prelu_offset,
    # Where training began is no part of what is computed.
    identity=lambda site: {"shared": site.attrs["shared"]},
    examples=(Example(((4, 5, 6),)), Example(((4, 5, 6),), "shared = true, slope = 0.1")), onnx="PRelu",
    python=Writing(_prelu_written, calls=("nn.PReLU",)),
)  # fmt: skip
GELU = _pointwise(
    "gelu",
    "Gaussian error linear unit",
    _gelu,
    value=lambda attrs, x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
    python=_plain("nn.GELU", "F.gelu"),
)
SILU = _pointwise(
    "silu",
    "x * sigmoid(x)",
    _silu,
    onnx="Sigmoid, Mul",
    value=lambda attrs, x: x * _logistic(x),
    python=_plain("nn.SiLU", "F.silu"),
)
TANH = _pointwise(
    "tanh",
    "Hyperbolic tangent, into [-1, 1]",
    _tanh,
    value=lambda attrs, x: math.tanh(x),
    python=_plain("nn.Tanh", "torch.tanh"),
)
SIGMOID = _pointwise(
    "sigmoid",
    "Logistic function, into [0, 1]",
    _sigmoid,
    value=lambda attrs, x: _logistic(x),
    python=_plain("nn.Sigmoid", "torch.sigmoid"),
)
CLAMP = _pointwise(
    "clamp", "Values cut off at both ends", _clamp,
    Arg("low", Kind.NUMBER, -1.0, summary="the least value"),
    Arg("high", Kind.NUMBER, 1.0, summary="the largest value"),
    infer=_clamp_type, examples=("", "-0.5, 0.5"), onnx="Clip",
    value=lambda attrs, x: min(max(x, attrs["low"]), attrs["high"]),
    python=Writing(
        None, lambda site, names: f"{names[0]}.clamp({site.attrs['low']!r}, {site.attrs['high']!r})", (".clamp",)
    ),
)  # fmt: skip
SCALE = _pointwise(
    "scale", "x times a number; written `x * 0.5` as well", _scale,
    Arg("factor", Kind.NUMBER, REQUIRED, summary="the number"), examples=("0.5", "-2"), onnx="Mul",
    offset=_scaled, python=Writing(None, lambda site, names: f"{site.attrs['factor']!r} * {names[0]}"),
)  # fmt: skip
DROPOUT = _pointwise(
    "dropout", "Zeroes elements at random while training", _dropout,
    Arg("p", Kind.NUMBER, 0.5, 0, 1, summary="share of elements zeroed"), examples=("", "0.3"), view=True,
    random=True,
    offset=unchanged, python=Writing(lambda site: call("nn.Dropout", site.attrs["p"]), calls=("nn.Dropout",)),
)  # fmt: skip

ALL = (RELU, LEAKY_RELU, PRELU, GELU, SILU, TANH, SIGMOID, CLAMP, SCALE, DROPOUT)
