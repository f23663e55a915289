"""Did you mean: the nearest known word."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, or None where nothing is near."""
    by_folded = {name.casefold(): name for name in known}
    found = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """A help line naming the nearest known word, else `otherwise`."""
    found = nearest(word, known)
    return f"did you mean `{found}`?" if found else otherwise
