"""Widths of a page, block by block: bars as long as the teacher's width, filled as far as it is kept."""

from itertools import groupby

from catdsl.view.report.content import WidthChange
from catdsl.view.report.markup import Html, element, joined
from catdsl.view.report.wording import counted

_ARROW = "\N{RIGHTWARDS ARROW}"


def width_bars(widths: tuple[WidthChange, ...]) -> Html:
    """All widths in their order, those of one block under its name."""
    blocks = groupby(widths, key=lambda width: width.block)
    return element("div", joined(_block(name, tuple(inside)) for name, inside in blocks), class_="widths")


def _block(name: str, widths: tuple[WidthChange, ...]) -> Html:
    if all(width.vanished for width in widths) and len(widths) > 1:
        remark = element("span", f" (all {counted(len(widths), 'width')} vanished)", class_="muted small")
    else:
        remark = None
    return element("div", element("h3", name, remark), element("ul", joined(map(_row, widths))), class_="block")


def _row(width: WidthChange) -> Html:
    local = width.name.removeprefix(f"{width.block}.")
    words = f"{width.teacher} {_ARROW} {width.student}" if width.student != width.teacher else f"{width.teacher}"
    return element(
        "li", element("span", local, class_="name", title=width.name), _bar(width), element("span", words),
        class_="gone" if width.vanished else None,
    )  # fmt: skip


def _bar(width: WidthChange) -> Html:
    if width.vanished:
        return element("span", "vanished", class_="lost")
    filled = element("i", style=f"width:{100 * min(width.kept, 1):.4g}%")
    return element("span", filled, class_="bar", aria_hidden="true")
