"""Which widths move together: every width follows free ones, itself or those behind its tie, however far."""

from collections.abc import Iterable, Mapping

from catdsl.ir.types import Width


def deciding(widths: Iterable[Width]) -> dict[str, tuple[str, ...]]:
    """For each width the free ones that decide it, each once; a tie to no width at all decides itself."""
    known = {width.name: width for width in widths}
    found: dict[str, tuple[str, ...]] = {}
    for width in known.values():
        _decide(width, known, found)
    return {name: found[name] for name in known}


def _decide(width: Width, known: Mapping[str, Width], found: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    if width.name not in found:
        sources = [known[name] for name, _ in width.tie.terms] if width.tie is not None else []
        behind = dict.fromkeys(free for source in sources for free in _decide(source, known, found))
        found[width.name] = tuple(behind) or (width.name,)
    return found[width.name]
