"""What a run is: every setting and input that must be the same for it to be continued."""

import hashlib
from dataclasses import fields

import torch
from torch import nn

from catdsl.semantics.settings import DataSettings
from catdsl.train.data.opening import ImageData
from catdsl.train.recipe import Recipe

# Settings that came later: while they say nothing, a run of the version before is the same run.
_LATER = ("joined", "label_values", "levels", "target_levels")


def run_settings(
    recipe: Recipe,
    data: ImageData,
    data_settings: DataSettings,
    *,
    seed: int,
    steps: int | None,
) -> dict[str, object]:
    """Flat, readable names to JSON values. Where the data lies is not among them, what it holds is."""
    # Threads change no result.
    silent = {name for name in _LATER if getattr(data_settings, name) is None}
    known = data_settings.model_dump(exclude={"workers", *silent})
    return {
        **{f.name: getattr(recipe, f.name) for f in fields(recipe)},
        **{f"data.{name}": value for name, value in known.items()},
        "data.sizes": (data.train.format.size, data.crop),
        "data.files": data.fingerprint,
        "seed": seed,
        "steps": steps,
    }


def weights_digest(network: nn.Module) -> str:
    """A digest of all parameters and buffers with their names."""
    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in network.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)};".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()
