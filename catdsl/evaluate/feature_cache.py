"""Features of images on disk, under a name that holds everything they depend on.

torch-fidelity has a cache of its own, but its key leaves out weights and the list of images, and
it is read as a pickle.
"""

import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from catdsl.evaluate.extractors import Extractor
from catdsl.files import write_bytes

# Raised where a network or the way images are read changes, so that older files are not taken.
_FORMAT = 1
_CHECK = "digest"


def cache_file(folder: Path, extractor: Extractor, contents: Sequence[str], device: str) -> Path:
    """Where the features of images lie whose digests, in any order, are `contents`.

    The kind of device counts, since a GPU rounds convolutions otherwise than a CPU.
    """
    facts = (
        str(_FORMAT), extractor.network.registered, *extractor.layers, extractor.digest,
        version("torch-fidelity"), torch.device(device).type, *sorted(contents),
    )  # fmt: skip
    digest = hashlib.blake2b("\n".join(facts).encode(), digest_size=16).hexdigest()
    return folder / f"{extractor.network.name}-{digest}.safetensors"


def save_features(path: Path, tensors: Mapping[str, Tensor], contents: Sequence[str]) -> None:
    """Write features, shape (n, d) in the order of `contents`, whole or not at all. Raises CatError E608."""
    order = _order(contents)
    held = {name: tensor[order].contiguous() for name, tensor in tensors.items()}
    write_bytes(path, save(held, {_CHECK: _digest(held)}))


def load_features(path: Path, layers: Sequence[str], contents: Sequence[str]) -> dict[str, Tensor] | None:
    """The features of a file in the order of `contents`; None where it is missing or damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            held = {name: file.get_tensor(name) for name in layers}
            whole = (file.metadata() or {}).get(_CHECK) == _digest(held)
    except (OSError, ValueError, SafetensorError):
        return None
    if not whole or any(len(tensor) != len(contents) for tensor in held.values()):
        return None
    # The file is sorted by content, so that it serves equal images under other names.
    back = torch.empty(len(contents), dtype=torch.long)
    back[_order(contents)] = torch.arange(len(contents))
    return {name: tensor[back] for name, tensor in held.items()}


def _order(contents: Sequence[str]) -> Tensor:
    return torch.tensor(sorted(range(len(contents)), key=contents.__getitem__))


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].numpy().tobytes())
    return digest.hexdigest()
