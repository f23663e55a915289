"""SqueezeNet among the feature extractors of torch-fidelity, under the name `squeezenet`."""

from pathlib import Path
from typing import Any

from torch import Tensor

from catdsl.evaluate.squeezenet import load_squeezenet
from catdsl.evaluate.torchvision_operators import import_torchvision

NAME = "squeezenet"
LAYER = "512"
LOGITS = "logits"


def register_squeezenet() -> None:
    """Make the extractor known to torch-fidelity; the second call and later ones do nothing.

    It is then usable as `feature_extractor="squeezenet"` with `feature_extractor_weights_path`, and
    gives "512" (the mean of the last fire module, scaled) and "logits" (of 1000 classes). Distances and
    precision and recall take "512". There is no default for an inception score, which nothing but
    Inception gives.
    """
    import_torchvision()
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase
    from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY, register_feature_extractor

    if NAME in FEATURE_EXTRACTORS_REGISTRY:
        return

    class SqueezeNetExtractor(FeatureExtractorBase):
        """uint8 RGB B x 3 x H x W to the features that were asked for, in their order."""

        def __init__(
            self, name: str, features_list: list[str], feature_extractor_weights_path: str | None = None, **_: Any
        ):
            super().__init__(name, features_list)
            if feature_extractor_weights_path is None:
                raise ValueError("SqueezeNet has no weights of its own: give feature_extractor_weights_path")
            self.network = load_squeezenet(Path(feature_extractor_weights_path))

        def forward(self, image_BCHW: Tensor) -> tuple[Tensor, ...]:
            features, logits = self.network(image_BCHW)
            made = {LAYER: features, LOGITS: logits}
            return tuple(made[name] for name in self.features_list)

        @staticmethod
        def get_provided_features_list() -> tuple[str, ...]:
            return LAYER, LOGITS

        @staticmethod
        def get_default_feature_layer_for_metric(metric: str) -> str:
            return {"fid": LAYER, "kid": LAYER, "prc": LAYER}[metric]

        @staticmethod
        def can_be_compiled() -> bool:
            return False

    register_feature_extractor(NAME, SqueezeNetExtractor)
