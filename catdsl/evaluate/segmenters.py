"""Segmenters: networks that say of each pixel of a photo what it shows, from a file or by name.

A file is an ONNX model (.onnx, with `catdsl[onnx]`), or a program: of torch.export (.pt2) or TorchScript
(.pt, .ts, .torchscript). It takes B x 3 x H x W and gives logits B x K x h x w (alone, first in a tuple,
or in a dictionary as `logits`, `out` or first), or a map of class indices, B x H x W of whole numbers.
Loading a program can run whatever its maker put in, so that it needs the user's word; a model is data.

`hf:NAME` is a model of the Hugging Face hub, with the preparation of images that it comes with; it needs
`catdsl[segmenters]`. Its code is that of the installed transformers: code that lies beside a model is not run.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from catdsl.backend.out_of_memory import of_memory
from catdsl.backend.torch_file import UNREADABLE
from catdsl.diagnostics import CatError
from catdsl.evaluate.exported import ANY, Exported, Span, open_exported
from catdsl.evaluate.onnx_segmenter import open_onnx
from catdsl.evaluate.torchvision_operators import import_torchvision
from catdsl.reading import Door, opened

Normalise = Literal["imagenet", "unit", "signed"]
"""How a segmenter takes images: in [0, 1] less mean and by deviation of ImageNet, in [0, 1], in [-1, 1]."""

# Of red, green and blue over ImageNet, as torchvision's networks take them.
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

_ONNX, _EXPORTED, _SCRIPTED = (".onnx",), (".pt2",), (".pt", ".ts", ".torchscript")
_HUB = "hf:"
_NAMES = ("logits", "out")
_SAFE = "torch.onnx.export(model.eval(), (images,), 'segmenter.onnx', dynamo=True, external_data=False)"
_HOW = (
    f"export it: {_SAFE}; or, with --trust-segmenter, "
    "torch.export.save(torch.export.export(model.eval(), (images,)), 'segmenter.pt2'), "
    "or torch.jit.trace(model.eval(), images).save('segmenter.pt')"
)


DOOR = Door("segmenter", "E605", "weights", help="check the path; a model of the hub is hf:NAME")


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """The class of each pixel, int64 on the processor, out of `of` classes; None where nobody says how many."""

    classes_BHW: Tensor
    of: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Segmenter:
    """`infer` takes B x 3 x H x W in [-1, 1], and gives logits or indices as a file does.

    `batch` is how many images it takes at once; `name` is for messages.
    """

    name: str
    infer: Callable[[Tensor], object]
    batch: Span = ANY

    def predict(self, image_BCHW: Tensor) -> Predicted:
        """The class of each pixel of images B x 3 (or 1, grey) x H x W in [-1, 1].

        Logits of another size are resized to the images, bilinearly, before the largest is taken. Raises
        CatError E605 for a result that is neither logits nor indices, E607 for images that it cannot take.
        """
        channels = image_BCHW.shape[1]
        if channels not in (1, 3):
            raise CatError.one("E607", f"segmenter {self.name} takes images of 3 channels, and these have {channels}")
        colour_BCHW = image_BCHW.float().clamp(-1, 1).expand(-1, 3, -1, -1)
        with torch.no_grad():
            parts = [self._predict(part) for part in colour_BCHW.split(self.batch.high or len(colour_BCHW))]
        return Predicted(torch.cat([part.classes_BHW for part in parts]), parts[0].of)

    def _predict(self, image_BCHW: Tensor) -> Predicted:
        missing = max(self.batch.low - len(image_BCHW), 0)
        filled_BCHW = torch.cat((image_BCHW, image_BCHW[-1:].expand(missing, -1, -1, -1)))
        try:
            given = self.infer(filled_BCHW)
        except (RuntimeError, AssertionError, ValueError) as error:
            if of_memory(error):
                raise
            raise CatError.one(
                "E607", f"segmenter {self.name} fails on images of {' x '.join(map(str, image_BCHW.shape))}",
                notes=(_last_line(error),), help="export it for images of this size, or for any size",
            ) from error  # fmt: skip
        found = _tensor(given)
        predicted = None
        if found is not None and len(found) == len(filled_BCHW):
            predicted = _classes(found[: len(image_BCHW)], image_BCHW.shape[2:], self.name)
        if predicted is None:
            kind = type(given).__name__ if found is None else f"{'x'.join(map(str, found.shape))} of {found.dtype}"
            raise CatError.one(
                "E605", f"segmenter {self.name} gives {kind} for {len(filled_BCHW)} images",
                help="let it give logits, batch x classes x height x width, or indices, batch x height x width",
            )  # fmt: skip
        return predicted


def load_segmenter(
    given: str, *, normalise: Normalise | None = None, device: str = "cpu", trust: bool = False
) -> Segmenter:
    """A segmenter from a file or from the Hugging Face hub (`hf:NAME`), on `device`; ONNX on the processor.

    `normalise` is for files, by default imagenet. Programs of torch are read only with `trust`: no file is
    unpickled, but a program is a program, and runs. Raises CatError E605 for files and names that cannot be
    used, E607 for a program that is not trusted, and without the extra that a model needs.
    """
    if given.startswith(_HUB):
        if normalise is not None:
            raise CatError.one(
                "E607", f"{given} comes with its own preparation of images, and normalise = {normalise} is another",
                help="leave it out",
            )  # fmt: skip
        return _of_hub(given, device)
    path = Path(given)
    exported, network = _from_file(path, device, trust=trust)
    return Segmenter(
        path.name,
        lambda image_BCHW: network(normalised(image_BCHW.to(device), normalise or "imagenet")),
        exported.batch if exported else ANY,
    )


def _from_file(path: Path, device: str, *, trust: bool) -> tuple[Exported | None, Callable[[Tensor], object]]:
    """What a file holds, and how it is called. Raises CatError E605, E607."""
    ending = path.suffix.lower()
    if ending not in (*_ONNX, *_EXPORTED, *_SCRIPTED):
        known = ", ".join((*_ONNX, *_EXPORTED, *_SCRIPTED))
        raise CatError.one("E605", f"{path} is no segmenter: its name ends in none of {known}", help=_HOW)
    # Missing, no regular file or too large: told of before anybody is asked to trust it.
    with opened(path, DOOR):
        pass
    if ending in _ONNX:
        model = open_onnx(path, DOOR)
        return model, model
    if not trust:
        raise CatError.one(
            "E607", f"{path} is a program of torch, and loading it can run any code that its maker has put in",
            notes=(f"an ONNX model runs none: {_SAFE}",),
            help="give the segmenter as .onnx, or add --trust-segmenter if you know who made the file",
        )  # fmt: skip
    if ending in _EXPORTED:
        program = open_exported(path, device, how=_HOW)
        return program, program
    return None, _scripted(path, device)


def normalised(image_BCHW: Tensor, normalise: Normalise) -> Tensor:
    """Images in [-1, 1] as a segmenter takes them."""
    if normalise == "signed":
        return image_BCHW
    unit = (image_BCHW + 1) / 2
    if normalise == "unit":
        return unit
    mean, deviation = (unit.new_tensor(values).view(3, 1, 1) for values in (_MEAN, _DEVIATION))
    return (unit - mean) / deviation


def _scripted(path: Path, device: str) -> Callable[[Tensor], object]:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"`torch\.jit\.\w+` is (deprecated|not supported)", DeprecationWarning)
            network = torch.jit.load(path, map_location=device)
    except UNREADABLE as error:
        if of_memory(error):
            raise
        raise CatError.one(
            "E605", f"{path} is no TorchScript file",
            notes=("what torch.save has written is not read: unpickling it could run any code",), help=_HOW,
        ) from None  # fmt: skip
    network.eval()
    return network


def _of_hub(given: str, device: str) -> Segmenter:
    # transformers loads torchvision wherever that is installed.
    import_torchvision()
    name = given.removeprefix(_HUB)
    try:
        from transformers import AutoImageProcessor, AutoModelForSemanticSegmentation

        processor = AutoImageProcessor.from_pretrained(name, trust_remote_code=False)
        network = AutoModelForSemanticSegmentation.from_pretrained(name, trust_remote_code=False)
    except ImportError as error:
        raise CatError.one(
            "E607", f"{given} needs transformers, which is not installed, or not wholly",
            notes=(_last_line(error),), help="pip install 'catdsl[segmenters]'",
        ) from None  # fmt: skip
    except (OSError, ValueError) as error:
        raise CatError.one(
            "E605", f"cannot load {given}", notes=(_last_line(error),),
            help="check the name and the network, or give a file: " + _HOW,
        ) from None  # fmt: skip
    network = network.to(device).eval()

    def infer(image_BCHW: Tensor) -> object:
        # As files come: 8 bits of each channel.
        pixels = ((image_BCHW + 1) * 127.5).round().to(torch.uint8).cpu()
        prepared = processor(images=list(pixels.numpy()), return_tensors="pt", input_data_format="channels_first")
        return network(pixel_values=prepared["pixel_values"].to(device)).logits

    return Segmenter(given, infer)


def _tensor(given: object) -> Tensor | None:
    """The logits or indices among what a network gives."""
    if isinstance(given, Mapping):
        named = next((name for name in _NAMES if name in given), next(iter(given), None))
        given = given[named] if named is not None else None
    elif isinstance(given, tuple | list):
        given = given[0] if given else None
    return given if isinstance(given, Tensor) and given.dim() else None


def _classes(found: Tensor, size: torch.Size, name: str) -> Predicted | None:
    """The classes of logits or of an index map; None for anything else."""
    if found.is_floating_point() and found.dim() == 4:
        if not found.isfinite().all():
            raise CatError.one("E605", f"segmenter {name} gives logits that are not finite numbers")
        # One by one: at full size, the logits of a batch can be gigabytes.
        return Predicted(torch.cat([_largest(logits_1Khw, size) for logits_1Khw in found.split(1)]), found.shape[1])
    if found.is_floating_point() or found.is_complex() or found.dtype == torch.bool:
        return None
    indices = found[:, 0] if found.dim() == 4 and found.shape[1] == 1 else found
    return Predicted(indices.long().cpu(), None) if indices.shape[1:] == size else None


def _largest(logits_1Khw: Tensor, size: torch.Size) -> Tensor:
    resized_1KHW = interpolate(logits_1Khw.float(), tuple(size), mode="bilinear", align_corners=False)
    return resized_1KHW.argmax(1).cpu()


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1].strip() if lines else type(error).__name__
