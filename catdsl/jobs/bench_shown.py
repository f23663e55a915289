"""What `bench` found, as JSON and as a table for a person."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from catdsl import __version__
from catdsl.backend.timing import device_name
from catdsl.diagnostics import Span
from catdsl.diagnostics.printable import printable_json
from catdsl.jobs.bench_figures import Bench, Ratio, Row
from catdsl.jobs.bench_operators import GROUPS, NodeShare, Shares, shares
from catdsl.view.describe import amount, detail, percent

_DIFFERS = 1e-3
"""A share of the largest value above which, in fp32, a form computes something else."""
_MEASURED_BY = ("torch", "onnxruntime")


def as_json(found: Bench) -> str:
    """Everything that was measured, as a JSON text."""
    return printable_json(json.dumps(as_values(found), indent=1, ensure_ascii=False, allow_nan=False))


def as_values(found: Bench) -> dict[str, Any]:
    """Everything, for programs: times in milliseconds per image, and the seconds of every pass over a batch."""
    return {
        "source": found.timed.source,
        "environment": _environment(found),
        "weights": {network.name: network.weights for network in found.timed.networks},
        "variants": [_row_values(row) for row in found.rows],
        "unavailable": [asdict(missing) for missing in found.missing],
        "operators": _operator_values(found),
    }


def _environment(found: Bench) -> dict[str, Any]:
    options = found.options
    return {
        "catdsl": __version__,
        **{package: version for package in _MEASURED_BY if (version := _version(package)) is not None},
        "device": found.device,
        "device_name": device_name(found.device),
        "threads": found.threads,
        "precision": options.precision,
        "batch": options.batch,
        "size": list(found.timed.size),
        "channels_last": options.channels_last,
        "runs": found.runs,
    }


def _version(package: str) -> str | None:
    try:
        return torch.__version__ if package == "torch" else metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _row_values(row: Row) -> dict[str, Any]:
    speed = row.speed
    return {
        "network": row.network,
        "form": row.form,
        "macs": {"exact": row.cost.exact, "paper": row.cost.paper},
        "params": row.cost.params,
        "milliseconds": {"median": speed.median_ms, "low": speed.low_ms, "high": speed.high_ms},
        "images_per_second": speed.images_per_second,
        "peak_bytes": speed.peak_bytes,
        "resident_bytes": row.resident,
        "times_as_fast_as_teacher": row.over_teacher and asdict(row.over_teacher),
        "times_as_fast_as_student": row.over_student and asdict(row.over_student),
        "difference": row.difference if math.isfinite(row.difference) else None,
        "seconds": list(row.seconds),
    }


def _operator_values(found: Bench) -> dict[str, Any]:
    part, profile = shares(found.profile), found.profile
    return {
        "network": profile.network.name,
        "form": "eager",
        "milliseconds": {"whole": 1e3 * part.whole, "nodes": 1e3 * part.total},
        "groups": {group: part.of_group(group) for group in GROUPS},
        "fixed": part.fixed,
        "fixed_size": profile.small and list(profile.small),
        "operators": [
            {"operator": o.operator, "group": o.group, "nodes": o.nodes, "milliseconds": 1e3 * o.seconds,
             "time": o.time, "macs": o.macs}
            for o in part.operators
        ],
        "nodes": [_node_values(share, profile.times.nodes[share.node.name]) for share in part.nodes],
    }  # fmt: skip


def _node_values(share: NodeShare, seconds: Sequence[float]) -> dict[str, Any]:
    node, span = share.node, share.node.span
    return {
        "node": node.name,
        "operator": node.op.name,
        "channels": list(share.channels),
        "size": [node.type.height, node.type.width],
        "widths": [segment.width for segment in node.type.channels],
        "milliseconds": {"median": 1e3 * share.seconds, "least": 1e3 * share.least},
        "time": share.time,
        "macs": share.macs,
        "source": span and {"file": span.file, "line": span.line, "column": span.column},
        "seconds": list(seconds),
    }


def as_text(found: Bench) -> str:
    """The same for a person: the table, what is not in it, and where the time of the last network goes."""
    options, size = found.options, found.timed.size
    layout = ", channels last" if options.channels_last else ""
    lines = [
        f"{device_name(found.device)}, torch {torch.__version__}, {_count(found.threads, 'thread')}",
        f"{size[0]} x {size[1]}, batch {options.batch}, {options.precision}{layout}; "
        f"{_count(found.runs, 'pass', 'passes')} of each, in turn",
        *(f"weights of the {network.name}: {network.weights}" for network in _with_own_weights(found)),
        "",
        *_table(found),
    ]
    lines.append("x teacher, x student: against the same form, the median over turns")
    if any(row.resident is not None for row in found.rows):
        lines.append("~ what the process grew by in the first pass; others are exact, by torch's allocator")
    if found.missing:
        lines += ["", "not timed:", *(f"  {m.network} {m.form}: {m.reason}" for m in found.missing)]
    odd = [row for row in found.rows if options.precision == "fp32" and not row.difference <= _DIFFERS]
    lines += [
        f"warning: {row.network} {row.form} computes something else, off by {row.difference:.2g} of the largest value"
        for row in odd
    ]
    return "\n".join([*lines, "", *_operator_lines(found, shares(found.profile))])


def _with_own_weights(found: Bench) -> Iterator[Any]:
    return (network for network in found.timed.networks if network.name == network.original)


_COLUMNS = (
    "network", "form", "MACs exact", "MACs paper", "params", "ms/image", "quartiles", "images/s", "peak memory",
    "x teacher", "x student",
)  # fmt: skip
_WORDS = 2
"""How many columns hold words, which stand at the left; numbers stand at the right."""


def _table(found: Bench) -> Iterator[str]:
    lines = [_COLUMNS, *(_cells(row) for row in found.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for cells in lines:
        placed = zip(cells, widths, strict=True)
        yield "  ".join(f"{c:<{w}}" if i < _WORDS else f"{c:>{w}}" for i, (c, w) in enumerate(placed)).rstrip()


def _cells(row: Row) -> tuple[str, ...]:
    speed, cost = row.speed, row.cost
    return (
        row.network, row.form, amount(cost.exact), amount(cost.paper), amount(cost.params), _time(speed.median_ms),
        f"{_time(speed.low_ms)} - {_time(speed.high_ms)}", f"{speed.images_per_second:.1f}", _memory(row),
        _times(row.over_teacher), _times(row.over_student),
    )  # fmt: skip


def _time(milliseconds: float) -> str:
    return f"{milliseconds:.2f}" if milliseconds < 100 else f"{milliseconds:.0f}"


def _memory(row: Row) -> str:
    """Peak memory; marked where it is what the process grew by."""
    if row.speed.peak_bytes is None:
        return "-" if row.resident is None else f"~{row.resident / 2**20:.1f} MiB"
    return f"{row.speed.peak_bytes / 2**20:.1f} MiB"


def _times(ratio: Ratio | None) -> str:
    return "-" if ratio is None else f"{ratio.median:.2f}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _operator_lines(found: Bench, part: Shares) -> Iterator[str]:
    profile = found.profile
    yield (
        f"{profile.network.name}, eager, node by node, a batch of {found.options.batch}: {1e3 * part.total:.2f} ms "
        f"in all ({1e3 * part.whole:.2f} ms in one go)"
    )
    grouped = ", ".join(f"{percent(part.of_group(group))} {group}" for group in GROUPS)
    if part.fixed is None:
        yield f"{grouped}; no smaller image is taken, by which the operators' own overhead would show"
    else:
        assert profile.small is not None
        yield (
            f"{grouped}; {percent(part.fixed)} stay on an image of {profile.small[0]} x {profile.small[1]}: "
            "overhead of operators"
        )
    yield ""
    yield f"{'operator':<20}{'nodes':>7}{'ms':>10}{'time':>9}{'MACs':>9}"
    for o in part.operators:
        yield f"{o.operator:<20}{o.nodes:>7}{1e3 * o.seconds:>10.3f}{percent(o.time):>9}{percent(o.macs):>9}"
    yield ""
    width = max(len(share.node.name) for share in part.longest) + 2
    yield f"{'the longest':<{width}}{'operator':<22}{'channels':>14}{'size':>13}{'ms':>9}{'time':>8}{'MACs':>8}  source"
    for share in part.longest:
        node = share.node
        operator = f"{node.op.name} {detail(node)}".rstrip()
        yield (
            f"{node.name:<{width}}{operator:<22}{f'{share.channels[0]} → {share.channels[1]}':>14}"
            f"{f'{node.type.height} x {node.type.width}':>13}{1e3 * share.seconds:>9.3f}"
            f"{percent(share.time):>8}{percent(share.macs):>8}  {_place(node.span)}"
        )


def _place(span: Span | None) -> str:
    """The line in a file by its name alone: where it lies is said by the JSON."""
    return "" if span is None else f"{Path(span.file).name}:{span.line}:{span.column}"
