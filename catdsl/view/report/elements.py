"""Parts that several sections of a page are made of: tables, facts, commands."""

from catdsl.view.report.markup import Html, element, joined
from catdsl.view.report.tables import Table


def table(cells: Table, *, caption: str = "") -> Html:
    """Numbers in columns, in a box that scrolls by itself where it is too narrow."""
    head = element("thead", element("tr", joined(_head(column) for column in cells.columns)))
    rows = (
        element("tr", element("th", first, scope="row"), joined(element("td", cell) for cell in others))
        for first, *others in cells.rows
    )
    whole = element("table", head, element("tbody", joined(rows)), aria_label=caption or None)
    # Beside the box, so that it stays where the table is moved aside.
    words = element("p", caption, class_="caption", aria_hidden="true") if caption else None
    return joined((words, element("div", whole, class_="scroll")))


def _head(column: str) -> Html:
    return element("th", column, scope="col") if column else element("td")


def facts(cells: Table) -> Html:
    """Names with what they stand for, as long as it may be."""
    rows = (element("tr", element("th", name, scope="row"), element("td", value)) for name, value in cells.rows)
    return element("table", element("tbody", joined(rows)), class_="facts")


def commands(lines: tuple[str, ...]) -> Html:
    """Lines for a shell, with a button that copies them."""
    return joined(
        (
            element("pre", element("code", "\n".join(lines)), id="commands"),
            element("button", "Copy", type="button", data_copy="commands", hidden=True),
        )
    )
