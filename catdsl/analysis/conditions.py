"""Presence as conditions on widths: interned AND and OR over `width > 0`, evaluated bottom up."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

TRUE = 0
FALSE = 1

Row = tuple[str, tuple[int, ...] | str]
_CONSTANTS: tuple[Row, ...] = (("all", ()), ("any", ()))


@dataclass
class Conditions:
    """A `Logic` whose values are indices of conditions. Widths that never reach 0 are always present."""

    never_zero: Set[str]
    _rows: list[Row] = field(default_factory=lambda: list(_CONSTANTS))
    _known: dict[Row, int] = field(default_factory=dict)
    true: int = TRUE

    def above_zero(self, width: str) -> int:
        return TRUE if width in self.never_zero else self._intern(("width", width))

    def all_of(self, values: tuple[int, ...]) -> int:
        if FALSE in values:
            return FALSE
        parts = tuple(sorted(set(values) - {TRUE}))
        return parts[0] if len(parts) == 1 else (self._intern(("all", parts)) if parts else TRUE)

    def any_of(self, values: tuple[int, ...]) -> int:
        if TRUE in values:
            return TRUE
        parts = tuple(sorted(set(values) - {FALSE}))
        return parts[0] if len(parts) == 1 else (self._intern(("any", parts)) if parts else FALSE)

    def _intern(self, row: Row) -> int:
        if row not in self._known:
            self._known[row] = len(self._rows)
            self._rows.append(row)
        return self._known[row]

    def rows(self) -> tuple[Row, ...]:
        """All conditions so far; parts come before what is made of them."""
        return tuple(self._rows)


def truth(rows: Sequence[Row], counts: Mapping[str, int]) -> list[bool]:
    """Truth of every condition at the counts of all widths."""
    found: list[bool] = []
    for kind, parts in rows:
        if isinstance(parts, str):
            found.append(counts[parts] > 0)
        else:
            found.append((all if kind == "all" else any)(found[p] for p in parts))
    return found
