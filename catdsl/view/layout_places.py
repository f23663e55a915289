"""Where boxes of a row stand from left to right: near what they are connected with, never overlapping."""

from collections.abc import Sequence
from dataclasses import dataclass

_SWEEPS = 9  # odd: the last one goes down, so that sums stand below their terms
_SNAP = 10  # a bend of fewer pixels looks like a mistake and is taken out where there is room


@dataclass(frozen=True, slots=True)
class Link:
    """A net from a pin of one box to a pin of one below; pins are offsets from the boxes' left."""

    upper: int
    upper_pin: int
    lower: int
    lower_pin: int
    weight: float = 1.0


def settle(wanted: Sequence[float], widths: Sequence[int], gap: int) -> list[float]:
    """The left edges nearest to the wanted ones (least squares) at which boxes in a row stand apart.

    Exact, by pooling: boxes that press against each other move as one to their mean.
    """
    pools: list[tuple[float, int]] = []
    offsets: list[float] = []
    offset = 0.0
    for want, width in zip(wanted, widths, strict=True):
        offsets.append(offset)
        pool = (want - offset, 1)
        while pools and pools[-1][0] > pool[0]:
            value, size = pools.pop()
            pool = ((value * size + pool[0] * pool[1]) / (size + pool[1]), size + pool[1])
        pools.append(pool)
        offset += width + gap
    values = [value for value, size in pools for _ in range(size)]
    return [value + place for value, place in zip(values, offsets, strict=True)]


def place_rows(rows: Sequence[Sequence[int]], widths: Sequence[int], links: Sequence[Link], gap: int) -> list[int]:
    """The left edge of every box. Rows list boxes from left to right, from the top row down."""
    lefts = [0.0] * len(widths)
    for row in rows:
        total = sum(widths[i] for i in row) + gap * (len(row) - 1)
        x = -total / 2
        for i in row:
            lefts[i] = x
            x += widths[i] + gap
    above: list[list[Link]] = [[] for _ in widths]
    below: list[list[Link]] = [[] for _ in widths]
    for link in links:
        above[link.lower].append(link)
        below[link.upper].append(link)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            _settle_row(row, widths, gap, lefts, (above if down else below, below if down else above))
    places = [round(x) for x in lefts]
    _straighten(rows, widths, gap, places, above)
    return places


def _settle_row(
    row: Sequence[int], widths: Sequence[int], gap: int, lefts: list[float],
    links: tuple[list[list[Link]], list[list[Link]]],
) -> None:  # fmt: skip
    """Move a row towards its neighbours on one side; boxes without any there look to the other."""
    wanted = [_wanted(i, links[0][i], lefts, _wanted(i, links[1][i], lefts, lefts[i])) for i in row]
    for i, x in zip(row, settle(wanted, [widths[i] for i in row], gap), strict=True):
        lefts[i] = x


def _wanted(box: int, links: list[Link], lefts: list[float], otherwise: float) -> float:
    if not links:
        return otherwise
    total = sum(link.weight for link in links)
    return sum(link.weight * _aligned(box, link, lefts) for link in links) / total


def _aligned(box: int, link: Link, lefts: Sequence[float]) -> float:
    """The left edge of `box` at which the link runs straight."""
    if box == link.lower:
        return lefts[link.upper] + link.upper_pin - link.lower_pin
    return lefts[link.lower] + link.lower_pin - link.upper_pin


def _straighten(
    rows: Sequence[Sequence[int]], widths: Sequence[int], gap: int, places: list[int], above: list[list[Link]]
) -> None:
    """Take out small bends between boxes that are connected one to one."""
    for row in rows:
        for position, box in enumerate(row):
            near = [link for link in above[box] if link.weight == 1]
            if len(near) != 1:
                continue
            x = int(_aligned(box, near[0], places))
            left, right = row[:position][-1:], row[position + 1 :][:1]
            free = all(places[i] + widths[i] + gap <= x for i in left) and all(
                x + widths[box] + gap <= places[i] for i in right
            )
            if free and abs(x - places[box]) <= _SNAP:
                places[box] = x


def ordered(rows: Sequence[Sequence[int]], links: Sequence[Link], widths: Sequence[int]) -> list[list[int]]:
    """Rows in an order with few crossings: the order of making, unless another has fewer."""
    best = [list(row) for row in rows]
    fewest = _crossings(best, links, widths)
    current = best
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        current = _by_barycentre(current, links, widths, down=sweep % 2 == 0)
        found = _crossings(current, links, widths)
        if found < fewest:
            best, fewest = current, found
    return best


def _by_barycentre(
    rows: list[list[int]], links: Sequence[Link], widths: Sequence[int], *, down: bool
) -> list[list[int]]:
    """Each row sorted by where its neighbours in the row before stand."""
    result = [list(row) for row in rows]
    where: dict[int, float] = {i: float(p) for row in rows for p, i in enumerate(row)}
    for row in result if down else result[::-1]:
        means: dict[int, list[float]] = {i: [] for i in row}
        for link in links:
            mine, other, pin = (
                (link.lower, link.upper, link.upper_pin) if down else (link.upper, link.lower, link.lower_pin)
            )
            if mine in means:
                means[mine].append(where[other] + pin / max(1, widths[other]))
        middles = {i: sum(xs) / len(xs) if xs else where[i] for i, xs in means.items()}
        row.sort(key=middles.__getitem__)
        where.update({i: float(p) for p, i in enumerate(row)})
    return result


def _crossings(rows: Sequence[Sequence[int]], links: Sequence[Link], widths: Sequence[int]) -> int:
    row_of = {i: r for r, row in enumerate(rows) for i in row}
    where = {i: p for row in rows for p, i in enumerate(row)}
    ends: dict[int, list[tuple[float, float]]] = {}
    for link in links:
        if row_of[link.lower] == row_of[link.upper] + 1:
            a = where[link.upper] + link.upper_pin / max(1, widths[link.upper])
            b = where[link.lower] + link.lower_pin / max(1, widths[link.lower])
            ends.setdefault(row_of[link.upper], []).append((a, b))
    return sum(_inversions([b for _, b in sorted(pairs)]) for pairs in ends.values())


def _inversions(values: list[float]) -> int:
    """Pairs in the wrong order, by merge sort: a wide row has many links."""
    if len(values) < 2:
        return 0
    middle = len(values) // 2
    left, right = values[:middle], values[middle:]
    count = _inversions(left) + _inversions(right)
    left, right = sorted(left), sorted(right)
    i = 0
    for value in right:
        while i < len(left) and left[i] <= value:
            i += 1
        count += len(left) - i
    return count
