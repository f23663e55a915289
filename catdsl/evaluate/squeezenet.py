"""SqueezeNet 1.0 as a judge of images: small enough to come with a project, and to run without a GPU.

Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and < 0.5 MB model
size", 2016; the layers are those of its table 1. Weights are a file with torchvision's key names that
was trained as Caffe does: on BGR from 0 to 255 less the mean of ImageNet, at 227 x 227.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from catdsl.evaluate.network_weights import Wanted, fitting, read_tensors

SIZE = 227
FEATURES = 512
CLASSES = 1000
ZEBRA = 340
"""The class of zebras among ImageNet's thousand."""
_MEAN_BGR = (104.0, 117.0, 123.0)
# Activations grow with inputs from 0 to 255. Over 16, features of photographs have a mean square of
# about 1: then the constant in the kernel (x'y/d + 1)^3 counts, and float32 does for distances.
_SCALE = 16.0
_WANTED = Wanted(
    network="a SqueezeNet 1.0",
    give="give a state_dict with torchvision's key names (features.0.weight to classifier.1.bias), "
    "trained on BGR from 0 to 255",
)


class Fire(nn.Module):
    """A fire module (section 3.1): a 1x1 convolution, then 1x1 and 3x3 ones side by side."""

    def __init__(self, channels: int, squeezed: int, expanded: int):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        x = self.squeeze(x_BCHW).relu()
        return torch.cat((self.expand1x1(x).relu(), self.expand3x3(x).relu()), 1)


class SqueezeNet(nn.Module):
    """uint8 RGB B x 3 x H x W to features B x 512, the mean of the last fire module over 16, and scores B x 1000."""

    def __init__(self) -> None:
        super().__init__()

        def pool() -> nn.Module:
            return nn.MaxPool2d(3, 2, ceil_mode=True)

        self.features = nn.Sequential(
            nn.Conv2d(3, 96, 7, stride=2), nn.ReLU(), pool(),
            Fire(96, 16, 64), Fire(128, 16, 64), Fire(128, 32, 128), pool(),
            Fire(256, 32, 128), Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), pool(),
            Fire(FEATURES, 64, 256),
        )  # fmt: skip
        self.classifier = nn.Sequential(nn.Dropout(), nn.Conv2d(FEATURES, CLASSES, 1), nn.ReLU())

    def forward(self, image_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        assert image_BCHW.dtype == torch.uint8, "levels from 0 to 255 are wanted"
        image = interpolate(image_BCHW.float(), (SIZE, SIZE), mode="bicubic", align_corners=False, antialias=True)
        bgr = image.clamp(0, 255).flip(1) - image.new_tensor(_MEAN_BGR).view(1, 3, 1, 1)
        features = self.features(bgr)
        return features.mean((2, 3)) / _SCALE, self.classifier(features).mean((2, 3))


def load_squeezenet(path: Path) -> SqueezeNet:
    """The network with the weights of a file, on the CPU, for evaluation. Raises CatError E605."""
    tensors = read_tensors(path, _WANTED, source=str(path))
    with torch.device("meta"):
        network = SqueezeNet()
    with fitting(_WANTED, source=str(path)):
        network.load_state_dict({name: value.cpu().float() for name, value in tensors.items()}, assign=True)
    return network.eval().requires_grad_(False)
