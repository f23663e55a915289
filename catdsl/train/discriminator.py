"""Discriminators: `std.patchgan` and `std.multiscale`, compiled like any other network, at several scales.

Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
appendix 6.1.2 (with 3 layers each logit sees 70 x 70 pixels); Wang et al., "High-Resolution Image
Synthesis with Conditional GANs", CVPR 2018, section 3.2, and Park et al., CVPR 2019, appendix A.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from torch import Tensor, nn
from torch.fx import GraphModule

from catdsl import resources
from catdsl.backend.initial import initialize
from catdsl.backend.module import build_module, with_taps
from catdsl.diagnostics import CatError
from catdsl.semantics.elaborate import elaborate
from catdsl.semantics.library import read_spec
from catdsl.semantics.settings import SpecSettings, SystemName
from catdsl.train.data.formats import ImageFormat
from catdsl.train.recipe import Recipe
from catdsl.train.seeding import derived_seed

Kind = Literal["patchgan", "multiscale"]

DISCRIMINATORS: Mapping[SystemName, Kind] = {"pix2pix": "patchgan", "cyclegan": "patchgan", "gaugan": "multiscale"}

_FEWEST_LAYERS: Mapping[Kind, int] = {"patchgan": 1, "multiscale": 2}


class Judgement(NamedTuple):
    """What one scale says of images: logits B x 1 x h x w, and the features before them, layer by layer."""

    logits_B1HW: Tensor
    features: tuple[Tensor, ...]


class Discriminator(nn.Module):
    """Networks of the same images, each at half the size of the one before; B x C x H x W to one judgement each."""

    def __init__(self, scales: Iterable[nn.Module]):
        super().__init__()
        self.scales = nn.ModuleList(scales)

    def forward(self, x_BCHW: Tensor) -> tuple[Judgement, ...]:
        return tuple(Judgement(*scale(x_BCHW)) for scale in self.scales)


def discriminator_for(
    recipe: Recipe,
    settings: SpecSettings,
    format: ImageFormat,
    *,
    seed: int,
    of: Literal["target", "input"] = "target",
) -> Discriminator:
    """What a recipe trains against: a judge of targets, beside their inputs where it is conditional, or of inputs.

    Raises CatError E607 as `build_discriminator` does.
    """
    shown, size = (
        (format.target_channels, format.target_size) if of == "target" else (format.input_channels, format.size)
    )
    return build_discriminator(
        kind=DISCRIMINATORS[recipe.system],
        channels=shown + (format.input_channels if recipe.conditional else 0),
        size=size,
        width=settings.train.ndf,
        layers=settings.train.discriminator_layers,
        scales=settings.train.discriminator_scales,
        norm=settings.style.norm,
        seed=seed if of == "target" else derived_seed(seed, "discriminator of inputs"),
    )


def build_discriminator(
    *,
    kind: Kind = "patchgan",
    channels: int,
    size: tuple[int, int],
    width: int = 64,
    layers: int = 3,
    scales: int = 1,
    norm: Literal["instance", "batch"] = "batch",
    seed: int,
) -> Discriminator:
    """A network of images with `channels` channels (input and image together), its weights drawn from `seed`.

    `size` (height, width) is that of training crops; `norm` is that of a PatchGAN, a multi-scale
    discriminator has spectral and instance norms of its own. Raises CatError E607 where `size`
    leaves nothing to judge after `layers` halvings at the last of `scales`.
    """
    check_size(kind, size, layers, scales)
    given: dict[str, int | str] = {
        "channels": channels,
        "ndf": width,
        "layers": layers,
        "height": size[0],
        "width": size[1],
    }
    if kind == "patchgan":
        given["norm_kind"] = norm
    return Discriminator(_network(kind, {**given, "scale": scale}, seed) for scale in range(scales))


def _network(kind: Kind, parameters: dict[str, int | str], seed: int) -> GraphModule:
    source = read_spec(Path(resources.folder("specs"), "std", f"{kind}.cat"))
    spec = elaborate(source, {name: str(value) for name, value in parameters.items()}, need="discriminator")
    network = build_module(spec.network)
    purpose = ("discriminator", parameters["scale"]) if parameters["scale"] else ("discriminator",)
    initialize(network, spec.network, spec.settings.style, derived_seed(seed, *purpose))
    layers = tuple(node.name for node in spec.network.nodes if node.op.name == "leaky_relu")
    return with_taps(network, spec.network, layers)


def check_size(kind: Kind, size: tuple[int, int], layers: int, scales: int) -> None:
    """Refuse images that are too small to judge, and a network of too few layers. Raises CatError E607.

    Norms need two pixels, and the last two convs of a PatchGAN, which pads less, take one each.
    """
    if layers < _FEWEST_LAYERS[kind]:
        raise CatError.one(
            "E607",
            f"a discriminator of {layers} layer{'s' * (layers != 1)} cannot be made: "
            f"`std.{kind}` has {_FEWEST_LAYERS[kind]} at least",
            help="raise `discriminator_layers` in train { }",
        )
    smallest = (4 if kind == "patchgan" else 2) * 2 ** (layers + scales - 1)
    if min(size) < smallest:
        raise CatError.one(
            "E607",
            f"crops of {size[0]}x{size[1]} are too small for a discriminator of {layers} layers"
            f"{f' at {scales} scales' if scales > 1 else ''}, which needs {smallest} pixels",
            help="lower `discriminator_layers` in train { }, or raise `crop` in data { }",
        )
