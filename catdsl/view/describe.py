"""The words for a node: its short form on a card, and everything known of it for a tooltip."""

from collections.abc import Mapping
from typing import Any

from catdsl.ir.graph import Node
from catdsl.view.facts import Bar, Facts, State

_TIMES = "\N{MULTIPLICATION SIGN}"
_MOST_DETAIL = 28


def local_name(node: str) -> str:
    """`conv0` of `body.0.dense.1.conv0`."""
    return node.rpartition(".")[2]


def detail(node: Node, *, times: str = _TIMES, down: str = "↓", up: str = "↑") -> str:
    """Kernel, stride and the like, as short as they can be said."""
    attrs = node.attrs
    match node.op.name:
        case "conv" | "dwconv":
            dilation = f" d{attrs['dilation']}" if attrs["dilation"] > 1 else ""
            stride = f" {down}{attrs['stride']}" if attrs["stride"] > 1 else ""
            return _kernel(attrs, times) + stride + dilation
        case "deconv":
            return _kernel(attrs, times) + (f" {up}{attrs['stride']}" if attrs["stride"] > 1 else "")
        case "avg_pool" | "max_pool":
            return f"{_kernel(attrs, times)} {down}{attrs['stride'] or attrs['kernel']}"
        case "resize":
            scale = attrs["scale"]
            factor = "" if scale is None else f"{up}{scale:g} " if scale >= 1 else f"{down}{1 / scale:g} "
            return factor + attrs["mode"]
        case "pixel_shuffle":
            return f"{up}{attrs['factor']}"
        case "input":
            return str(attrs.get("kind", ""))
        case "split":
            return f"{attrs['index'] + 1} of {attrs['parts']}"
    return _numbers(attrs)


def shape(size: tuple[int, int, int], *, times: str = _TIMES) -> str:
    """C x H x W."""
    return times.join(map(str, size))


def change(bar: Bar, *, arrow: str = "→") -> str:
    """`64 → 20`, or `64` where nothing changed."""
    return f"{bar.full}" if bar.full == bar.filled else f"{bar.full} {arrow} {bar.filled}"


def longest_change(bar: Bar, *, arrow: str = "→") -> str:
    """The widest that `change` may become as the student changes."""
    return f"{bar.full} {arrow} {bar.full}"


def percent(share: float) -> str:
    """A share of MACs, with a digit more where it is small."""
    value = 100 * share
    if value == 0:
        return "0 %"
    return f"{value:.0f} %" if value >= 10 else f"{value:.1f} %" if value >= 0.05 else "<0.1 %"


def call(node: Node) -> str:
    """The operator with all its arguments."""
    attrs = {key: value for key, value in node.attrs.items() if value is not None}
    arguments = ", ".join(f"{key} = {_value(value)}" for key, value in attrs.items())
    return f"{node.op.name}({arguments})"


def tooltip(node: Node, facts: Facts) -> str:
    """Name, arguments, shape, width, cost and place of a node, a line each."""
    lines = [node.name, call(node), shape(facts.shapes[node.name])]
    if facts.states[node.name] is State.GONE:
        lines.append("vanished in the student")
    if facts.states[node.name] is State.BYPASSED:
        lines.append("not needed in the student: one input is left")
    bar = facts.bars.get(node.name)
    if bar is not None:
        lines.append(f"width {bar.width}: {change(bar)}")
    if node.name in facts.macs:
        lines.append(f"{facts.macs[node.name]:,} MACs, {percent(facts.share(node.name))}")
    if node.span is not None:
        lines.append(str(node.span))
    return "\n".join(lines)


def _kernel(attrs: Mapping[str, Any], times: str) -> str:
    return f"{attrs['kernel']}{times}{attrs['kernel']}"


def _numbers(attrs: Mapping[str, Any]) -> str:
    """The plain numbers among the arguments of an operator that no case above names."""
    plain = {key: value for key, value in attrs.items() if key != "eps" and not isinstance(value, bool)}
    text = ", ".join(f"{value:g}" for value in plain.values() if isinstance(value, int | float))
    return text if len(text) <= _MOST_DETAIL else ""


def _value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def amount(number: float) -> str:
    """A count with a unit: `2.60 G`."""
    for unit, scale in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("K", 1e3)):
        if abs(number) >= scale:
            return f"{number / scale:.2f} {unit}"
    return f"{number:g}"
