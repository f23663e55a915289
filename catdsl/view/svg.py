"""A graph as one SVG: nested boxes, widths as bars, what vanished as dashed ghosts.

A page that folds its picture and changes it (`Facts.live`) finds everything by number: boxes and nodes
in `data-box` and `data-node`, and at every wire the edges that run along it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from catdsl.view.cards import BAR_HEIGHT, PAD, SIGN, STRIP, Card, Meter, Row, Text
from catdsl.view.describe import heat, percent, tooltip
from catdsl.view.facts import END, Facts, State
from catdsl.view.groups import cuts, group_style
from catdsl.view.layout import HEADER, LABEL_AT, label_at, label_text, lay_out
from catdsl.view.layout_box import Box
from catdsl.view.layout_channel import RADIUS, Wire
from catdsl.view.legend import legend
from catdsl.view.structure import Scope, members
from catdsl.view.svg_elements import line, panel, path, rect, safe, text
from catdsl.view.svg_style import style_sheet
from catdsl.view.typeface import STYLES, fit, text_width

_MARGIN = 24
_LEAST_WIDTH = 420
_CORNER, _INNER = 6, 5
_ARROW = 4, 7  # half its width, and its length
_FOLDED = 24  # the height of a box of which only the heading is left

# The class of a row or sign.
_STATES = {State.PRESENT: "", State.BYPASSED: " gone", State.GONE: " gone", State.NEW: " new"}


def render_picture(facts: Facts, *, title: str = "", subtitles: Iterable[str] = ()) -> str:
    """The picture of facts; `subtitles` are lines below the title.

    The text is complete SVG, without scripts and without anything from outside.
    """
    return _Picture(facts).document(title, subtitles)


@dataclass(frozen=True, slots=True)
class Placed:
    """A box in the whole picture, `outer` the number of the one around it; `folded` is its height then, 0 for never."""

    outer: int
    x: int
    y: int
    box: Box
    folded: int


@dataclass(frozen=True, slots=True)
class LivePicture:
    """The picture within a page: an SVG element, and the boxes that it numbers; the first is all of it."""

    svg: str
    boxes: tuple[Placed, ...]


def live_picture(known: Facts) -> LivePicture:
    """A picture that its page changes: without title and legend, which stand beside it."""
    return _Picture(known).within_page()


class _Picture:
    """The elements of one picture, in the order in which they are painted."""

    def __init__(self, known: Facts):
        self.facts = known
        self.hottest = max((self.facts.share(n) for n in self.facts.macs), default=0.0)
        self.number = {name: i for i, name in enumerate((*(n.name for n in known.drawn.nodes), END))}
        self.elements: list[str] = []
        self.placed: list[Placed] = []

    def within_page(self) -> LivePicture:
        box = lay_out(self.facts)
        self.placed.append(Placed(0, _MARGIN, _MARGIN, box, 0))
        self._inside(box, _MARGIN, _MARGIN)
        width, height = box.width + 2 * _MARGIN, box.height + 2 * _MARGIN
        name = safe(f"{self.facts.drawn.kind} {self.facts.title}")
        head = (
            f'<svg id="picture" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'role="group" aria-label="{name}" data-box="0">'
        )
        return LivePicture("\n".join([head, *filter(None, self.elements), "</svg>"]), tuple(self.placed))

    def document(self, title: str, subtitles: Iterable[str]) -> str:
        box = lay_out(self.facts)
        width = max(_LEAST_WIDTH, box.width + 2 * _MARGIN)
        top = self._head(title, tuple(subtitles), width)
        self._inside(box, (width - box.width) // 2, top)
        height = top + box.height + _MARGIN
        name = safe(title or f"{self.facts.drawn.kind} {self.facts.title}")
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" aria-label="{name}">'
        )
        page = rect("page", 0, 0, width, height)
        parts = [head, f"<title>{name}</title>", f"<style>{style_sheet()}</style>", page]
        return "\n".join([*parts, *filter(None, self.elements), "</svg>", ""])

    def _head(self, title: str, subtitles: tuple[str, ...], width: int) -> int:
        """Title, subtitles and legend; gives the height at which the picture begins."""
        room = width - 2 * _MARGIN
        y = _MARGIN
        for words, style, step in ((title, "heading", 24), *((words, "subheading", 20) for words in subtitles)):
            if words:
                shown = fit(" ".join(words.split()), room, *STYLES[style])
                self.elements.append(text(_MARGIN, y + 14, shown, style))
                y += step
        y += 8 if title or any(subtitles) else 0
        elements, height = legend(self.facts, self.hottest, _MARGIN, y, room)
        self.elements += elements
        return y + height + (16 if height else 0)

    # ---- scopes ----

    def _inside(self, box: Box, x: int, y: int) -> None:
        """Wires first, so that boxes lie on them."""
        outer = len(self.placed) - 1
        if self.facts.live:
            self._live_wires(box.wires, x, y)
        else:
            self._wires(box.wires, x, y)
        for child in box.boxes:
            folded = _FOLDED if child.part.path and not (isinstance(child.part, Card) and child.part.join) else 0
            self.placed.append(Placed(outer, x + child.x, y + child.y, child, folded))
            if isinstance(child.part, Card):
                self._card(child, child.part, x + child.x, y + child.y)
            else:
                self._scope(child, child.part, x + child.x, y + child.y)

    def _scope(self, box: Box, scope: Scope, x: int, y: int) -> None:
        nodes = tuple(members(scope))
        self.elements.append(f'<g class="scope{self._fate(nodes)}" data-path="{safe(scope.path)}"{self._box()}>')
        self.elements.append(rect("body", x + 0.5, y + 0.5, box.width - 1, box.height - 1, round_=8))
        shown = label_text(scope.label)
        start = x + label_at(self.facts)
        words = [text(start, y + 15, shown, "title")]
        share = sum(self.facts.share(n) for n in nodes)
        after = start + round(text_width(shown, *STYLES["title"])) + 6
        if share:
            words.append(text(after, y + 15, percent(share), "share"))
        self._heading(words, x + LABEL_AT, y, (x, y, min(box.width, after - x + 40), HEADER + 2))
        self._inside(box, x, y)
        self.elements.append("</g>")

    def _box(self) -> str:
        """The number of the box that was placed last."""
        return f' data-box="{len(self.placed) - 1}"' if self.facts.live else ""

    def _heading(self, words: list[str], x: int, y: int, place: tuple[int, int, int, int]) -> None:
        """The words of a heading; where the picture is live, with a sign, as something to press."""
        if not self.facts.live:
            self.elements += words
            return
        sign = path("toggle", [f"M{x} {y + 8}h7l-3.5 5z"])
        self.elements.append('<g class="knob" role="button" tabindex="-1" aria-expanded="true">')
        self.elements += [rect("hit", *place, round_=4), sign, *words, "</g>"]

    def _fate(self, nodes: Iterable[str]) -> str:
        """The class of what has nothing left in it, and of what is new as a whole."""
        states = {self.facts.states[n] for n in nodes}
        return {State.GONE: " gone", State.NEW: " new"}.get(states.pop(), "") if len(states) == 1 else ""

    def _wires(self, wires: Iterable[Wire], x: int, y: int) -> None:
        """Living wires on top of dead ones, and new ones on top of these."""
        moved = [w.moved(x, y) for w in wires]
        styles = [self._wire(w) for w in moved]
        for style in (" gone", "", " new"):
            chosen = [w for w, its in zip(moved, styles, strict=True) if its == style]
            self.elements.append(path(f"wire{style}", [_line(w) for w in chosen]))
            self.elements.append(path(f"arrow{style}", [_arrow(*w.points[-1]) for w in chosen if w.arrow]))

    def _wire(self, wire: Wire) -> str:
        """The class of a wire: it lives while any of its edges does, and is new where all of these are."""
        live = [edge for edge in wire.edges if self.facts.is_live(edge)]
        if not live:
            return " gone"
        return " new" if all(map(self.facts.is_new, live)) else ""

    def _live_wires(self, wires: Iterable[Wire], x: int, y: int) -> None:
        """Each wire by itself, with the edges along it: which of them live may change."""
        self.elements.append('<g class="wires">')
        moved = [w.moved(x, y) for w in wires]
        for style in (" gone", "", " new"):
            for wire in (w for w in moved if self._wire(w) == style):
                ends = sorted((self.number[a], self.number[b]) for a, b in wire.edges)
                edges = " ".join(f"{a}-{b}" for a, b in ends)
                arrow = path(f"arrow{style}", [_arrow(*wire.points[-1])]) if wire.arrow else ""
                line_ = path(f"wire{style}", [_line(wire)])
                self.elements.append(f'<g class="net" data-e="{edges}">{line_}{arrow}</g>')
        self.elements.append("</g>")

    # ---- cards ----

    def _card(self, box: Box, card: Card, x: int, y: int) -> None:
        if card.join:
            self._join(box, card, x, y)
            return
        kind = "end" if not card.nodes or self.facts.drawn.node[card.nodes[0]].op.name == "input" else "card"
        fate = self._fate(card.nodes) if card.nodes else ""
        where = f' data-path="{safe(card.path)}"' if card.path else ""
        self.elements.append(f'<g class="{kind}{fate}"{where}{self._box()}>')
        round_ = 11 if kind == "end" and card.height < 40 else _CORNER
        self.elements.append(rect("body", x + 0.5, y + 0.5, card.width - 1, card.height - 1, round_=round_))
        for i, row in enumerate(card.rows):
            self._row(card, row, x, y, first=i == 0)
        self.elements.append("</g>")

    def _row(self, card: Card, row: Row, x: int, y: int, *, first: bool) -> None:
        if row.kind == "width" and not first:
            level = y + row.y + 0.5
            self.elements.append(path("rule", [line([(x + 1, level), (x + card.width - 1, level)], 0)]))
        if row.kind == "title":
            words = [_text(t, x, y) for t in row.texts]
            self._heading(words, x + PAD, y, (x + 1, y + 1, card.width - 2, row.height))
            return
        if not row.node:
            self.elements += [_text(t, x, y) for t in row.texts]
            return
        self._open(f"row{_STATES[self.facts.states[row.node]]}", row.node)
        last = row is card.rows[-1]
        top, bottom = (1 if first else row.y + 1), (card.height - 1 if last else row.y + row.height)
        place = x + 1, y + top, card.width - 2, bottom - top
        self.elements.append(panel(self._heat(row.node), *place, _INNER * first, _INNER * last))
        if row.meter is not None:
            self._meter(row.meter, x, y)
        if row.strip is not None:
            strip = row.strip
            self.elements.append(rect("strip", x + strip.x, y + strip.y, strip.length, STRIP))
        self.elements += [_text(t, x, y) for t in row.texts]
        self.elements.append("</g>")

    def _meter(self, meter: Meter, x: int, y: int) -> None:
        left, top = x + meter.x, y + meter.y
        if meter.full:
            self.elements.append(rect("track", left, top, meter.full, BAR_HEIGHT, round_=3))
        if meter.full and (meter.filled or self.facts.live):
            style = f"left{group_style(meter.group)}{'' if meter.own else ' follows'}"
            width = max(2, min(meter.filled, meter.full)) if meter.filled else 0
            self.elements.append(rect(style, left, top, width, BAR_HEIGHT, round_=min(3, width / 2)))
        if meter.filled > meter.full:
            self.elements.append(rect("more", left + meter.full, top, meter.filled - meter.full, BAR_HEIGHT))
        self.elements.append(cuts(meter.group, left, top, max(meter.full, meter.filled), BAR_HEIGHT))

    def _join(self, box: Box, card: Card, x: int, y: int) -> None:
        """A sign, wider where several wires come in; its caption stands to the right."""
        (row,) = card.rows
        more = box.width - card.width
        bypassed = self.facts.states[row.node] is State.BYPASSED
        style = _STATES[self.facts.states[row.node]]
        # The page has both looks of a sign, and shows the one that is right.
        through = " bypassed" if bypassed and self.facts.live else ""
        self._open(f"join{style}{through}", row.node, self._box())
        size = SIGN + more - 1, SIGN - 1
        self.elements.append(rect(f"sign{style}", x + 0.5, y + 0.5, *size, round_=(SIGN - 1) / 2))
        middle = (x + card.axis + more / 2, y + SIGN / 2)
        sums = self.facts.drawn.node[row.node].op.name == "add"
        if bypassed or self.facts.live:
            self.elements.append(path("wire through" if self.facts.live else "wire", _plus(*middle, sums, True)))
        if not bypassed or self.facts.live:
            self.elements.append(path(f"plus{style}", _plus(*middle, sums, False)))
        self.elements += [_text(t, x + more, y) for t in row.texts]
        self.elements.append("</g>")

    def _open(self, style: str, node: str, more: str = "") -> None:
        if self.facts.live:
            number = self.number[node]
            self.elements.append(f'<g class="{style}" data-node="{number}"{more} role="button" tabindex="-1">')
            return
        words = safe(tooltip(self.facts.drawn.node[node], self.facts), lines=True)
        self.elements.append(f'<g class="{style}" data-node="{safe(node)}"><title>{words}</title>')

    def _heat(self, node: str) -> str:
        step = heat(self.facts.share(node), self.hottest)
        return f"h{step}" if step else "hit"


def _text(words: Text, x: int, y: int) -> str:
    return text(x + words.x, y + words.y, words.text, words.style, end=words.end)


def _line(wire: Wire) -> str:
    """A wire, which stops short of the point of its arrow."""
    *others, (x, y) = wire.points
    return line([*others, (x, y - _ARROW[1] + 2)] if wire.arrow else wire.points, RADIUS)


def _arrow(x: int, y: int) -> str:
    half, length = _ARROW
    return f"M{x - half} {y - length}L{x} {y}L{x + half} {y - length}Z"


def _plus(x: float, y: float, sums: bool, bypassed: bool) -> list[str]:
    """`+`, `×`, or just the tensor passing through."""
    if bypassed:
        return [line([(x, y - SIGN / 2), (x, y + SIGN / 2)], 0)]
    if sums:
        return [line([(x - 5, y), (x + 5, y)], 0), line([(x, y - 5), (x, y + 5)], 0)]
    return [line([(x - 4, y - 4), (x + 4, y + 4)], 0), line([(x - 4, y + 4), (x + 4, y - 4)], 0)]
