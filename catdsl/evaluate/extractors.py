"""The networks in whose features images are compared, and what a figure from each is called."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catdsl.evaluate import inception_weights, squeezenet_extractor
from catdsl.evaluate.inception_weights import find_inception_weights
from catdsl.evaluate.network_weights import file_digest
from catdsl.evaluate.squeezenet import load_squeezenet
from catdsl.evaluate.squeezenet_extractor import register_squeezenet
from catdsl.evaluate.torchvision_operators import import_torchvision


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A feature network of torch-fidelity's registry, its layers, and the names of its figures.

    FID, KID and ISC are figures of Inception with torch-fidelity's weights; the same formulas in
    other features give other numbers, and have other names.
    """

    name: str
    registered: str
    layer: str
    logits: str | None
    frechet: str
    kernel: str
    precision: str
    recall: str


INCEPTION = Network(
    name="inception", registered=inception_weights.REGISTERED,
    layer=inception_weights.LAYER, logits=inception_weights.LOGITS,
    frechet="FID", kernel="KID", precision="precision", recall="recall",
)  # fmt: skip
SQUEEZENET = Network(
    name="squeezenet", registered=squeezenet_extractor.NAME, layer=squeezenet_extractor.LAYER, logits=None,
    frechet="Frechet distance (SqueezeNet)", kernel="kernel distance (SqueezeNet)",
    precision="precision (SqueezeNet features)", recall="recall (SqueezeNet features)",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Extractor:
    """A network with checked weights; `digest` is that of the file."""

    network: Network
    weights: Path
    digest: str

    @property
    def layers(self) -> tuple[str, ...]:
        """What is taken from each image: the features, and the logits where a figure needs them."""
        return (self.network.layer,) if self.network.logits is None else (self.network.layer, self.network.logits)

    def build(self, *, cuda: bool) -> Any:
        """The network as torch-fidelity's feature extractor, on the CPU or the current GPU."""
        import_torchvision()
        from torch_fidelity.utils import create_feature_extractor

        register_squeezenet()
        return create_feature_extractor(
            self.network.registered, list(self.layers), cuda=cuda, verbose=False,
            feature_extractor_weights_path=str(self.weights),
        )  # fmt: skip


def with_inception(given: Path | None = None) -> Extractor:
    """Inception with the weights of `find_inception_weights`. Raises CatError E605, E608 as that does."""
    path = find_inception_weights(given)
    return Extractor(network=INCEPTION, weights=path, digest=file_digest(path))


def with_squeezenet(path: Path) -> Extractor:
    """SqueezeNet 1.0 with the weights of a file. Raises CatError E605."""
    load_squeezenet(path)
    return Extractor(network=SQUEEZENET, weights=path, digest=file_digest(path))
