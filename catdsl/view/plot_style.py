"""Style of plots, as classes below `.plot`, so that a page can hold it beside its own."""

from catdsl.view.palette import DASHES, PAGE, SERIES, both
from catdsl.view.svg_style import FONTS
from catdsl.view.typeface import STYLES

_SIZES = ("heading", "subheading", "legend")

# What is coloured, by which property, and with which colour of pages.
_COLOURS = (
    (".plot .page", "fill", "page"),
    (".plot .heading", "fill", "text"),
    (".plot .subheading,.plot .legend", "fill", "muted"),
    (".plot .name", "fill", "text"),
    (".plot .rule", "stroke", "rule"),
    (".plot .axis,.plot .leader", "stroke", "control"),
    (".plot .whole", "stroke", "text"),
    (".plot .mark.whole", "fill", "text"),
    (".plot .halo", "stroke", "page"),
)

_FIXED = """
.plot .rule,.plot .axis{stroke-width:1}
.plot .leader{stroke-width:.8}
.plot .curve,.plot .rule,.plot .axis,.plot .leader,.plot .whisker{fill:none}
.plot .halo{paint-order:stroke;stroke-width:3px;stroke-linejoin:round}
.plot .curve{stroke-width:1.8;stroke-linejoin:round}
.plot .raw{stroke-width:1;stroke-opacity:.35}
.plot .whisker{stroke-width:1.4;stroke-opacity:.75}
.plot .thin{stroke-width:1.2;stroke-opacity:.6}
"""


def colour(index: int) -> str:
    """The class for the colour of a series."""
    return f"s{index % len(SERIES)}"


def series(index: int) -> str:
    """The classes of a series: its colour, and its line where colours come round again."""
    return f"{colour(index)} d{index // len(SERIES) % len(DASHES)}"


def plot_style_sheet() -> str:
    """CSS for a <style> element."""
    type_ = "".join(
        f".plot .{name}{{font-size:{size:g}px{';font-weight:600' if bold else ''}}}"
        for name, (size, bold) in STYLES.items()
        if name in _SIZES
    )
    dashes = "".join(f".plot .d{i}{{stroke-dasharray:{dash}}}" for i, dash in enumerate(DASHES))
    always = f".plot text{{font-family:{FONTS};white-space:pre}}.plot .name{{font-size:{STYLES['legend'][0]}px}}"
    return always + _FIXED + type_ + dashes + both(_colours(0), _colours(1))


def _colours(index: int) -> str:
    of_pages = "".join(f"{what}{{{how}:{PAGE[name][index]}}}" for what, how, name in _COLOURS)
    of_series = "".join(
        f".plot .s{i}{{stroke:{colours[index]}}}.plot .mark.s{i}{{fill:{colours[index]}}}"
        for i, colours in enumerate(SERIES)
    )
    return of_pages + of_series
