"""The perceptual loss: differences of images in the features of a VGG-19 that classifies ImageNet.

Johnson et al., "Perceptual Losses for Real-Time Style Transfer", ECCV 2016; layers and weights are
those of Wang et al., "High-Resolution Image Synthesis with Conditional GANs", CVPR 2018, section 3.3.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from catdsl.backend.torch_file import load_torch_file
from catdsl.reading import Door

# Convolutions 3 x 3 of VGG-19 up to relu5_1 (Simonyan and Zisserman, 2015, table 1, column E), a
# pooling between groups; a group's first activation is compared.
_GROUPS = ((64, 64), (128, 128), (256, 256, 256, 256), (512, 512, 512, 512), (512,))
_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)

_DOOR = Door(
    "weights file", "E605", "weights",
    "give torchvision's weights of VGG-19 with --vgg FILE (a state_dict, features.0.weight to features.28.bias)",
)  # fmt: skip
_PROBLEM = "does not hold the weights of a VGG-19"


class Perceptual(nn.Module):
    """The weighted sum of L1 distances after relu1_1, relu2_1, relu3_1, relu4_1 and relu5_1.

    Images are B x 3 x H x W in [-1, 1], H and W at least 16; one channel stands for three. No
    gradient flows to the network's own weights, nor to the true image.
    """

    def __init__(self) -> None:
        super().__init__()
        channels = 3
        self.features = nn.ModuleDict()
        self._compared: list[str] = []
        place = 0
        for group in _GROUPS:
            for index, width in enumerate(group):
                self.features[str(place)] = nn.Conv2d(channels, width, 3, padding=1)
                if index == 0:
                    self._compared.append(str(place))
                # An activation has a place of its own in the published weights, as has a pooling.
                channels, place = width, place + 2
            place += 1
        self.requires_grad_(False)

    def forward(self, made_BCHW: Tensor, true_BCHW: Tensor) -> Tensor:
        with torch.no_grad():
            true = self.compared(true_BCHW)
        made = self.compared(made_BCHW)
        terms = [weight * l1_loss(m, t) for weight, m, t in zip(_WEIGHTS, made, true, strict=True)]
        return torch.stack(terms).sum()

    def compared(self, image_BCHW: Tensor) -> list[Tensor]:
        """The activations that are compared, from the first to the last."""
        mean, deviation = (image_BCHW.new_tensor(v).view(1, 3, 1, 1) for v in (_MEAN, _DEVIATION))
        x = ((image_BCHW + 1) / 2 - mean) / deviation
        found: list[Tensor] = []
        for place, conv in self.features.items():
            if place in self._compared and found:
                x = nn.functional.max_pool2d(x, 2)
            x = nn.functional.relu(conv(x))
            if place in self._compared:
                found.append(x)
        return found


def load_perceptual(path: Path) -> Perceptual:
    """The loss with weights from a file of torchvision's VGG-19 (`features.0.weight` and on).

    Raises CatError E605 for any other file.
    """
    network = Perceptual()
    found = load_torch_file(path, _DOOR, problem=_PROBLEM)
    try:
        network.load_state_dict({name: found[name] for name in network.state_dict()})
    except (RuntimeError, LookupError, TypeError, AttributeError) as error:
        raise _DOOR.refuse(path, _PROBLEM) from error
    return network
