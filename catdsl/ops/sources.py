"""What comes from outside: images and label maps."""

from typing import Any

from catdsl.ir.op import REQUIRED, Absence, Arg, Kind, Op, Site
from catdsl.ir.shapes import ShapeCall
from catdsl.ir.types import TensorType


def _type(call: ShapeCall) -> TensorType:
    raise AssertionError("inputs are made by GraphBuilder.input")


def _build(site: Site) -> Any:
    raise AssertionError("an input is a placeholder")


INPUT = Op(
    name="input", summary="An image or a label map.", infer=_type, build=_build, absence=Absence.SOURCE,
    tensors=(0, 0), in_language=False,
)  # fmt: skip

_CHANNELS = Arg("channels", Kind.INT, REQUIRED, 1, 4096, summary="channels of the image")
_HEIGHT = Arg("height", Kind.INT, REQUIRED, 1, 16_384, summary="pixels, where costs are counted")
_WIDTH = Arg("width", Kind.INT, REQUIRED, 1, 16_384, summary="pixels, where costs are counted")

# The kinds of input, with their arguments: `input photo: image(3, 256, 256)`.
INPUT_KINDS: dict[str, tuple[Arg, ...]] = {
    "image": (_CHANNELS, _HEIGHT, _WIDTH),
    "labels": (
        Arg("classes", Kind.INT, REQUIRED, 1, 4096, summary="label classes, one-hot"),
        _HEIGHT,
        _WIDTH,
        Arg("edges", Kind.BOOL, False, keyword_only=True, summary="adds the instance-edge channel"),
    ),
}

ALL = (INPUT,)
