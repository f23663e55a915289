"""`.pt2`: a torch.export program that loads with torch alone."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from catdsl.export.network import Network
from catdsl.export.tracing import traced


def write_program(network: Network, path: Path, *, half: bool) -> None:
    """Write the program, with what is known of the network in its file `facts/NAME`. Raises CatError E610."""
    torch.export.save(traced(network, half=half), str(path), extra_files=dict(network.facts))


def run_program(path: Path, inputs: Sequence[tuple[Tensor, ...]]) -> list[Tensor]:
    """The outputs of a program that is loaded from its file."""
    module = torch.export.load(str(path)).module()
    with torch.no_grad():
        return [module(*tensors) for tensors in inputs]
