"""What all plots have in common: a frame with grid, ticks and the names of its axes, and a picture around it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from catdsl.view.axes import Axis, compact
from catdsl.view.plot_style import plot_style_sheet
from catdsl.view.svg_elements import Point, path, rect, safe, text
from catdsl.view.typeface import STYLES, text_width

_TYPE = STYLES["legend"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The rectangle of a plot, in pixels, between its two axes."""

    left: float
    top: float
    width: float
    height: float
    across: Axis
    up: Axis

    def place(self, x: float, y: float) -> Point:
        """The pixel of a pair of values."""
        return self.left + self.across.place(x) * self.width, self.top + (1 - self.up.place(y)) * self.height

    def drawn(
        self, across: str, up: str, *,
        across_words: Callable[[float], str] = compact, up_words: Callable[[float], str] = compact,
    ) -> list[str]:  # fmt: skip
        """Grid, ticks and names of both axes; the upright one's stands above it, 14 pixels of room."""
        right, bottom = self.left + self.width, self.top + self.height
        elements = []
        for tick in self.up.ticks:
            _, y = self.place(self.across.low, tick)
            elements.append(path("rule", [f"M{self.left:.1f} {y:.1f}H{right:.1f}"]))
            elements.append(text(self.left - 6, y + 4, up_words(tick), "legend", end=True))
        elements.append(path("axis", [f"M{self.left:.1f} {bottom:.1f}H{right:.1f}"]))
        reached = float("-inf")
        for tick in self.across.ticks:
            x, _ = self.place(tick, self.up.low)
            words = across_words(tick)
            half = text_width(words, *_TYPE) / 2
            elements.append(path("axis", [f"M{x:.1f} {bottom:.1f}V{bottom + 4:.1f}"]))
            if x - half < reached:
                continue
            elements.append(text(x - half, bottom + 16, words, "legend"))
            reached = x + half + 6
        elements.append(text(right, bottom + 32, across, "legend", end=True))
        elements.append(text(max(self.left - 48, 0), self.top - 10, up, "legend"))
        return elements


def picture(width: float, height: float, elements: Iterable[str], *, title: str, about: str, alone: bool) -> str:
    """An SVG of class `plot`, described for those who do not see it.

    `alone` is a file of its own, which brings its style along; within a page the page has it.
    """
    inside = f'<svg class="plot" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{safe(title)}">'
    outside = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{safe(title)}">'
    )
    head = [outside if alone else inside, f"<title>{safe(title)}</title>", f"<desc>{safe(about)}</desc>"]
    if alone:
        head += [f"<style>{plot_style_sheet()}</style>", rect("page", 0, 0, width, height)]
    return "\n".join((*head, *elements, "</svg>", ""))
