"""Cards: the rows of text and bars of one run of operators, measured, so that all of it fits."""

from dataclasses import dataclass
from math import sqrt

from catdsl.ir.graph import Node
from catdsl.view.describe import alteration, channels, local_name, longest_change, percent, shape
from catdsl.view.facts import Facts, State
from catdsl.view.groups import letter, shared_widths
from catdsl.view.structure import Run, is_join, taps_by_node
from catdsl.view.typeface import STYLES, fit, text_width

PAD = 9
BAR_HEIGHT = 6
SIGN = 22  # the diameter of a sum
TOGGLE = 10  # the room of the sign that folds
STRIP = 16  # the height of the scores of a width
_BAR = 64  # the longest bar
_LEAST_BAR = 10
_WIDEST = 260
_GAP = 7
_MARK = "◆ "


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text on a card: `x` is its end where `end`, else its start; `y` its baseline."""

    x: int
    y: int
    text: str
    style: str
    end: bool = False


@dataclass(frozen=True, slots=True)
class Meter:
    """A width as a bar: the channels before, the teacher's, and the ones left; these may also be more.

    `group` numbers the width among those that several convs make; -1 where this one is alone.
    """

    x: int
    y: int
    full: float
    filled: float
    own: bool
    group: int


@dataclass(frozen=True, slots=True)
class Strip:
    """The room for the scores of a width."""

    x: int
    y: int
    length: int


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a card. `node` is "" where it belongs to no single node."""

    y: int
    height: int
    node: str
    texts: tuple[Text, ...]
    meter: Meter | None = None
    kind: str = "operator"
    strip: Strip | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """`axis` is where wires come in and go out. A `join` is a round sign with its caption to the right."""

    nodes: tuple[str, ...]
    width: int
    height: int
    axis: int
    rows: tuple[Row, ...]
    join: bool = False
    path: str = ""


