"""SVG elements as text: escaped, at whole pixels, with corners rounded."""

import re
from collections.abc import Iterable, Sequence
from html import escape

Point = tuple[float, float]

# Control characters but for line breaks, what turns the direction of all that follows, halves of surrogate pairs,
# and what is no character.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_SPACES = str.maketrans("\t\n\r", "   ")
_SPACES_IN_LINES = str.maketrans("\t\r", "  ")


def safe(text: str, *, lines: bool = False) -> str:
    """Text for XML: markup escaped, and what XML cannot hold replaced."""
    return escape(plain(text, lines=lines), quote=True)


def plain(text: str, *, lines: bool = False) -> str:
    """Text without control characters and what else no document can hold."""
    return _FORBIDDEN.sub("\ufffd", text.translate(_SPACES_IN_LINES if lines else _SPACES))


def text(x: float, y: float, words: str, style: str, *, end: bool = False) -> str:
    anchor = ' text-anchor="end"' if end else ""
    return f'<text class="{style}" x="{number(x)}" y="{number(y)}"{anchor}>{safe(words)}</text>'


def rect(style: str, x: float, y: float, width: float, height: float, *, round_: float = 0) -> str:
    corner = f' rx="{number(round_)}"' if round_ else ""
    return (
        f'<rect class="{style}" x="{number(x)}" y="{number(y)}" '
        f'width="{number(width)}" height="{number(height)}"{corner}/>'
    )


def panel(style: str, x: float, y: float, width: float, height: float, above: float, below: float) -> str:
    """A rectangle with one radius for its upper and one for its lower corners."""
    if not above and not below:
        return rect(style, x, y, width, height)
    right, bottom = x + width, y + height
    points = (
        f"M{_pair((x, y + above))}Q{_pair((x, y))} {_pair((x + above, y))}H{number(right - above)}"
        f"Q{_pair((right, y))} {_pair((right, y + above))}V{number(bottom - below)}"
        f"Q{_pair((right, bottom))} {_pair((right - below, bottom))}H{number(x + below)}"
        f"Q{_pair((x, bottom))} {_pair((x, bottom - below))}Z"
    )
    return path(style, [points])


def path(style: str, commands: Iterable[str]) -> str:
    """One path of several pieces; nothing where there are none."""
    joined = "".join(commands)
    return f'<path class="{style}" d="{joined}"/>' if joined else ""


def line(points: Sequence[Point], radius: float) -> str:
    """A line through points, its corners rounded as far as the pieces allow."""
    (x, y), *others = points
    commands = [f"M{number(x)} {number(y)}"]
    previous = (x, y)
    for i, corner in enumerate(others[:-1]):
        following = others[i + 1]
        # A piece between two corners is shared by both.
        first, last = i == 0, i + 2 == len(others)
        before_it, after_it = _length(points[i], corner), _length(corner, following)
        cut = min(radius, before_it / (1 if first else 2), after_it / (1 if last else 2))
        before, after = _towards(corner, points[i], cut), _towards(corner, following, cut)
        commands.append(_to(previous, before))
        commands.append(f"Q{_pair(corner)} {_pair(after)}")
        previous = after
    commands.append(_to(previous, others[-1]))
    return "".join(commands)


def number(value: float) -> str:
    """At most one decimal, without a needless zero."""
    return f"{value:.1f}".removesuffix(".0")


def _to(start: Point, end: Point) -> str:
    if start == end:
        return ""
    if start[0] == end[0]:
        return f"V{number(end[1])}"
    return f"H{number(end[0])}" if start[1] == end[1] else f"L{_pair(end)}"


def _pair(point: Point) -> str:
    return f"{number(point[0])} {number(point[1])}"


def _length(a: Point, b: Point) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def _towards(start: Point, goal: Point, distance: float) -> Point:
    """A point `distance` from `start` on an upright or level line."""
    length = _length(start, goal)
    if not length:
        return start
    part = distance / length
    return start[0] + (goal[0] - start[0]) * part, start[1] + (goal[1] - start[1]) * part
