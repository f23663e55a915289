"""All files of a report, by their names: what a run's folder gets beside the pictures of its examples."""

from collections.abc import Mapping

from catdsl.view.report.content import Report
from catdsl.view.report.html import render_html
from catdsl.view.report.markdown import chart_files, render_markdown
from catdsl.view.report.serial import as_json

HTML, MARKDOWN, JSON = "report.html", "report.md", "report.json"


def report_files(report: Report, pictures: Mapping[str, bytes]) -> dict[str, str]:
    """The page, the Markdown with its plots, and the JSON; all belong into one folder, as do the pictures.

    `pictures` has a PNG for every file that the report's examples name. Raises CatError E602 where one
    is missing or no PNG.
    """
    return {
        HTML: render_html(report, pictures),
        MARKDOWN: render_markdown(report),
        JSON: as_json(report),
        **chart_files(report),
    }
