"""A history of made-up images: discriminators are shown earlier ones, too.

Shrivastava et al., "Learning from Simulated and Unsupervised Images through Adversarial Training",
CVPR 2017, section 2.3, as CycleGAN has it (Zhu et al., ICCV 2017, section 4).
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from catdsl.train.collective import all_rows, rank, world
from catdsl.train.seeding import numbers_for


class ImagePool:
    """Up to `size` images. Until it is full every image is kept and given back as it is.

    Then, with a probability of 1/2 each, an image is exchanged for one that was kept. The decisions
    follow from the seed and the number of images seen, and all processes hold the pool of all their images.
    """

    def __init__(self, size: int, *, name: str, seed: int):
        self._size = size
        self._name = name
        self._seed = seed
        self._images: list[Tensor] = []
        self._seen = 0

    def query(self, image_BCHW: Tensor) -> Tensor:
        """As many images as are given, without gradients."""
        if self._size == 0:
            return image_BCHW.detach()
        fresh = all_rows(image_BCHW.detach())
        given = torch.stack([self._exchange(image) for image in fresh])
        return given.chunk(world())[rank()]

    def _exchange(self, image_CHW: Tensor) -> Tensor:
        self._seen += 1
        # A run may be continued with other crops; images of another size cannot be judged in one batch.
        self._images = [kept for kept in self._images if kept.shape == image_CHW.shape]
        if len(self._images) < self._size:
            self._images.append(image_CHW.clone())
            return image_CHW
        numbers = numbers_for(self._seed, "pool", self._name, self._seen)
        if numbers.random() < 0.5:
            return image_CHW
        place = int(numbers.integers(self._size))
        kept = self._images[place]
        self._images[place] = image_CHW.clone()
        return kept

    @property
    def state(self) -> Mapping[str, Tensor]:
        """All of it, for a checkpoint."""
        images = {"images": torch.stack(self._images)} if self._images else {}
        return {"seen": torch.tensor(self._seen), **images}

    def restore(self, state: Mapping[str, Tensor], device: str) -> None:
        self._seen = int(state["seen"])
        self._images = list(state["images"].to(device)) if "images" in state else []
