"""Normalisation. `norm` is the one that the style names."""

from functools import partial
from typing import TYPE_CHECKING

from catdsl.ir.code import Call, Slot, Writing, call, given
from catdsl.ir.offset import OffsetCall
from catdsl.ir.op import (
    Absence,
    Arg,
    Attrs,
    Axis,
    Example,
    Initial,
    Kind,
    Macs,
    Norm,
    Op,
    Site,
    Statistics,
    Weight,
)
from catdsl.ir.shapes import ShapeCall
from catdsl.ir.types import TensorType

if TYPE_CHECKING:
    import numpy as np

_AFFINE = Arg("affine", Kind.BOOL, True, keyword_only=True, summary="a learned scale and bias per channel")
_EPS = Arg("eps", Kind.NUMBER, 1e-5, 0, 1, keyword_only=True, summary="added to the variance")


def _tracked(default: bool) -> Arg:
    return Arg(
        "tracked", Kind.BOOL, default, keyword_only=True,
        summary="keeps running statistics, used in evaluation",
    )  # fmt: skip


def _type(call: ShapeCall) -> TensorType:
    return call.inputs[0]


def _weights(attrs: Attrs) -> tuple[Weight, ...]:
    per_channel = (Axis.OUT,)
    affine = (Weight("weight", per_channel, initial=Initial.SCALE), Weight("bias", per_channel))
    scale = affine if attrs["affine"] else ()
    if not attrs["tracked"]:
        return scale
    return (
        *scale,
        Weight("running_mean", per_channel, buffer=True),
        Weight("running_var", per_channel, buffer=True, initial=1.0),
        Weight("num_batches_tracked", (), buffer=True),
    )


def _macs(attrs: Attrs, source: TensorType, result: TensorType) -> Macs | None:
    # The published figures count one operation per element where statistics are taken anew.
    return None if attrs["tracked"] else Macs(0, result.height * result.width)


def _build(site: Site, *, kind: str) -> object:
    from torch import nn

    attrs = site.attrs
    if kind == "instance" and not attrs["tracked"]:
        # A group for each channel is the same function. PyTorch's instance norm calls its batch norm on
        # copies of the parameters for each image, which takes a CPU five to seven times as long.
        return nn.GroupNorm(site.out_channels, site.out_channels, eps=attrs["eps"], affine=attrs["affine"])
    module = {"instance": nn.InstanceNorm2d, "batch": nn.BatchNorm2d}[kind]
    return module(site.out_channels, eps=attrs["eps"], affine=attrs["affine"], track_running_stats=attrs["tracked"])


def _offset(call: OffsetCall) -> "np.ndarray":
    """Statistics taken anew cancel an offset, running ones let it pass; a scale of 0 leaves the bias alone."""
    attrs, x, present = call.attrs, call.offsets[0], call.present[0]
    zeros = call.kept * 0.0
    scale, bias = (call.weights["weight"], call.weights["bias"]) if attrs["affine"] else (zeros + 1, zeros)
    if attrs["tracked"]:
        deviation = (call.weights["running_var"] + attrs["eps"]).clip(0) ** 0.5
        # What is divided by 0 is no number.
        deviation[deviation == 0] = float("nan")
        slope = scale / deviation
        result = slope * x
        result[~present] += (bias - slope * call.weights["running_mean"])[~present]
    else:
        result = x * 0.0
        # A constant has a variance of 0, which an eps of 0 leaves to divide by.
        result[~present] += (bias if attrs["eps"] > 0 else call.unknown())[~present]
    fixed = ~present & (x != x) & (scale == 0)
    result[fixed] = bias[fixed]
    return result


_EXAMPLES = (
    Example(((4, 6, 5),), ""),
    Example(((4, 6, 5),), "affine = false"),
    Example(((4, 6, 5),), "tracked = true, eps = 0.001"),
    Example(((4, 6, 5),), "tracked = false"),
)


def _python(name: str, *, affine: bool, tracked: bool) -> Writing:
    """`affine` and `tracked` are the defaults of torch's module."""

    def module(site: Site) -> Call:
        attrs = site.attrs
        return call(
            name, Slot("channels", site.out_channels),
            **given(
                eps=(attrs["eps"], 1e-5), affine=(attrs["affine"], affine),
                track_running_stats=(attrs["tracked"], tracked),
            ),
        )  # fmt: skip

    return Writing(module, calls=(name,))


def _kind(attrs: Attrs, *, over: Statistics) -> Norm:
    return Norm(affine=attrs["affine"], tracked=attrs["tracked"], over=over)


def _norm(name: str, summary: str, *, kind: str, over: Statistics, tracked: bool, onnx: str, python: Writing) -> Op:
    return Op(
        name=name,
        summary=summary,
        args=(_AFFINE, _tracked(tracked), _EPS),
        infer=_type,
        weights=_weights,
        macs=_macs,
        build=partial(_build, kind=kind),
        absence=Absence.PASSES,
        offset=_offset,
        norm=partial(_kind, over=over),
        per_channel=True,
        examples=_EXAMPLES,
        onnx=onnx,
        python=python,
    )


INSTANCE_NORM = _norm(
    "instance_norm", "Normalises each channel of each image; affine, without running statistics.",
    kind="instance", over=Statistics.CHANNEL, tracked=False, onnx="InstanceNormalization",
    python=_python("nn.InstanceNorm2d", affine=False, tracked=False),
)  # fmt: skip

BATCH_NORM = _norm(
    "batch_norm", "Normalises each channel over the batch; affine, with running statistics.",
    kind="batch", over=Statistics.BATCH, tracked=True, onnx="BatchNormalization",
    python=_python("nn.BatchNorm2d", affine=True, tracked=True),
)  # fmt: skip

# What `norm` stands for, by the style's word.
BY_STYLE = {"instance": INSTANCE_NORM, "batch": BATCH_NORM}

ALL = (INSTANCE_NORM, BATCH_NORM)
