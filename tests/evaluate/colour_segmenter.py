"""A segmenter that knows labels by their colours, and a painter that gives labels those colours."""

import torch
from torch import Tensor, nn

# Of labels 0 to 3, in [0, 1].
COLOURS = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 1.0))


class ColourSegmenter(nn.Module):
    """Logits from images in [0, 1]: minus the squared distance to each colour. `stride` leaves pixels out."""

    def __init__(self, *, classes: int = 4, stride: int = 1):
        super().__init__()
        self.register_buffer("colours_KC", torch.tensor(COLOURS[:classes]))
        self.stride = stride

    def forward(self, x_BCHW: Tensor) -> Tensor:
        small = x_BCHW[:, :, :: self.stride, :: self.stride]
        return -(small.unsqueeze(1) - self.colours_KC.view(1, -1, 3, 1, 1)).square().sum(2)


class AsDictionary(ColourSegmenter):
    def forward(self, x_BCHW: Tensor) -> dict[str, Tensor]:
        logits = super().forward(x_BCHW)
        return {"aux": -logits, "out": logits}


class AsTuple(ColourSegmenter):
    def forward(self, x_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        logits = super().forward(x_BCHW)
        return logits, -logits


class AsIndices(ColourSegmenter):
    def forward(self, x_BCHW: Tensor) -> Tensor:
        return super().forward(x_BCHW).argmax(1)


def painted(labels_BHW: Tensor) -> Tensor:
    """Images B x 3 x H x W in [-1, 1] of the labels' colours."""
    return torch.tensor(COLOURS)[labels_BHW].permute(0, 3, 1, 2) * 2 - 1
