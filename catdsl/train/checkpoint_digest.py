"""Digest of a checkpoint's content: names, numbers and the bytes of every tensor, in the order of the names."""

import hashlib
from collections.abc import Mapping
from typing import Any

import torch


def content_digest(content: Mapping[str, Any]) -> str:
    """A digest of 64 hexadecimal digits of nested dictionaries, lists, tensors, numbers and texts."""
    digest = hashlib.sha256()
    _add(digest, content)
    return digest.hexdigest()


def _add(digest: "hashlib._Hash", value: Any) -> None:
    match value:
        case torch.Tensor():
            digest.update(f"tensor {value.dtype} {tuple(value.shape)};".encode())
            flat = value.detach().cpu().contiguous().reshape(-1)
            digest.update(flat.view(torch.uint8).numpy().data)
        case Mapping():
            digest.update(f"dictionary {len(value)};".encode())
            for key in sorted(value, key=lambda key: (type(key).__name__, str(key))):
                digest.update(f"{key!r}:".encode())
                _add(digest, value[key])
        case list() | tuple():
            # A tuple may come back as a list.
            digest.update(f"list {len(value)};".encode())
            for each in value:
                _add(digest, each)
        case _:
            digest.update(f"{type(value).__name__} {value!r};".encode())
