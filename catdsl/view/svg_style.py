"""Colours and type of the SVG pictures, for light and dark surroundings, as one style sheet."""

from catdsl.view.groups import COLOURS
from catdsl.view.palette import HEAT, PAGE, PICTURE, both
from catdsl.view.typeface import STYLES

FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif"

# What is coloured, by which property, and with what in light and in dark.
_COLOURS: tuple[tuple[str, str, str, str], ...] = (
    (".page", "fill", *PAGE["page"]),
    (".scope>.body", "fill", "#64748b", "#93a4bd"),
    (".scope>.body", "stroke", "#c3ccd8", "#3a475a"),
    (".card>.body", "fill", *PICTURE["ground"]),
    (".card>.body", "stroke", *PICTURE["outline"]),
    (".end>.body", "fill", "#e8f1f2", "#17303a"),
    (".end>.body", "stroke", "#7fa8b0", "#3f6f7c"),
    (".sign", "fill", *PICTURE["ground"]),
    (".sign", "stroke", *PICTURE["sign"]),
    (".plus", "stroke", "#475569", "#b6c3d6"),
    (".wire", "stroke", *PICTURE["wire"]),
    (".arrow", "fill", *PICTURE["wire"]),
    (".wire.gone", "stroke", *PICTURE["gone"]),
    (".arrow.gone", "fill", *PICTURE["gone"]),
    (".rule", "stroke", "#e4e9f0", "#2a3544"),
    (".track", "fill", "#dde5f0", "#2b394d"),
    (".left", "fill", "#3567c4", "#6e9df0"),
    (".left.follows", "fill", "#a3bce6", "#44618f"),
    *((f".left.g{i}", "fill", *colours) for i, colours in enumerate(COLOURS)),
    (".cuts", "stroke", *PICTURE["ground"]),
    (".more", "fill", *PICTURE["new"]),
    (".wire.new", "stroke", *PICTURE["new"]),
    (".arrow.new", "fill", *PICTURE["new"]),
    (".new>.body,.sign.new,.plus.new", "stroke", *PICTURE["new"]),
    (".frame", "stroke", "#e3d5c0", "#57452f"),
    *((f".h{step}", "fill", *colours) for step, colours in enumerate(HEAT, 1)),
    (".heading,.title", "fill", *PAGE["text"]),
    (".name,.count", "fill", *PAGE["text"]),
    (".plain,.detail,.shape,.share", "fill", "#475569", "#c2cddc"),
    (".legend,.subheading", "fill", "#5b697d", "#9fb0c6"),
    (".tap", "fill", "#7a3ea8", "#c99af0"),
    (".gone>.body,.sign.gone", "stroke", *PICTURE["gone"]),
    (".gone>text,.gone>.row>text", "fill", *PICTURE["gone words"]),
    (".row.gone>text", "fill", *PICTURE["gone words"]),
    (".gone>.track", "stroke", *PICTURE["gone"]),
    (".plus.gone", "stroke", *PICTURE["gone"]),
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
