"""A graph as one HTML file that needs nothing else: the picture, what is known of each node, and the budget."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from catdsl.analysis.cost import METRICS, Cost
from catdsl.search.budget import amounts_of, kind_of
from catdsl.view.describe import HEAT_STEPS, METRIC_NAMES, PERCENT_DIGITS, PERCENT_LEAST, amount, figures
from catdsl.view.facts import Facts
from catdsl.view.graph_page.contents import boxes_of, nodes_of, widths_of
from catdsl.view.legend import legend_entries, symbol
from catdsl.view.report.markup import Html, element, joined
from catdsl.view.report.page import one_file
from catdsl.view.svg import live_picture
from catdsl.view.svg_style import style_sheet

_FOLDER = Path(__file__).parent
_COVERS = (
    "The page runs the search of catdsl plan itself: the longest part of the one ranked list that fits, then single "
    "steps where they still fit. A limit is on one sum; for limits of memory or latency, or several at once, use the "
    "command. Channels are ranked by the policy"
)


@dataclass(frozen=True, slots=True)
class Start:
    """The limit that the slider begins at: one of METRICS, and an amount as the command takes it."""

    metric: str
    text: str


@dataclass(frozen=True, slots=True)
class Exploration:
    """What the slider needs: the search as JSON values, the budget to begin with, and the command that plans.

    `remarks` are sentences that a reader of the page should know.
    """

    model: Mapping[str, Any]
    start: Start
    command: str
    remarks: tuple[str, ...] = ()


def render_graph_page(known: Facts, *, title: str, subtitle: str = "", exploration: Exploration | None = None) -> str:
    """The page of facts that have costs. With an `exploration`, these are of the teacher, and it may be changed."""
    known = replace(known, live=True)
    picture = live_picture(known)
    data: dict[str, Any] = {
        "nodes": nodes_of(known),
        "widths": widths_of(known),
        "boxes": boxes_of(picture.boxes),
        "metrics": list(METRIC_NAMES.values()),
        "percent": {"digits": PERCENT_DIGITS, "least": PERCENT_LEAST},
        "heat": HEAT_STEPS,
        "explorer": None,
    }
    scripts = ["search.js", "painting.js", "picture.js", "page.js", "explorer.js", "start.js"]
    if exploration is not None:
        data["explorer"] = {
            "model": exploration.model,
            "start": {"metric": METRICS.index(exploration.start.metric), "text": exploration.start.text},
            "command": exploration.command,
            "kinds": [kind_of(metric) for metric in METRICS],
            "amounts": [_amounts(metric) for metric in METRICS],
        }
    body = joined(
        (
            element("header", _names(title, subtitle, known), _tools(), class_="head"),
            _budget(exploration) if exploration is not None else None,
            element(
                "main",
                element("div", Html(picture.svg), class_="stage", id="stage", tabindex=-1),
                element("aside", class_="details", id="details", aria_label="Details", aria_live="polite"),
                class_="split",
            ),
            _legend(known),
        )
    )
    style = f"\n{style_sheet()}\n{_text('page.css')}"
    return one_file(title, body, data, style=style, script="\n".join(map(_text, scripts)))


def _amounts(metric: str) -> dict[str, Any]:
    """How a budget's amounts are read, as `catdsl/search/budget.py` has it; whole numbers as text, for big integers."""
    written = amounts_of(metric)
    return {
        "patterns": written.patterns,
        "units": {unit: str(scale) for unit, scale in written.units.items()},
        "what": written.what,
        "examples": written.examples,
        "most": str(written.most),
    }


def _names(title: str, subtitle: str, known: Facts) -> Html:
    whole = sum(known.costs.values(), Cost())
    named = ((METRIC_NAMES[metric], getattr(whole, metric)) for metric in METRICS if metric != "weights")
    cost = ", ".join(f"{amount(value)} {name}" for name, value in named)
    # Beside a slider the figures of the student stand, and change.
    words = cost if known.scored else ", ".join(figures(known)) or cost
    about = f"{subtitle}; {words}" if subtitle else words
    return element("div", element("h1", title), element("p", about, class_="about"), class_="names")


def _tools() -> Html:
    """Hidden until the script is there to answer."""
    find = element(
        "div",
        element("input", type="search", id="query", placeholder="Find ( / )", aria_label="Find a name"),
        element("output", id="tally", aria_live="polite"),
        class_="find",
    )
    buttons = (
        element("button", words, type="button", data_do=action, title=title, aria_label=title)
        for action, words, title in (
            ("fold", "Fold all", "Fold all blocks"), ("unfold", "Unfold all", "Unfold all blocks"),
            ("out", "\N{MINUS SIGN}", "Smaller ( - )"), ("in", "+", "Larger ( + )"), ("fit", "Fit", "All of it ( 0 )"),
        )
    )  # fmt: skip
    return element("div", find, *buttons, class_="tools", id="tools", hidden=True)


def _budget(exploration: Exploration) -> Html:
    options = (element("option", name, value=i) for i, name in enumerate(METRIC_NAMES.values()))
    setting = element(
        "div",
        element("label", "Budget", for_="metric"),
        element("select", joined(options), id="metric", autocomplete="off"),
        element("input", type="range", id="slider", min=0, max=1000, step=1, autocomplete="off", aria_label="Budget"),
        element("input", type="text", id="amount", autocomplete="off", spellcheck="false",
                aria_label="Budget as an amount, such as 25% or 2.6G"),
        class_="setting",
    )  # fmt: skip
    costs = (
        element("div", element("dt", name), element("dd", id=f"cost-{i}"), element("dd", id=f"share-{i}"))
        for i, name in enumerate(METRIC_NAMES.values())
    )
    command = element(
        "div",
        element("code", id="command"),
        element("button", "Copy", type="button", id="copy"),
        element("output", id="copied", aria_live="polite"),
        class_="run",
    )
    remarks = (element("p", remark, class_="remark") for remark in exploration.remarks)
    vanished = element(
        "details", element("summary", id="vanished"), element("div", id="gone", class_="vanished"),
        class_="notes", id="vanishing",
    )  # fmt: skip
    notes = element(
        "details",
        element("summary", "The command, and more"),
        command,
        element("p", f"{_COVERS} {exploration.model['policy']}."),
        class_="notes",
        id="covers",
    )
    return element(
        "section", setting, element("dl", joined(costs), class_="figures"),
        element("p", id="outcome", class_="notes", aria_live="polite"), joined(remarks),
        element("div", vanished, notes, class_="more"),
        class_="budget", id="budget", hidden=True, aria_label="Budget",
    )  # fmt: skip


def _legend(known: Facts) -> Html:
    hottest = max((known.share(n) for n in known.macs), default=0.0)
    entries = (
        element(
            "li",
            Html(
                f'<svg width="{entry.symbol_width + 2}" height="16" aria-hidden="true">'
                f"{''.join(symbol(entry, 1, 0))}</svg>"
            ),
            entry.words,
        )
        for entry in legend_entries(known, hottest)
    )
    return element("ul", joined(entries), class_="legend", aria_label="Legend")


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
