"""`info`: cost, floor, space and widths of a spec, as JSON values and as text."""

from math import log10, prod
from typing import Any

from catdsl.analysis.cost import Cost, cost_model
from catdsl.project import Project
from catdsl.view.describe import amount

_CHUNK_DIGITS = 1000
_CHUNK = 10**_CHUNK_DIGITS


def info(project: Project) -> dict[str, Any]:
    """The facts that `catdsl info --format json` prints."""
    graph = project.teacher_graph
    main = graph.inputs[0]
    widths = [w for w in graph.widths if w.independent]
    choices = [w.choices for w in widths]
    floor = project.cost_model.floor()
    return {
        "name": graph.name,
        "input": [main.attrs["channels"], main.type.height, main.type.width],
        "macs": _macs(project.cost),
        "params": project.cost.params,
        "floor": {"macs": _macs(floor), "params": floor.params},
        "space": {"size": _digits(prod(choices)), "log10": sum(map(log10, choices))},
        "widths": [
            {
                "name": w.name, "teacher": w.count, "low": w.low, "high": w.high, "step": w.step,
                "source": w.span and {"file": w.span.file, "line": w.span.line, "column": w.span.column},
            }
            for w in widths
        ],
    }  # fmt: skip


def info_text(project: Project) -> str:
    """The same for a person."""
    facts = info(project)
    channels, height, width = facts["input"]
    cost, floor, space = project.cost, project.cost_model.floor(), facts["space"]
    searched = [w for w in facts["widths"] if w["low"] < w["high"]]
    lines = [
        f"{facts['name']}  input {channels} x {height} x {width}",
        "",
        _row("", "MACs (exact)", "MACs (paper)", "parameters"),
        _row("teacher", *_amounts(project.cost_model.at())),
        *([_row("student", *_amounts(cost))] if project.student else []),
        _row("floor", *_amounts(floor)),
        "",
        f"widths: {len(facts['widths'])}, of which {len(searched)} are searched",
        f"space:  10^{space['log10']:.1f} students, exactly",
        f"        {space['size']}",
        "",
        *_blocks(project),
    ]
    return "\n".join(lines)


def _digits(number: int) -> str:
    """A decimal number of any length; Python by itself refuses those of more than 4,300 digits."""
    parts = []
    while number >= _CHUNK:
        number, rest = divmod(number, _CHUNK)
        parts.append(f"{rest:0{_CHUNK_DIGITS}}")
    return str(number) + "".join(reversed(parts))


def _macs(cost: Cost) -> dict[str, int]:
    return {"exact": cost.exact, "paper": cost.paper}


def _amounts(cost: Cost) -> tuple[str, ...]:
    return tuple(amount(n) for n in (cost.exact, cost.paper, cost.params))


def _row(*cells: str) -> str:
    first, *rest = cells
    return f"{first:<24}" + "".join(f"{cell:>16}" for cell in rest)


def _blocks(project: Project) -> list[str]:
    """What each statement, and each step of a repeat, holds of the cost."""
    per_node = cost_model(project.graph).per_node().items()
    total = project.cost
    shares: dict[str, Cost] = {}
    for name, cost in per_node:
        head, *rest = name.split(".")
        block = f"{head}.{rest[0]}" if rest and rest[0].isdigit() else head
        shares[block] = shares.get(block, Cost()) + cost
    rows = [_row("", "MACs (exact)", "share", "parameters")]
    for block, cost in shares.items():
        rows.append(_row(block, amount(cost.exact), f"{cost.exact / max(total.exact, 1):.1%}", amount(cost.params)))
    return rows
