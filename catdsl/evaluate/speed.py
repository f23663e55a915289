"""How fast networks are, and what memory they take: side by side in one process, in turn."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from catdsl.backend.timing import alternating_seconds
from catdsl.diagnostics import CatError
from catdsl.evaluate.memory import peak_bytes
from catdsl.semantics.settings import PrecisionName
from catdsl.train.modes import evaluating

_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """What a forward pass takes: milliseconds per image (median and quartiles), images per second, memory.

    `peak_bytes` is the most that one pass of the whole batch has allocated at once, without weights
    and input (see `memory`), or None where the device keeps no account. `size` is (height, width),
    `runs` the number of passes after the warm-up. `threads` are those of torch on the processor.
    """

    median_ms: float
    low_ms: float
    high_ms: float
    images_per_second: float
    peak_bytes: int | None
    batch: int
    size: tuple[int, int]
    threads: int
    precision: PrecisionName
    device: str
    runs: int


def measure_speed(
    networks: Mapping[str, nn.Module], *, channels: int, size: tuple[int, int], runs: int, batch: int = 1,
    precision: PrecisionName = "fp32", device: str = "cpu",
) -> dict[str, Speed]:  # fmt: skip
    """The speed of each network, which lies on `device`, in evaluation mode on the same noise, after a warm-up of 3.

    The networks take turns, pass by pass, so that a machine whose speed drifts treats them alike.
    bf16 and fp16 are torch's autocasting, with the casting of weights in each pass; fp32 is what
    torch does by default, which on recent GPUs rounds the factors of convolutions to TF32. Raises
    CatError E607 for a precision that the device has not.
    """
    check_precision(precision, device)
    x_BCHW = noise(batch, channels, size).to(device)
    calls = {name: forward_call(network, (x_BCHW,), precision) for name, network in networks.items()}
    with ExitStack() as modes:
        for network in networks.values():
            modes.enter_context(evaluating(network))
        seconds = alternating_seconds(calls, device, runs=runs)
        peaks = {name: peak_bytes(call, device) for name, call in calls.items()}
    return {
        name: summarised(times, peaks[name], batch=batch, size=size, precision=precision, device=device)
        for name, times in seconds.items()
    }


def noise(batch: int, channels: int, size: tuple[int, int]) -> Tensor:
    """Images B x C x H x W in [-1, 1] to time networks on, always the same."""
    # Noise and not zeros: with zeros a GPU takes less power, and runs faster than it would on images.
    return torch.rand(batch, channels, *size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def forward_call(
    network: Callable[..., object], images: Sequence[Tensor], precision: PrecisionName
) -> Callable[[], object]:
    """A pass of a network over images of its inputs, B x C x H x W each, in a precision."""
    kind = images[0].device.type

    def call() -> object:
        with nullcontext() if precision == "fp32" else torch.autocast(kind, _TYPES[precision]):
            return network(*images)

    return call


def summarised(
    seconds: Sequence[float], peak: int | None, *,
    batch: int, size: tuple[int, int], precision: PrecisionName, device: str,
) -> Speed:  # fmt: skip
    """The speed behind the times of passes over whole batches, with the threads that torch has now."""
    low, median, high = np.quantile(seconds, (0.25, 0.5, 0.75)).tolist()
    return Speed(
        median_ms=1000 * median / batch,
        low_ms=1000 * low / batch,
        high_ms=1000 * high / batch,
        images_per_second=batch / median,
        peak_bytes=peak,
        batch=batch,
        size=size,
        threads=torch.get_num_threads(),
        precision=precision,
        device=device,
        runs=len(seconds),
    )


def check_precision(precision: PrecisionName, device: str) -> None:
    """Refuse what a device has not. Raises CatError E607."""
    kind = torch.device(device).type
    if precision == "fp16" and kind == "cpu":
        raise CatError.one(
            "E607",
            "fp16 is not measured on a processor, whose operators do not all have it",
            help="measure bf16 or fp32, or give --device cuda",
        )
