"""All randomness from one seed: a number for every purpose, so that no random state must survive."""

import hashlib

import numpy as np


def derived_seed(seed: int, *purpose: str | int) -> int:
    """A seed of 63 bits for `purpose`, for example `("step", 17)`, that depends on nothing else.

    Seeds of different purposes are unrelated, and the same on every platform and version.
    """
    text = "/".join((str(seed), *map(str, purpose)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def numbers_for(seed: int, *purpose: str | int) -> np.random.Generator:
    """A fresh numpy generator for `purpose`."""
    return np.random.Generator(np.random.PCG64(derived_seed(seed, *purpose)))
