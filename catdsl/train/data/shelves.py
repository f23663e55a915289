"""Entries that are decoded: once and kept where they fit into memory, or each time they are asked for."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from catdsl.diagnostics import CatError
from catdsl.train.data.layouts import OddFile

E = TypeVar("E")
T = TypeVar("T")

_READERS = 2
_LISTED = 10


@dataclass(frozen=True, slots=True)
class Odd:
    """An entry that cannot be used: all of its files that are to blame."""

    files: tuple[OddFile, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Shelf(Generic[E, T]):
    """Entries in natural order, and what decodes one; `kept` holds all decoded, or is None."""

    entries: tuple[E, ...]
    decode: Callable[[E], T | Odd]
    kept: tuple[T, ...] | None = None

    def __len__(self) -> int:
        return len(self.entries)

    def read(self, indices: Sequence[int]) -> list[T]:
        """What lies at each index, in the calling thread. Raises CatError E602 where a file has gone since."""
        if self.kept is not None:
            return [self.kept[i] for i in indices]
        decoded: list[T] = []
        odd: list[OddFile] = []
        for i in indices:
            outcome = self.decode(self.entries[i])
            if isinstance(outcome, Odd):
                odd += outcome.files
            else:
                decoded.append(outcome)
        if odd:
            raise unusable(odd, looked_at=len(indices))
        return decoded

    def verified(self, *, keep: bool) -> "tuple[Shelf[E, T], tuple[OddFile, ...]]":
        """Every entry decoded (and kept, if `keep`), and the files that cannot be used."""
        decoded: list[T] = []
        odd: list[OddFile] = []
        with ThreadPoolExecutor(_READERS) as pool:
            for outcome in pool.map(self.decode, self.entries):
                if isinstance(outcome, Odd):
                    odd += outcome.files
                elif keep:
                    decoded.append(outcome)
        return replace(self, kept=tuple(decoded) if keep else None), tuple(odd)


def unusable(odd: Sequence[OddFile], *, looked_at: int) -> CatError:
    """The error that lists files which cannot be used."""
    shown = [f"{file.path} {file.reason}" for file in odd[:_LISTED]]
    if len(odd) > _LISTED:
        shown.append(f"and {len(odd) - _LISTED} more")
    return CatError.one(
        "E602",
        f"{len(odd)} image file{'s' * (len(odd) > 1)} cannot be used, among {looked_at} images or pairs looked at",
        notes=tuple(shown),
        help="repair these files, or move them (with their partners) out of the data folder",
    )
