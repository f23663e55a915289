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
    _parts: list[frozenset[int]] = field(default_factory=lambda: [frozenset(), frozenset()])
    _known: dict[Row, int] = field(default_factory=dict)
    true: int = TRUE

    def above_zero(self, width: str) -> int:
        return TRUE if width in self.never_zero else self._intern(("width", width))

    def all_of(self, values: tuple[int, ...]) -> int:
        return FALSE if FALSE in values else self._joined("all", "any", set(values) - {TRUE}, TRUE)

    def any_of(self, values: tuple[int, ...]) -> int:
        return TRUE if TRUE in values else self._joined("any", "all", set(values) - {FALSE}, FALSE)

    def _joined(self, kind: str, dual: str, values: set[int], empty: int) -> int:
        """The values joined, without those that others absorb: a branch is there for itself, whatever else is.

        `all(a, any(a, b))` is a, `all(a, all(a, b))` is `all(a, b)`; the same with all and any exchanged.
        Without this nearly every term of a network with branches has a condition of its own.
        """
        if len(values) > 1:
            absorbed = {v for v in values if self._rows[v][0] == dual and not self._parts[v].isdisjoint(values)}
            within = [self._parts[v] for v in values if self._rows[v][0] == kind]
            values = (values - absorbed).difference(*within)
        if len(values) > 1:
            return self._intern((kind, tuple(sorted(values))))
        return next(iter(values), empty)

    def _intern(self, row: Row) -> int:
        if row not in self._known:
            self._known[row] = len(self._rows)
            self._rows.append(row)
            self._parts.append(frozenset() if isinstance(row[1], str) else frozenset(row[1]))
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
