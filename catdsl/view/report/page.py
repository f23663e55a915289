"""A page in one file: its style, its script and its data within, and a policy that lets nothing else in."""

import json
from pathlib import Path
from typing import Any

from catdsl.diagnostics.printable import printable_json
from catdsl.view.palette import variables
from catdsl.view.plot_style import plot_style_sheet
from catdsl.view.report.markup import Html, element, joined
from catdsl.view.svg_elements import safe

_FOLDER = Path(__file__).parent
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)


def page(title: str, body: Html, data: Any) -> str:
    """A report as a whole HTML file. `data` is held as JSON values, for programs that read the page."""
    style = f"{_text('page.css')}\n{plot_style_sheet()}"
    return one_file(title, body, data, style=style, script=_text("page.js"))


def one_file(title: str, body: Html, data: Any, *, style: str, script: str) -> str:
    """A whole HTML file with its style and its script, over the colours of all pages."""
    head = Html(f"<style>\n{variables()}{style}</style>")
    # Neither the script nor the style ends its own element; of data nobody knows, so it has no `<`.
    end = joined((held(data), Html(f"<script>\n{script}</script>")))
    return document(title, head, joined((body, end)), policy=_POLICY)


def document(title: str, head: Html, body: Html, *, policy: str) -> str:
    """A whole HTML file. `policy` says what it may load and run, `head` is what follows the title."""
    first = joined(
        (
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", http_equiv="Content-Security-Policy", content=policy),
            element("meta", name="color-scheme", content="light dark"),
            Html(f"<title>{safe(title)}</title>"),
            head,
        )
    )
    whole = element("html", element("head", first), element("body", body), lang="en")
    return f"<!doctype html>\n{whole.text}\n"


def held(data: Any) -> Html:
    """JSON values within a page, for its script and for programs that read it."""
    return element("script", Html(_in_script(data)), type="application/json", id="data")


def section(key: str, title: str, *parts: Html | None) -> Html:
    """A part of the page under a heading that links lead to."""
    return element("section", element("h2", title, id=key), joined(parts))


def contents(sections: dict[str, str]) -> Html:
    """Links to the sections, by their keys."""
    links = (element("li", element("a", title, href=f"#{key}")) for key, title in sections.items())
    return element("nav", element("ul", joined(links)), aria_label="Contents")


def _in_script(data: Any) -> str:
    """JSON that no HTML parser takes for markup, wherever its texts come from."""
    text = printable_json(json.dumps(data, ensure_ascii=False, allow_nan=False))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
