"""ONNX in int8: onnxruntime's static quantiser, with the ranges of activations taken from images."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from catdsl.export.onnx_file import check_onnx, run_onnx

# Where the arithmetic is. Norms stay in float32, since their statistics do not bear rounding, and so
# do sums of branches, which would each be rounded once more.
QUANTISED = ("Conv", "ConvTranspose")


def quantise(model: Path, out: Path, images: Iterable[Tensor], facts: dict[str, str]) -> None:
    """Write a float32 model as one whose convolutions compute in int8 (QDQ form, a scale per channel of weights).

    `images` are inputs of a model that has one, B x C x H x W. Raises CatError E607.
    """
    check_onnx()
    import onnx
    from onnxruntime import quantization

    name = onnx.load(str(model), load_external_data=False).graph.input[0].name
    with _quiet():
        quantization.quantize_static(
            str(model), str(out), _reader(images, name), quant_format=quantization.QuantFormat.QDQ, per_channel=True,
            op_types_to_quantize=list(QUANTISED),
        )  # fmt: skip
    # The quantiser signs the file with its own name, and knows nothing of what was noted in it.
    made = onnx.load(str(out))
    made.producer_name = "catdsl"
    onnx.helper.set_model_props(made, {**facts, "catdsl.precision": "int8 convolutions, float32 otherwise"})
    onnx.save(made, str(out))


def run_batches(model: Path, batches: Iterable[Tensor]) -> Iterator[Tensor]:
    """The outputs of a model with one input, batch by batch."""
    yield from run_onnx(model, [(batch,) for batch in batches])


def _reader(images: Iterable[Tensor], name: str) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        """Hands out one input after the other, as onnxruntime asks for them."""

        def __init__(self) -> None:
            self.rest = ({name: np.ascontiguousarray(image.numpy())} for image in images)

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self.rest, None)

    return Reader()


@contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser recommends preparations that the exporter has made already."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
