"""What a file says of itself: a digest of its content, and the run that it belongs to."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from catdsl.acceptance import Acceptance
from catdsl.diagnostics import CatError

DIGEST = "digest"
GO_ON = "or go on on purpose with --accept-changes"


def with_digest(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values and their digest. Floats, text and lists are as a reader of JSON gives them back."""
    return {**values, DIGEST: values_digest(values)}


def values_digest(values: Mapping[str, Any]) -> str:
    """SHA-256 of JSON values, in whatever order they stand."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def check_digest(values: dict[str, Any], shown: object, code: str, acceptance: Acceptance) -> bool:
    """Take the digest out of `values` and compare it; gives whether there was one.

    Raises CatError with `code` for values that were changed since, unless changes are accepted.
    """
    if DIGEST not in values:
        return False
    said, found = values.pop(DIGEST), values_digest(values)
    if said != found:
        acceptance.refuse(
            CatError.one(
                code,
                f"{shown} was changed since it was written: its digest is {found[:12]}, and it says {str(said)[:12]}",
                help=f"restore the file from a copy, {GO_ON}",
            )
        )
    return True


def check_run(said: object, run: str | None, shown: object, code: str, acceptance: Acceptance) -> None:
    """Compare the run that a file says it belongs to with the run that it lies in, where both are known.

    Raises CatError with `code` for another run, unless changes are accepted.
    """
    if run is not None and said is not None and said != run:
        acceptance.refuse(
            CatError.one(
                code, f"{shown} belongs to another run: it says {str(said)[:12]}, this run is {run[:12]}",
                help=f"put back the file that this run has made, {GO_ON}",
            )
        )  # fmt: skip


def say_unknown(shown: object, missing: Sequence[str], checked: str, acceptance: Acceptance) -> None:
    """Say what a file does not name, so that only what is `checked` could be."""
    if missing:
        acceptance.say(f"note: {shown} names no {' and no '.join(missing)}; only {checked} were checked")
