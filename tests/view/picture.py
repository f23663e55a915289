"""An SVG picture read back and measured: what overlaps, what leaves its box, what does not fit."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from xml.etree import ElementTree

from PIL import ImageFont

from catdsl.view.typeface import STYLES, text_width

_SVG = "{http://www.w3.org/2000/svg}"
_BOXES = ("scope", "card", "end", "join")
_BARS = ("track", "left", "more")
_TOKEN = re.compile(r"[MLHVQZ]|-?[\d.]+")
_SLACK = 1.5

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Frame") -> bool:
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across > _SLACK and down > _SLACK

    def holds(self, other: "Frame") -> bool:
        return (
            self.left <= other.left + _SLACK and other.right <= self.right + _SLACK
            and self.top <= other.top + _SLACK and other.bottom <= self.bottom + _SLACK
        )  # fmt: skip


@dataclass(slots=True)
class Drawn:
    """A scope, card or sign with what is drawn directly in it."""

    name: str
    kind: str
    frame: Frame
    texts: list[tuple[str, str, Frame]] = field(default_factory=list)
    lines: list[Frame] = field(default_factory=list)
    bars: list[Frame] = field(default_factory=list)
    inner: list["Drawn"] = field(default_factory=list)

    def everything(self) -> Iterator["Drawn"]:
        yield self
        for box in self.inner:
            yield from box.everything()


def read(svg: str) -> Drawn:
    """The picture as nested boxes; the outermost is the page."""
    root = ElementTree.fromstring(svg)
    page = Drawn("page", "page", Frame(0, 0, float(root.get("width", 0)), float(root.get("height", 0))))
    for element in root:
        _read_into(page, element)
    return page


def problems(svg: str) -> list[str]:
    """Everything that is wrong with a picture."""
    page = read(svg)
    found: list[str] = []
    for box in page.everything():
        found += _boxes(box)
        found += _lines(box)
        found += _texts(box)
    return found


# ---- reading ----


def _read_into(parent: Drawn, element: ElementTree.Element) -> None:
    kind = (element.get("class") or "").split(" ")[0]
    tag = element.tag.removeprefix(_SVG)
    if tag == "g" and kind in _BOXES:
        inner = _box(element, kind)
        parent.inner.append(inner)
        for child in element:
            _read_into(inner, child)
    elif tag == "g":
        for child in element:
            _read_into(parent, child)
    elif tag == "text":
        parent.texts.append(_text(element, kind))
    elif tag == "rect" and kind in _BARS:
        parent.bars.append(_rect(element))
    elif tag == "path" and kind in ("wire", "arrow"):
        parent.lines += path_pieces(element.get("d", ""))


def _box(element: ElementTree.Element, kind: str) -> Drawn:
    body = next(e for e in element if (e.get("class") or "").split(" ")[0] in ("body", "sign"))
    first = next((e.get("data-node") for e in element.iter() if e.get("data-node")), "")
    return Drawn(f"{kind} {element.get('data-path') or first}", kind, _rect(body))


def _rect(element: ElementTree.Element) -> Frame:
    x, y, width, height = (float(element.get(key, "nan")) for key in ("x", "y", "width", "height"))
    return Frame(x, y, x + width, y + height)


def _text(element: ElementTree.Element, style: str) -> tuple[str, str, Frame]:
    words = element.text or ""
    size, bold = STYLES[style]
    # The table is meant to be wide enough for any font; a real one is measured as well.
    width = max(text_width(words, size, bold), _real_width(words, size))
    x, y = float(element.get("x", "nan")), float(element.get("y", "nan"))
    left = x - width if element.get("text-anchor") == "end" else x
    return words, style, Frame(left, y - 0.75 * size, left + width, y + 0.2 * size)


def _real_width(words: str, size: float) -> float:
    return float(_font(size).getlength(words))


@cache
def _font(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def path_pieces(commands: str) -> list[Frame]:
    """The straight pieces of a path, and the chords of its curves, as flat rectangles."""
    pieces: list[Frame] = []
    here: Point = (0, 0)
    start = here
    for command, numbers in _commands(commands):
        match command:
            case "M":
                here = start = (numbers[0], numbers[1])
                continue
            case "Z":
                end = start
            case "H":
                end = (numbers[0], here[1])
            case "V":
                end = (here[0], numbers[0])
            case _:
                end = (numbers[-2], numbers[-1])
        pieces.append(Frame(min(here[0], end[0]), min(here[1], end[1]), max(here[0], end[0]), max(here[1], end[1])))
        here = end
    return pieces


def _commands(text: str) -> Iterator[tuple[str, list[float]]]:
    command = ""
    numbers: list[float] = []
    for token in _TOKEN.findall(text):
        if token.isalpha():
            if command:
                yield command, numbers
            command, numbers = token, []
        else:
            numbers.append(float(token))
    if command:
        yield command, numbers


# ---- judging ----


def _boxes(box: Drawn) -> Iterator[str]:
    for i, inner in enumerate(box.inner):
        if not box.frame.holds(inner.frame):
            yield f"{inner.name} leaves {box.name}"
        for other in box.inner[:i]:
            if inner.frame.overlaps(other.frame):
                yield f"{inner.name} overlaps {other.name}"


def _lines(box: Drawn) -> Iterator[str]:
    """Wires of a scope may touch the boxes in it from outside, cross none, and leave its words alone."""
    for line in box.lines:
        if not box.frame.holds(line):
            yield f"a wire at {line} leaves {box.name}"
        for inner in box.inner:
            if _crosses(line, inner.frame):
                yield f"a wire at {line} runs through {inner.name}"
        for words, _, frame in (*box.texts, *_captions(box)):
            if _crosses(line, frame):
                yield f"a wire at {line} runs through the words {words!r} in {box.name}"


def _crosses(line: Frame, frame: Frame) -> bool:
    """Whether a line has a point well within a frame."""
    across = min(line.right, frame.right - _SLACK) - max(line.left, frame.left + _SLACK)
    down = min(line.bottom, frame.bottom - _SLACK) - max(line.top, frame.top + _SLACK)
    return across >= 0 and down >= 0


def _texts(box: Drawn) -> Iterator[str]:
    for i, (words, _, frame) in enumerate(box.texts):
        # The caption of a sign stands beside it; there it must keep clear of everything else.
        if box.kind == "join":
            continue
        if not box.frame.holds(frame):
            yield f"{words!r} does not fit {box.name}"
        others = (other for other, _, at in box.texts[:i] if at.overlaps(frame))
        yield from (f"{words!r} overlaps {other!r} in {box.name}" for other in others)
        under = (inner for inner in box.inner if inner.frame.overlaps(frame))
        yield from (f"{words!r} lies under {inner.name}" for inner in under)
        yield from (f"{words!r} lies on a bar in {box.name}" for bar in box.bars if bar.overlaps(frame))
    yield from (f"a bar at {bar} leaves {box.name}" for bar in box.bars if not box.frame.holds(bar))
    for words, _, frame in _captions(box):
        if not box.frame.holds(frame):
            yield f"caption {words!r} leaves {box.name}"
        under = (inner for inner in box.inner if inner.frame.overlaps(frame))
        yield from (f"caption {words!r} lies under {inner.name}" for inner in under)


def _captions(box: Drawn) -> list[tuple[str, str, Frame]]:
    """The words beside the signs in a box."""
    return [text for inner in box.inner if inner.kind == "join" for text in inner.texts]
