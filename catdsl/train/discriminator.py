"""The PatchGAN discriminator: the library's `std.patchgan`, compiled like any other network.

Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
appendix 6.1.2; with 3 layers each logit sees 70 x 70 pixels.
"""

from pathlib import Path
from typing import Literal

from torch.fx import GraphModule

from catdsl import resources
from catdsl.backend.initial import initialize
from catdsl.backend.module import build_module
from catdsl.diagnostics import CatError
from catdsl.semantics.elaborate import elaborate
from catdsl.semantics.library import read_spec
from catdsl.train.seeding import derived_seed


def build_discriminator(
    *,
    channels: int,
    size: tuple[int, int],
    width: int = 64,
    layers: int = 3,
    norm: Literal["instance", "batch"] = "batch",
    seed: int,
) -> GraphModule:
    """A network from B x `channels` x H x W to logits B x 1 x h x w, its weights drawn from `seed`.

    `channels` counts input and image together; `size` (height, width) is that of training crops.
    Raises CatError E607 where `size` leaves nothing to judge after `layers` halvings.
    """
    _check_size(size, layers)
    parameters = {
        "channels": channels, "ndf": width, "layers": layers, "height": size[0], "width": size[1], "norm_kind": norm,
    }  # fmt: skip
    source = read_spec(Path(resources.folder("specs"), "std", "patchgan.cat"))
    spec = elaborate(source, {name: str(value) for name, value in parameters.items()}, need="discriminator")
    network = build_module(spec.network)
    initialize(network, spec.network, spec.settings.style, derived_seed(seed, "discriminator"))
    return network


def _check_size(size: tuple[int, int], layers: int) -> None:
    """Each halving gives floor(n / 2); the last two convs take one pixel each, and norms need two."""
    smallest = 4 * 2**layers
    if min(size) < smallest:
        raise CatError.one(
            "E607",
            f"crops of {size[0]}x{size[1]} are too small for a discriminator of {layers} layers, "
            f"which needs {smallest} pixels",
            help="lower `discriminator_layers` in train { }, or raise `crop` in data { }",
        )
