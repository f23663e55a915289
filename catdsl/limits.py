"""Limits on input: how many bytes, pixels, entries and how much memory a file from elsewhere may take."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from catdsl.diagnostics import CatError
from catdsl.diagnostics.suggest import did_you_mean

Name = Literal["spec", "json", "weights", "arrays", "checkpoint", "picture", "pixels", "files", "memory"]

OPTION = "--limit"
VARIABLE = "CATDSL_LIMITS"
"""Carries the limits of a command to the processes that it starts: `pixels=200000000,json=1000000`."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that a user may raise with `--limit NAME=AMOUNT`."""

    name: Name
    default: int
    unit: str
    what: str

    @property
    def most(self) -> int:
        """The limit in force."""
        return _given().get(self.name, self.default)

    def refusal(self, found: int) -> str:
        """How a message ends: the limit, and the option that raises it to what was found."""
        return f"more than the limit of {self.most:,} {self.unit}; raise it with `{OPTION} {self.name}={found}`"


LIMITS: dict[Name, Limit] = {
    limit.name: limit
    for limit in (
        Limit("spec", 1_000_000, "bytes", "a spec, or a file that it uses"),
        Limit("json", 64_000_000, "bytes", "a JSON file or a metrics log of a run, a label table"),
        Limit("weights", 16_000_000_000, "bytes", "a weights file"),
        Limit("arrays", 256_000_000, "bytes", "the arrays of a .npz file, unpacked"),
        Limit("checkpoint", 64_000_000_000, "bytes", "a checkpoint, unpacked"),
        Limit("picture", 200_000_000, "bytes", "a picture file"),
        Limit("pixels", 50_000_000, "pixels", "a picture"),
        Limit("files", 2_000_000, "files", "a folder of pictures"),
        Limit("memory", 8_000_000_000, "bytes", "the activations of a network on one picture"),
    )
}

_AMOUNT = re.compile(r"((?:[0-9]_?){1,18}(?:\.[0-9]{1,9})?)([KMG]?)", re.IGNORECASE)
_CARRIED = re.compile(r"[0-9]{1,27}")
"""What `_AMOUNT` comes to at most: Python refuses to read numbers of thousands of digits."""
_TIMES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}


def set_limits(texts: Iterable[str]) -> None:
    """Set limits for this process and those that it starts. Raises CatError E607 for a text that is none."""
    given = dict(_given())
    for text in texts:
        name, separator, amount = text.partition("=")
        found = _AMOUNT.fullmatch(amount.strip())
        if name not in LIMITS:
            raise CatError.one(
                "E607", f"there is no limit `{name}`",
                help=did_you_mean(name, list(LIMITS), otherwise="there are " + ", ".join(LIMITS)),
            )  # fmt: skip
        if not separator or found is None:
            raise CatError.one("E607", f"`{text}` is not NAME=AMOUNT", help=f"write it like `{OPTION} pixels=200M`")
        given[name] = int(Decimal(found[1].replace("_", "")) * _TIMES[found[2].upper()])
    os.environ[VARIABLE] = ",".join(f"{name}={most}" for name, most in given.items())


def _given() -> dict[str, int]:
    pairs = (text.partition("=") for text in os.environ.get(VARIABLE, "").split(",") if text)
    return {name: int(amount) for name, _, amount in pairs if _CARRIED.fullmatch(amount)}