class CardMaker:
    """Makes the cards of one picture; bars of all cards have one scale."""

    def __init__(self, facts: Facts):
        self.facts = facts
        self.largest = max((max(bar.full, bar.filled) for bar in facts.bars.values()), default=1) or 1
        self.groups = shared_widths(facts)
        self.taps = taps_by_node(facts.drawn)

    def natural_width(self, run: Run, title: str = "") -> int:
        """The width at which a card needs no ellipsis; 0 for a join, which has no rows."""
        if self._is_join(run):
            return 0
        widths = [self._natural(run, i) for i in range(len(run.nodes))]
        labels = (label for n in run.nodes for label in self.taps.get(n, ()))
        widths += [text_width(_MARK + label, *_font("tap")) for label in labels]
        if title:
            share = _GAP + text_width("00.0 %", *_font("share"))
            widths.append(text_width(title, *_font("title")) + share + TOGGLE * self.facts.live)
        # Each of the pieces is rounded to whole pixels.
        return _even(min(_WIDEST, max(widths) + 2 * PAD + 3))

    def card(self, run: Run, width: int, *, title: str = "", path: str = "") -> Card:
        if self._is_join(run):
            return self._join(run, title, path)
        rows = [self._title(run, title, width)] if title else []
        y = rows[0].height if rows else 4
        for i, name in enumerate(run.nodes):
            rows.append(self._row(run, i, y, width))
            y += rows[-1].height
            for label in self.taps.get(name, ()):
                rows.append(_tap(label, y, width))
                y += rows[-1].height
        return Card(run.nodes, width, y + 4, width // 2, tuple(rows), path=path)

    def output(self) -> Card:
        """The end of the network."""
        width = _even(text_width("output", *_font("title")) + 2 * PAD)
        text = Text(PAD, 15, "output", "title")
        return Card((), width, 22, width // 2, (Row(0, 22, "", (text,), kind="end"),))

    # ---- joins ----

    def _is_join(self, run: Run) -> bool:
        return is_join(self.facts.drawn.node[run.nodes[0]])

    def _join(self, run: Run, title: str, path: str) -> Card:
        """A sign, and to its right what it is called where it stands for a whole statement."""
        node = self.facts.drawn.node[run.nodes[0]]
        words = [(title, "title")] if title else []
        words += [(_MARK + label, "tap") for label in self.taps.get(node.name, ())]
        x = SIGN + 6
        texts = []
        for word, style in words:
            shown = fit(word, _WIDEST - x, *_font(style))
            texts.append(Text(x, 15, shown, style))
            x += round(text_width(shown, *_font(style))) + _GAP
        width = _even(x) if texts else SIGN
        row = Row(0, SIGN, node.name, tuple(texts), kind="join")
        return Card(run.nodes, width, SIGN, SIGN // 2, (row,), True, path)

    # ---- rows ----

    def _words(self, run: Run, index: int) -> tuple[str, str, str]:
        """Name, detail and shape; the shape only where it is new."""
        node = self.facts.drawn.node[run.nodes[index]]
        size = self.facts.shapes[node.name]
        same = index > 0 and self.facts.shapes[run.nodes[index - 1]] == size
        return local_name(node.name), alteration(node, self.facts), "" if same else shape(size)

    def _natural(self, run: Run, index: int) -> float:
        name, detail_, shape_ = self._words(run, index)
        node = self.facts.drawn.node[run.nodes[index]]
        width = text_width(name, *_font(self._name_style(node)))
        more = ((detail_, "detail"), (shape_, "shape"))
        width += sum(_GAP + text_width(words, *_font(style)) for words, style in more if words)
        bar = self.facts.bars.get(node.name)
        if bar is None:
            return width
        room = self._count_room(node.name)
        if bar.tied in self.groups:
            room += _GAP + text_width(letter(self.groups[bar.tied]), *_font("share"))
        return max(width, _BAR + _GAP + room)

    def _count_room(self, node: str) -> float:
        """Pixels of the widest count that a bar may come to have."""
        count = longest_change(self.facts.bars[node]) if self.facts.scored else channels(node, self.facts)
        return text_width(count, *_font("count"))

    def _name_style(self, node: Node) -> str:
        return "name" if _is_main(node) else "plain"

    def _row(self, run: Run, index: int, y: int, width: int) -> Row:
        node = self.facts.drawn.node[run.nodes[index]]
        name, detail_, shape_ = self._words(run, index)
        style = self._name_style(node)
        base = y + (15 if style == "name" else 12)
        room = width - 2 * PAD
        texts = []
        if shape_:
            shape_ = fit(shape_, room * 0.6, *_font("shape"))
            texts.append(Text(width - PAD, base, shape_, "shape", end=True))
            room -= round(text_width(shape_, *_font("shape"))) + _GAP
        shown = fit(name, room, *_font(style))
        texts.insert(0, Text(PAD, base, shown, style))
        used = text_width(shown, *_font(style)) + _GAP
        if detail_ and room - used >= 8:
            detail_ = fit(detail_, room - used, *_font("detail"))
            texts.insert(1, Text(PAD + round(used), base, detail_, "detail"))
        bar = self.facts.bars.get(node.name)
        if bar is None:
            return Row(y, 20 if style == "name" else 16, node.name, tuple(texts), kind=style)
        label = fit(channels(node.name, self.facts), room, *_font("count"))
        texts.append(Text(width - PAD, y + 30, label, "count", end=True))
        if bar.tied in self.groups:
            x = width - PAD - round(min(room, self._count_room(node.name))) - _GAP
            texts.append(Text(x, y + 30, letter(self.groups[bar.tied]), "share", end=True))
        meter = self._meter(node, y + 23)
        if not bar.own or bar.width not in self.facts.scored:
            return Row(y, 37, node.name, tuple(texts), meter, kind="width")
        strip = Strip(PAD, y + 34, width - 2 * PAD)
        return Row(y, 37 + STRIP, node.name, tuple(texts), meter, "width", strip)

    def _meter(self, node: Node, y: int) -> Meter:
        # The root keeps a branch of 10 channels visible beside a stream of 256.
        bar = self.facts.bars[node.name]
        most = max(bar.full, bar.filled)
        long = max(_LEAST_BAR, round(_BAR * sqrt(most / self.largest)))
        gone = self.facts.states[node.name] is State.GONE
        full = round(long * bar.full / most, 1) if most else float(long)
        filled = 0.0 if gone or not most else round(long * bar.filled / most, 1)
        return Meter(PAD, y, full, filled, bar.own, self.groups.get(bar.tied, -1))

    def _title(self, run: Run, title: str, width: int) -> Row:
        start = PAD + TOGGLE * self.facts.live
        room = width - PAD - start
        texts = []
        share = sum(self.facts.share(n) for n in run.nodes)
        if share:
            texts.append(Text(width - PAD, 15, percent(share), "share", end=True))
            room -= round(text_width(percent(share), *_font("share"))) + _GAP
        texts.insert(0, Text(start, 15, fit(title, room, *_font("title")), "title"))
        return Row(0, 22, "", tuple(texts), kind="title")


def _is_main(node: Node) -> bool:
    """Convolutions and what changes or joins tensors stand out; norms and activations do not."""
    return len(node.inputs) != 1 or node.op.name in _MAIN


_MAIN = (
    "conv", "dwconv", "deconv", "scatter_conv", "resize", "pixel_shuffle", "avg_pool", "max_pool", "split", "concat",
)  # fmt: skip


def _tap(label: str, y: int, width: int) -> Row:
    shown = fit(_MARK + label, width - 2 * PAD, *_font("tap"))
    return Row(y, 17, "", (Text(PAD, y + 12, shown, "tap"),), kind="tap")


def _font(style: str) -> tuple[float, bool]:
    return STYLES[style]


def _even(width: float) -> int:
    """Rounded up to an even number, so that the middle is a whole pixel."""
    return 2 * -(-round(width + 0.5) // 2)
