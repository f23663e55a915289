"""Colours and type of the SVG pictures, for light and dark surroundings, as one style sheet."""

from catdsl.view.groups import COLOURS
from catdsl.view.palette import HEAT, both
from catdsl.view.typeface import STYLES

FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif"

# What is coloured, by which property, and with what in light and in dark.
_COLOURS: tuple[tuple[str, str, str, str], ...] = (
    (".page", "fill", "#ffffff", "#10151d"),
    (".scope>.body", "fill", "#64748b", "#93a4bd"),
    (".scope>.body", "stroke", "#c3ccd8", "#3a475a"),
    (".card>.body", "fill", "#ffffff", "#19212c"),
    (".card>.body", "stroke", "#b9c4d2", "#445268"),
    (".end>.body", "fill", "#e8f1f2", "#17303a"),
    (".end>.body", "stroke", "#7fa8b0", "#3f6f7c"),
    (".sign", "fill", "#ffffff", "#19212c"),
    (".sign", "stroke", "#7d8da3", "#7b8ca5"),
    (".plus", "stroke", "#475569", "#b6c3d6"),
    (".wire", "stroke", "#8493a8", "#6d7e97"),
    (".arrow", "fill", "#8493a8", "#6d7e97"),
    (".wire.gone", "stroke", "#b9c4d2", "#46556b"),
    (".arrow.gone", "fill", "#b9c4d2", "#46556b"),
    (".rule", "stroke", "#e4e9f0", "#2a3544"),
    (".track", "fill", "#dde5f0", "#2b394d"),
    (".left", "fill", "#3567c4", "#6e9df0"),
    (".left.follows", "fill", "#a3bce6", "#44618f"),
    *((f".left.g{i}", "fill", *colours) for i, colours in enumerate(COLOURS)),
    (".cuts", "stroke", "#ffffff", "#19212c"),
    (".more", "fill", "#1c8a5b", "#5ad19a"),
    (".wire.new", "stroke", "#1c8a5b", "#5ad19a"),
    (".arrow.new", "fill", "#1c8a5b", "#5ad19a"),
    (".new>.body,.sign.new,.plus.new", "stroke", "#1c8a5b", "#5ad19a"),
    (".frame", "stroke", "#e3d5c0", "#57452f"),
    *((f".h{step}", "fill", *colours) for step, colours in enumerate(HEAT, 1)),
    (".heading,.title", "fill", "#1e293b", "#e6ecf5"),
    (".name,.count", "fill", "#1e293b", "#e6ecf5"),
    (".plain,.detail,.shape,.share", "fill", "#475569", "#c2cddc"),
    (".legend,.subheading", "fill", "#5b697d", "#9fb0c6"),
    (".tap", "fill", "#7a3ea8", "#c99af0"),
    (".gone>.body,.sign.gone", "stroke", "#b7c1ce", "#465469"),
    (".gone>text,.gone>.row>text", "fill", "#8794a6", "#71829a"),
    (".row.gone>text", "fill", "#8794a6", "#71829a"),
    (".gone>.track", "stroke", "#b7c1ce", "#465469"),
    (".plus.gone", "stroke", "#b7c1ce", "#465469"),
)

_FIXED = """
text{white-space:pre}
.count,.shape,.share{font-variant-numeric:tabular-nums}
.body,.sign{stroke-width:1}
.scope>.body{fill-opacity:.04}
.wire{fill:none;stroke-width:1.4}
.plus{fill:none;stroke-width:1.6}
.frame{fill:none}
.cuts{fill:none;stroke-width:2}
.hit{fill:none;pointer-events:all}
.left.follows[class*=" g"]{fill-opacity:.55}
.new>.body,.sign.new{stroke-width:1.6}
.gone>.body,.sign.gone{stroke-dasharray:4 3}
.card.gone>.body,.sign.gone{fill-opacity:0}
.scope.gone>.body{fill-opacity:0}
.wire.gone{stroke-dasharray:3 3}
.row.gone>.track{fill-opacity:0;stroke-dasharray:3 2}
"""


def style_sheet() -> str:
    """CSS for a <style> element."""
    type_ = "".join(
        f".{name}{{font-size:{size:g}px{';font-weight:600' if bold else ''}}}" for name, (size, bold) in STYLES.items()
    )
    light = "".join(f"{what}{{{how}:{colour}}}" for what, how, colour, _ in _COLOURS)
    dark = "".join(f"{what}{{{how}:{colour}}}" for what, how, _, colour in _COLOURS)
    always = f"text{{font-family:{FONTS}}}{_FIXED}{type_}"
    return f"{always}\n{both(light, dark)}"
