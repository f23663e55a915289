"""Colours of pages and plots, each for light and for dark surroundings.

Words reach 4.5 to 1 against what lies behind them, lines and marks 3 to 1 (WCAG 2.2, AA). The series
were searched for at that contrast, so that any two stay far apart for readers who see all colours and
for those who lack one kind of cones.
"""

PAGE: dict[str, tuple[str, str]] = {
    "page": ("#ffffff", "#10151d"),
    "raised": ("#f5f7fa", "#19212c"),
    "text": ("#1e293b", "#e6ecf5"),
    "muted": ("#56637a", "#a5b4c9"),
    "rule": ("#d9e0e9", "#2e3a4b"),
    "control": ("#76859b", "#74859d"),
    "accent": ("#2b5bb8", "#7fa9f7"),
    "track": ("#d3dce9", "#34445a"),
    "warning": ("#8a4300", "#f5b45c"),
    "caution": ("#fff4e2", "#2d2414"),
}

SERIES: tuple[tuple[str, str], ...] = (
    ("#0551b3", "#0f70f5"),
    ("#76240c", "#fe7a04"),
    ("#26995d", "#baebd8"),
    ("#cc308d", "#ee8fe4"),
    ("#b78a12", "#ffed96"),
    ("#3c3c43", "#818084"),
)

# From the least share of operations to the largest, behind words.
HEAT: tuple[tuple[str, str], ...] = (
    ("#fffaf2", "#20252b"),
    ("#fff1dc", "#2b2a29"),
    ("#ffe5c2", "#3d3328"),
    ("#fed6a4", "#543f28"),
    ("#fcc383", "#6e4d28"),
)

# Of pictures of networks: what lies on them, and what became of it in a student or in another network.
PICTURE: dict[str, tuple[str, str]] = {
    "ground": ("#ffffff", "#19212c"),
    "outline": ("#b9c4d2", "#445268"),
    "sign": ("#7d8da3", "#7b8ca5"),
    "wire": ("#8493a8", "#6d7e97"),
    "gone": ("#b7c1ce", "#465469"),
    "gone words": ("#8794a6", "#71829a"),
    "new": ("#1c8a5b", "#5ad19a"),
}

# Series beyond the number of colours have the same ones again, in another line.
DASHES: tuple[str, ...] = ("none", "6 3", "2 2")


def both(light: str, dark: str) -> str:
    """CSS for light surroundings, and what differs in dark ones. Paper is always light."""
    return f"{light}\n@media screen and (prefers-color-scheme:dark){{{dark}}}\n"


def variables() -> str:
    """The colours of a page as CSS variables, `--text` and so on."""
    light, dark = (
        "".join(f"--{name}:{colours[index]};" for name, colours in PAGE.items()) for index in (0, 1)
    )  # fmt: skip
    return both(f":root{{color-scheme:light dark;{light}}}", f":root{{{dark}}}")
