"""An export is done when it computes what the network does: at several sizes and batches, measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from catdsl.diagnostics import CatError, first_line
from catdsl.export.network import Network, random_inputs

BATCHES = (1, 2)
# Of the largest value that the network gives. Float32 sums in another order differ by some millionths;
# in half precision a sum of a thousand products is known to two or three digits.
TOLERANCE = 1e-4
HALF_TOLERANCE = 2e-2

Run = Callable[[Sequence[tuple[Tensor, ...]]], list[Tensor]]
"""The exported network on several inputs, one after the other."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far an export is from its network at most, as a share of the network's largest value."""

    sizes: tuple[tuple[int, int], ...]
    batches: tuple[int, ...]
    tolerance: float
    furthest: float


def check(network: Network, run: Run, sizes: Sequence[tuple[int, int]], *, what: str, tolerance: float) -> Agreement:
    """Compare an export with the network. Raises CatError E609 that says at which size, and how far they are apart."""
    cases = [(size, batch) for size in sizes for batch in BATCHES]
    inputs = [random_inputs(network.graph, size, batch=batch, seed=i) for i, (size, batch) in enumerate(cases)]
    with torch.no_grad():
        wanted = [network.module(*tensors) for tensors in inputs]
    _finite(wanted, cases)
    found = _ran(run, inputs, what)
    furthest = 0.0
    for (size, batch), a_BCHW, b_BCHW in zip(cases, wanted, found, strict=True):
        furthest = max(furthest, _compared(a_BCHW, b_BCHW, size, batch, what=what, tolerance=tolerance))
    return Agreement(tuple(sizes), BATCHES, tolerance, furthest)


def _ran(run: Run, inputs: Sequence[tuple[Tensor, ...]], what: str) -> list[Tensor]:
    try:
        return run(inputs)
    except CatError:
        raise
    except Exception as error:
        # Each of the runtimes has exceptions of its own, without a common base.
        raise _differs(f"{what} does not run: {first_line(error)}") from error


def _compared(
    a_BCHW: Tensor, b_BCHW: Tensor, size: tuple[int, int], batch: int, *, what: str, tolerance: float
) -> float:
    place = f"at {size[0]} x {size[1]}, batch {batch}"
    if a_BCHW.shape != b_BCHW.shape:
        shapes = f"{list(b_BCHW.shape)} instead of {list(a_BCHW.shape)}"
        raise _differs(f"{what} gives a tensor of another shape {place}: {shapes}")
    far = ((a_BCHW - b_BCHW).abs().max() / a_BCHW.abs().max().clamp(min=1e-6)).item()
    # So written, what is no number is refused as well.
    if not far <= tolerance:
        raise _differs(
            f"{what} computes something else than the network {place}: off by {far:.2g} of the largest value, "
            f"allowed are {tolerance:.0e}"
        )
    return float(far)


def _finite(wanted: Sequence[Tensor], cases: Sequence[tuple[tuple[int, int], int]]) -> None:
    for (size, batch), x_BCHW in zip(cases, wanted, strict=True):
        if not torch.isfinite(x_BCHW).all():
            raise CatError.one(
                "E609", f"the network itself gives values that are not finite at {size[0]} x {size[1]}, batch {batch}",
                help="its weights are damaged, or its training has failed",
            )  # fmt: skip


def _differs(message: str) -> CatError:
    return CatError.one(
        "E609", message, notes=("no file has been written",),
        help="export to another format, and please report this with the spec",
    )  # fmt: skip
