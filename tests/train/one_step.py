"""One step of a system, as the engine does it, in float32 and in one process."""

from lightning_fabric.plugins.precision.precision import Precision
from torch import Tensor

from catdsl.train.data.batches import Batch
from catdsl.train.stepping import train_step
from catdsl.train.systems.system import System


def one_step(
    system: System, batch: Batch, *, parts: int = 1, clip: float | None = None, seed: int = 0
) -> dict[str, Tensor]:
    return train_step(system, batch.split(parts), Precision(), clip=clip, seed=seed)
