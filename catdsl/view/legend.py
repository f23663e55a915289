"""The legend: only what the picture at hand makes use of."""

from dataclasses import dataclass

from catdsl.view.describe import percent
from catdsl.view.facts import Facts, State
from catdsl.view.groups import cuts, group_style, letter, shared_widths
from catdsl.view.palette import HEAT
from catdsl.view.svg_elements import path, rect, text
from catdsl.view.typeface import STYLES, fit, text_width

_ROW = 20
_GAP = 7
_APART = 26
_SWATCH = 15
_MOST_GROUPS = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """A symbol, its width, and what it stands for; `group` numbers convs that are narrowed together."""

    kind: str
    symbol_width: int
    words: str
    group: int = -1


def legend(facts: Facts, hottest: float, left: int, top: int, room: int) -> tuple[list[str], int]:
    """SVG elements from (left, top) on within `room` pixels, and the height that they take."""
    elements: list[str] = []
    x, y = left, top
    entries = legend_entries(facts, hottest)
    for entry in entries:
        words = fit(entry.words, room - entry.symbol_width - _GAP, *STYLES["legend"])
        width = entry.symbol_width + _GAP + round(text_width(words, *STYLES["legend"]))
        if x > left and x + width > left + room:
            x, y = left, y + _ROW
        elements += symbol(entry, x, y)
        elements.append(text(x + entry.symbol_width + _GAP, y + 12, words, "legend"))
        x += width + _APART
    return elements, (y + _ROW - top) if entries else 0


def legend_entries(facts: Facts, hottest: float) -> list[Entry]:
    """What is to be explained of a picture."""
    entries: list[Entry] = []
    if facts.bars and not facts.student:
        entries.append(Entry("more", 54, "width: before, filled as far as it is left; green where it grew"))
    elif facts.bars and facts.compared:
        entries.append(Entry("width", 54, "width: the teacher's channels, filled as far as they are left"))
    elif facts.bars:
        entries.append(Entry("left", 40, "width: output channels"))
    groups = shared_widths(facts)
    for width, number in tuple(groups.items())[:_MOST_GROUPS]:
        words = f"{letter(number)}: {facts.makers[width]} convs narrowed together, {width}"
        entries.append(Entry(f"left{group_style(number)}", 40, words, number))
    if len(groups) > _MOST_GROUPS:
        first, last = letter(_MOST_GROUPS), letter(len(groups) - 1)
        words = f"{first} to {last}: more such convs" if first != last else f"{first}: more such convs"
        entries.append(Entry("letters", 9, f"{words}; the letter tells which"))
    if any(not bar.own for bar in facts.bars.values()):
        entries.append(Entry("left follows", 40, "pale: decided by another node"))
    if facts.scored:
        entries.append(
            Entry("strip", 40, "scores of its channels by rank among all, best first; the line is the threshold")
        )
    if facts.scored or State.GONE in facts.states.values() or State.BYPASSED in facts.states.values():
        entries.append(Entry("gone", 26, "vanished in the student" if facts.student else "only before"))
    if State.NEW in facts.states.values():
        entries.append(Entry("new", 26, "only after"))
    if facts.drawn.taps:
        entries.append(Entry("tap", 9, "compared in distillation"))
    if hottest:
        words = "share of MACs per operator" + ("" if facts.scored else f", up to {percent(hottest)}")
        entries.append(Entry("heat", len(HEAT) * _SWATCH, words))
    return entries


def symbol(entry: Entry, x: int, y: int) -> list[str]:
    """The symbol of an entry, 15 pixels high, as SVG elements."""
    kind = entry.kind
    match kind:
        case "width":
            return [rect("track", x, y + 5, 54, 6, round_=3), rect("left", x, y + 5, 24, 6, round_=3)]
        case "more":
            return [rect("left", x, y + 5, 40, 6, round_=3), rect("more", x + 40, y + 5, 14, 6)]
        case _ if kind.startswith("left"):
            return [rect(kind, x, y + 5, 40, 6, round_=3), cuts(entry.group, x, y + 5, 40, 6)]
        case "letters":
            return [text(x, y + 12, "A", "share")]
        case "strip":
            low, high, middle = y + 14, y + 2, x + 20
            kept = path("strip kept", [f"M{x} {low}V{high}Q{x + 8} {y + 7} {middle} {y + 8}V{low}Z"])
            rest = path("strip", [f"M{middle} {low}V{y + 8}Q{x + 32} {y + 9} {x + 40} {y + 12}V{low}Z"])
            return [kept, rest, path("cutoff", [f"M{x} {y + 8}h40"])]
        case "gone" | "new":
            return [f'<g class="card {kind}">', rect("body", x + 0.5, y + 1.5, 26, 13, round_=4), "</g>"]
        case "tap":
            return [text(x, y + 12, "◆", "tap")]
    swatches = [rect(f"h{i + 1}", x + i * _SWATCH, y + 2, _SWATCH, 12) for i in range(len(HEAT))]
    return [*swatches, rect("frame", x - 0.5, y + 1.5, len(HEAT) * _SWATCH + 1, 13)]
