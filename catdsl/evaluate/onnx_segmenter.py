"""Segmenters as ONNX models: data for onnxruntime, which computes what they say and runs no code of theirs.

A model is read from its one file. Weights that lie in other files are refused, as the names of those come
from the model; operators that onnxruntime does not bring along are unknown to it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from catdsl.diagnostics import CatError, first_line
from catdsl.evaluate.exported import ANY, Exported, Span
from catdsl.reading import Door, read_bytes

_EXTERNAL = 1
"""TensorProto.EXTERNAL: where a tensor says that its values lie in another file."""
_TAKES = "export a network of one input, batch x 3 x height x width in float32"


def open_onnx(path: Path, door: Door) -> Exported:
    """Read a model. Raises CatError E607 without the extra, the door's error for what is no segmenter."""
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise CatError.one(
            "E607", f"{path.name} needs {error.name or 'onnxruntime'}, which is not installed",
            help="pip install 'catdsl[onnx]'",
        ) from None  # fmt: skip
    held = read_bytes(path, door)
    try:
        model = onnx.load_model_from_string(held)
        elsewhere = any(tensor.data_location == _EXTERNAL for tensor in _tensors(model))
    except Exception as error:
        # Of protobuf, by its implementation: one of several classes without a base of their own.
        raise door.refuse(path, f"is no ONNX model: {first_line(error)}") from None
    if elsewhere:
        raise door.refuse(path, "keeps weights in other files, which are not read")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 4
    # Of bytes it would else find out by itself whether they are of a form that onnx has not checked.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        session = onnxruntime.InferenceSession(held, options, providers=["CPUExecutionProvider"])
        given, names = session.get_inputs(), [output.name for output in session.get_outputs()]
        taken = [(value.name, value.type, value.shape) for value in given]
    except Exception as error:
        # So it is with onnxruntime.
        raise door.refuse(path, f"cannot be read by onnxruntime: {first_line(error)}") from None
    if len(taken) != 1 or taken[0][1] != "tensor(float)" or len(taken[0][2]) != 4:
        kinds = ", ".join(f"{kind} {shape}" for _, kind, shape in taken)
        raise CatError.one(door.code, f"{path} takes {kinds}, and images are batch x 3 x height x width", help=_TAKES)
    batch, channels, height, width = map(_span, taken[0][2])
    if 3 not in channels:
        raise CatError.one(door.code, f"{path} takes {channels} channels, and images have 3", help=_TAKES)
    return Exported(path.name, _Network(session, taken[0][0], names), batch, height, width)


class _Network:
    """What a model gives by the names of its outputs, for images on any device."""

    def __init__(self, session: Any, taken: str, names: Sequence[str]):
        self._session, self._taken, self._names = session, taken, names

    def __call__(self, image_BCHW: Tensor) -> object:
        try:
            made = self._session.run(None, {self._taken: np.ascontiguousarray(image_BCHW.cpu().numpy())})
        except Exception as error:
            # Exceptions of onnxruntime have no common base.
            raise RuntimeError(str(error)) from error
        numbers = {
            name: torch.from_numpy(value)
            for name, value in zip(self._names, made, strict=True)
            if isinstance(value, np.ndarray) and value.dtype.kind in "fiub"
        }
        return numbers if numbers else made


def _span(size: object) -> Span:
    """A size is a number, or a word for one that is free."""
    return Span(size, size) if isinstance(size, int) and size > 0 else ANY


def _tensors(message: Any) -> Iterator[Any]:
    """All tensors of a message of protobuf, those within branches and functions too."""
    from google.protobuf.message import Message  # type: ignore[import-untyped]

    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for inner in (value,) if isinstance(value, Message) else value:
            if field.message_type.name == "TensorProto":
                yield inner
            yield from _tensors(inner)
