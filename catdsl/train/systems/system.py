"""What the engine needs to know of a system: its networks, one step, and pictures of where it stands."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor, nn
from torch.optim import Optimizer

from catdsl.train.data.batches import Batch


class System(ABC):
    """Networks that are trained together, from a start that the caller chose."""

    @property
    @abstractmethod
    def networks(self) -> Mapping[str, nn.Module]:
        """What is trained, and therefore stored, by name."""

    @property
    @abstractmethod
    def optimisers(self) -> Mapping[str, Optimizer]:
        """What trains them; every parameter group holds its full rate as `initial_lr`."""

    @abstractmethod
    def train_step(self, batch: Batch) -> Mapping[str, Tensor]:
        """Update all networks once, in training mode. Returns the losses by name, detached scalars."""

    @abstractmethod
    def sample(self, batch: Batch) -> Mapping[str, Tensor]:
        """Pictures for a grid, column name -> B x C x H x W in [-1, 1], in evaluation mode."""
