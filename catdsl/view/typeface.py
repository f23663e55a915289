"""How wide text is, estimated from a table so that it fits whatever font the reader's system has."""

from unicodedata import combining, east_asian_width

# Hundredths of the font size, from DejaVu Sans and its bold, which are wider than the interface
# fonts of the usual systems. Of what is not listed, East Asian type is set FULL, the rest OTHER.
_REGULAR = {
    28: "'ijl", 32: " ,.I·", 36: "/:;\\f|", 40: "()-[]t", 44: "!r", 48: '"', 52: "*_`\u2013", 56: "?JLcsz",
    60: "Fkvxy", 64: "$0123456789EPSTYabdeghnopqu{}", 68: "K", 72: "ABCRVXZ", 76: "HNU", 80: "&DGOQ◆",
    84: "#+<=>^w~\u00d7→↑↓", 88: "M", 96: "%", 100: "@Wm…",
}  # fmt: skip
_BOLD = {
    32: "'", 36: " ijl", 40: ",./:;I\\|·", 44: "-f", 48: "!()[]t", 52: "_`r\u2013", 56: '"*', 60: "?Jcsz",
    64: "L", 68: "aekvxy", 72: "$0123456789EFTbdghnopqu{}", 76: "CPSYZ", 80: "ABKRVX◆",
    84: "#+<=>DGHNU^~\u00d7→↑↓", 88: "&OQ", 96: "w", 100: "@M…", 104: "%", 108: "m", 112: "W",
}  # fmt: skip
_OTHER, _FULL, _EMOJI = 90, 108, 140
_FIRST_EMOJI = "\U0001f000"
_ELLIPSIS = "…"

# Size in pixels, and whether bold, of each kind of text in a picture.
STYLES: dict[str, tuple[float, bool]] = {
    "heading": (17, True), "subheading": (12, False), "legend": (11, False), "title": (11, True),
    "share": (10, False), "name": (11, True), "plain": (10.5, False), "detail": (10.5, False),
    "shape": (10, False), "count": (10.5, True), "tap": (10.5, True),
}  # fmt: skip

_TABLES = tuple({char: width for width, chars in table.items() for char in chars} for table in (_REGULAR, _BOLD))


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Pixels that a line of text takes at most, at a font size in pixels."""
    table = _TABLES[bold]
    return sum(table.get(char) or _unlisted(char) for char in text) * size / 100


def fit(text: str, room: float, size: float, bold: bool = False) -> str:
    """The text, its middle replaced by an ellipsis where it is wider than `room` pixels."""
    if text_width(text, size, bold) <= room:
        return text
    # The two ends of a name tell more than its middle: the scope, and the ordinal.
    most = int(room * 100 / size / min(_REGULAR)) + 1
    for kept in range(min(len(text) - 1, most), 0, -1):
        head = text[: (kept + 1) // 2]
        tail = text[len(text) - kept // 2 :] if kept > 1 else ""
        short = head.rstrip() + _ELLIPSIS + tail.lstrip()
        if text_width(short, size, bold) <= room:
            return short
    return _ELLIPSIS


def _unlisted(char: str) -> int:
    if combining(char):
        return 0
    if char >= _FIRST_EMOJI:
        return _EMOJI
    return _FULL if east_asian_width(char) in "WF" else _OTHER
