"""SqueezeNet 1.0 (Iandola et al., 2016) as a judge of images: features, classes, and a kernel distance.

The weights are a file with torchvision's key names; inputs are BGR from 0 to 255 less the mean of
ImageNet, 227 x 227.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

SIZE = 227
MEAN_BGR = (104.0, 117.0, 123.0)
ZEBRA = 340


class Fire(nn.Module):
    def __init__(self, channels: int, squeezed: int, expanded: int):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        x = self.squeeze(x_BCHW).relu()
        return torch.cat((self.expand1x1(x).relu(), self.expand3x3(x).relu()), 1)


class SqueezeNet(nn.Module):
    """B x 3 x H x W in [-1, 1] to (features B x 512, logits B x 1000)."""

    def __init__(self) -> None:
        super().__init__()

        def pool() -> nn.Module:
            return nn.MaxPool2d(3, 2, ceil_mode=True)

        self.features = nn.Sequential(
            nn.Conv2d(3, 96, 7, stride=2), nn.ReLU(), pool(),
            Fire(96, 16, 64), Fire(128, 16, 64), Fire(128, 32, 128), pool(),
            Fire(256, 32, 128), Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), pool(),
            Fire(512, 64, 256),
        )  # fmt: skip
        self.classifier = nn.Sequential(nn.Dropout(), nn.Conv2d(512, 1000, 1), nn.ReLU())

    def forward(self, image_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        image = interpolate(image_BCHW, (SIZE, SIZE), mode="bicubic", align_corners=False, antialias=True)
        bgr = (image.clamp(-1, 1).flip(1) + 1) * 127.5 - torch.tensor(MEAN_BGR).view(1, 3, 1, 1)
        features = self.features(bgr)
        return features.mean((2, 3)), self.classifier(features).mean((2, 3))


def load_squeezenet(path: Path) -> SqueezeNet:
    network = SqueezeNet().eval()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network


def kernel_distance(x_ND: Tensor, y_MD: Tensor) -> float:
    """The unbiased squared MMD with the kernel (x'y/d + 1)^3 (Binkowski et al., ICLR 2018, section 4)."""
    x, y = x_ND.double(), y_MD.double()

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T / a.shape[1] + 1) ** 3

    def within(a: Tensor) -> Tensor:
        all_pairs = kernel(a, a)
        return (all_pairs.sum() - all_pairs.trace()) / (len(a) * (len(a) - 1))

    return float(within(x) + within(y) - 2 * kernel(x, y).mean())
