"""Values as notebooks show them: HTML that needs no style sheet and no script of ours."""

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

from catdsl.analysis.cost import METRICS
from catdsl.ir.graph import Graph
from catdsl.search.budget import shown
from catdsl.view.describe import METRIC_NAMES, amount, difference, percent
from catdsl.view.facts import costed_facts
from catdsl.view.svg import render_picture

if TYPE_CHECKING:
    from catdsl.search.plan import Plan


def image(svg: str, alt: str) -> str:
    """A picture as an image of its own, whose style rules reach nothing else on the page."""
    return f'<img alt="{escape(alt)}" src="data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"/>'


def graph_html(graph: Graph) -> str:
    """The picture of a graph."""
    return image(render_picture(costed_facts(graph), title=graph.name), f"graph of {graph.name}")


def plan_html(plan: "Plan") -> str:
    """What a plan costs beside its teacher, and each width of it as a bar, folded up."""
    teacher, student = plan.teacher, plan.cost
    costs = [(METRIC_NAMES[metric], getattr(teacher, metric), getattr(student, metric)) for metric in METRICS]
    rows = [(name, amount(a), amount(b), difference(a, b)) for name, a, b in costs]
    rows += [(metric, "", shown(metric, value), "") for metric, value in plan.metered.items()]
    gone = sum(count == 0 for count in plan.kept.values())
    kept = [
        (escape(name), str(plan.full[name]), str(count), _bar(plan.full[name], count))
        for name, count in plan.kept.items()
    ]
    about = f"plan for {plan.budget}, of which {percent(plan.slack)} is left"
    summary = f"{len(kept)} searched widths, {gone} of them vanished"
    return (
        f"<div>{_table(escape(about), ('', 'teacher', 'student', ''), rows)}"
        f"<details><summary>{escape(summary)}</summary>"
        f"{_table('', ('width', 'teacher', 'student', ''), kept)}</details></div>"
    )


def _bar(full: int, count: int) -> str:
    return f'<progress max="{max(full, 1)}" value="{count}"></progress>'


def _table(caption: str, head: tuple[str, ...], rows: list[tuple[str, str, str, str]]) -> str:
    """A table of markup."""
    title = f"<caption>{caption}</caption>" if caption else ""
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{title}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
