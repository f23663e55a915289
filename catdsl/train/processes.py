"""The processes of a training, started and joined by Lightning Fabric: one, or several that share each batch.

Every process runs the same job; the first one alone writes and speaks. Gradients are averaged by
`collective` after each backward pass instead of by a wrapper around each network: a generator that is
called several times in a step, and a discriminator that is frozen in one phase and trained in the
other, are what such wrappers cannot do.
"""

import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import distributed as dist

from catdsl.diagnostics import CatError
from catdsl.semantics.settings import PrecisionName
from catdsl.train.collective import world

if TYPE_CHECKING:
    from lightning_fabric.plugins.precision.precision import Precision

# What gloo and NCCL say of a peer that is no longer there.
_LOST = re.compile(r"connection (closed|reset|refused)|broken pipe|remote (process|error)|peer", re.IGNORECASE)


def start(device: str, devices: int | None) -> str:
    """Start the other processes, where there are to be `devices` in all, and join them.

    Under torchrun the processes are there already, and their number is torchrun's. Returns the
    device of this process. Raises CatError E606 where they do not come together, E607
    where there are fewer devices.
    """
    torchrun = "TORCHELASTIC_RUN_ID" in os.environ
    here = int(os.environ["LOCAL_WORLD_SIZE"]) if torchrun else devices or 1
    if devices not in (None, here):
        raise CatError.one(
            "E607",
            f"torchrun started {here} processes here, and --devices asks for {devices}",
            help="leave out --devices",
        )
    nodes = int(os.environ["WORLD_SIZE"]) // here if torchrun else 1
    kind, _, index = device.partition(":")
    if here * nodes == 1:
        return device
    count = here
    if index or kind == "mps":
        raise CatError.one("E607", f"{count} processes cannot share {device}", help="use --device cpu or cuda")
    if kind == "cuda" and torch.cuda.device_count() < count:
        raise CatError.one(
            "E607", f"--devices {count} needs as many CUDA devices, and there are {torch.cuda.device_count()}"
        )
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    # What it tells while it starts is for those who start processes by hand.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Not what Fabric makes of its surroundings: inside a batch job it would start nothing.
        surroundings = TorchElasticEnvironment() if torchrun else LightningEnvironment()
        fabric = Fabric(accelerator=kind, devices=count, num_nodes=nodes, strategy="ddp", plugins=[surroundings])
        try:
            fabric.launch()
        except RuntimeError as error:
            # One of them was stopped, or has failed, while the others waited for it.
            raise CatError.one(
                "E606", "the processes of this training have not come together",
                notes=(str(error).strip().partition("\n")[0],), help="run the command again",
            ) from error  # fmt: skip
    assert world() == count * nodes
    return str(fabric.device)


@contextmanager
def leaving() -> Iterator[None]:
    """Take leave of the other processes afterwards. Raises CatError E606 where one of them has gone before."""
    try:
        yield
    except RuntimeError as error:
        if world() == 1 or not _LOST.search(str(error)):
            raise
        raise CatError.one(
            "E606",
            "another process of this training has gone",
            notes=(str(error).strip().splitlines()[0],),
            help="continue with --resume; where memory was short, lower `batch` or raise `accumulate`",
        ) from error
    finally:
        if dist.is_available() and dist.is_initialized():
            dist.destroy_process_group()


def precision_of(name: PrecisionName, device: str) -> "Precision":
    """Fabric's handling of a precision: autocasting, scaled losses, optimiser steps. Raises CatError E607."""
    from lightning_fabric.plugins.precision import MixedPrecision
    from lightning_fabric.plugins.precision.precision import Precision

    if name == "fp32":
        return Precision()
    kind = torch.device(device).type
    if name == "fp16" and kind != "cuda":
        raise CatError.one(
            "E607",
            f"precision = fp16 needs a CUDA device, and this is {kind}",
            help="set precision = bf16 or fp32 in train { }",
        )
    return MixedPrecision("bf16-mixed" if name == "bf16" else "16-mixed", kind)
