"""Features of images by a network of torch-fidelity, computed by it and kept on disk."""

import functools
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from catdsl.evaluate.extractors import Extractor
from catdsl.evaluate.feature_cache import cache_file, load_features, save_features
from catdsl.evaluate.image_lists import content_digests, places_by_size
from catdsl.evaluate.torchvision_operators import import_torchvision


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Features:
    """What an extractor sees in the images of `paths`: float32 on the CPU, a row for each image."""

    extractor: Extractor
    paths: tuple[Path, ...]
    vectors_ND: Tensor
    logits_NK: Tensor | None

    def __len__(self) -> int:
        return len(self.paths)

    def rows(self, places: Sequence[int]) -> "Features":
        """Those of the images at `places`, in that order."""
        return replace(
            self,
            paths=tuple(self.paths[place] for place in places),
            vectors_ND=self.vectors_ND[list(places)],
            logits_NK=None if self.logits_NK is None else self.logits_NK[list(places)],
        )


def extract_features(
    sets: Sequence[Sequence[Path]], extractor: Extractor, *, device: str = "cpu", batch: int = 32,
    cache: Path | None = None,
) -> list[Features]:  # fmt: skip
    """The features of several sets of image files, of each once, in the order of its files.

    They are torch-fidelity's own for these files. Images of one set may differ in size: those of one
    size are taken together, in batches of `batch`. Features found in the folder `cache` are not
    computed again; what is damaged there is replaced. torch-fidelity knows CPUs and CUDA: another
    device is not used. Raises CatError E602 for files that cannot be used, E608 where the cache
    cannot be written.
    """
    cuda = torch.device(device).type == "cuda"
    build = functools.cache(lambda: extractor.build(cuda=cuda))
    found = []
    with torch.cuda.device(device) if cuda else nullcontext():
        for paths in sets:
            tensors = _cached(paths, extractor, build, cuda=cuda, batch=batch, cache=cache)
            logits = extractor.network.logits
            found.append(
                Features(
                    extractor=extractor,
                    paths=tuple(paths),
                    vectors_ND=tensors[extractor.network.layer],
                    logits_NK=None if logits is None else tensors[logits],
                )
            )
    return found


def _cached(
    paths: Sequence[Path], extractor: Extractor, build: Callable[[], Any], *, cuda: bool, batch: int, cache: Path | None
) -> dict[str, Tensor]:
    if cache is None:
        return _computed(paths, build, cuda=cuda, batch=batch)
    contents = content_digests(paths)
    file = cache_file(cache, extractor, contents, "cuda" if cuda else "cpu")
    held = load_features(file, extractor.layers, contents)
    if held is None:
        held = _computed(paths, build, cuda=cuda, batch=batch)
        save_features(file, held, contents)
    return held


def _computed(paths: Sequence[Path], build: Callable[[], Any], *, cuda: bool, batch: int) -> dict[str, Tensor]:
    import_torchvision()
    from torch_fidelity.datasets import ImagesPathDataset
    from torch_fidelity.utils import get_featuresdict_from_dataset

    groups = places_by_size(paths).values()
    network = build()
    parts: list[dict[str, Tensor]] = []
    for places in groups:
        images = ImagesPathDataset([str(paths[place]) for place in places])
        # To save memory is torch-fidelity's way of saying: in this process, without workers.
        parts.append(get_featuresdict_from_dataset(images, network, batch, cuda, save_cpu_ram=True, verbose=False))
    order = [place for places in groups for place in places]
    back = torch.empty(len(order), dtype=torch.long)
    back[torch.tensor(order)] = torch.arange(len(order))
    return {name: torch.cat([part[name] for part in parts])[back] for name in parts[0]}
