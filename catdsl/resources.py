"""Where grammar, shipped specs and pages of the language lie: in the wheel, or beside the package in a checkout."""

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent


@cache
def folder(name: str) -> Path:
    """The folder `grammars`, `specs` or `docs`. Raises FileNotFoundError where an installation lacks it."""
    for place in (_PACKAGE / name, _PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"this installation of catdsl lacks its folder `{name}`; install it again")
