"""The words for a node: its short form on a card, and everything known of it for a tooltip."""

from collections.abc import Mapping
from typing import Any

from catdsl.analysis.cost import METRICS, Cost
from catdsl.ir.graph import Node
from catdsl.view.facts import Bar, Facts, State
from catdsl.view.palette import HEAT

# What readers call the metrics of a sum.
METRIC_NAMES: Mapping[str, str] = {
    "exact": "MACs (exact)", "paper": "MACs (paper)", "params": "parameters", "weights": "bytes of weights",
}  # fmt: skip

# From how many percent on a share is written with how many digits; below all of them there is one word.
PERCENT_DIGITS = ((9.95, 0), (0.05, 1))
PERCENT_LEAST = "<0.1 %"

# Up to which part of the largest share each step of `palette.HEAT` reaches. The distances are quadratic:
# the few hot operators and the many cool ones both show.
HEAT_STEPS = tuple((step / len(HEAT)) ** 2 for step in range(1, len(HEAT) + 1))

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
        case "scatter_conv":
            return _kernel(attrs, times)
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
        case "prelu":
            return "shared" if attrs["shared"] else ""
        case "input":
            return str(attrs.get("kind", ""))
        case "split" if "index" in attrs:
            return f"{attrs['index'] + 1} of {attrs['parts']}"
    # A norm is named by its word in the program, which leaves open which one it is.
    return node.op.name.removesuffix("_norm") if node.norm is not None else _numbers(attrs)


def alteration(
    node: Node, facts: Facts, *, times: str = _TIMES, down: str = "↓", up: str = "↑", arrow: str = "→"
) -> str:
    """The detail of a node; where two networks differ in it, what became of what: `3×3 → 5×5`."""
    old = facts.were.get(node.name)
    now = detail(node, times=times, down=down, up=up)
    if old is None:
        return now
    if old.op is not node.op:
        return f"{old.op.name} {arrow} {node.op.name}"
    was = detail(old, times=times, down=down, up=up)
    if was != now:
        return f"{was or '-'} {arrow} {now or '-'}"
    return " ".join(filter(None, (now, *_other_arguments(old, node, arrow))))


def _other_arguments(old: Node, new: Node, arrow: str) -> list[str]:
    keys = [key for key in new.attrs if old.attrs.get(key) != new.attrs[key]]
    return [f"{key} {_value(old.attrs.get(key))} {arrow} {_value(new.attrs[key])}" for key in keys]


def shape(size: tuple[int, int, int], *, times: str = _TIMES) -> str:
    """C x H x W."""
    return times.join(map(str, size))


def change(bar: Bar, *, arrow: str = "→") -> str:
    """`64 → 20`, or `64` where nothing changed and of what is new."""
    return f"{bar.filled}" if bar.full in (0, bar.filled) else f"{bar.full} {arrow} {bar.filled}"


def longest_change(bar: Bar, *, arrow: str = "→") -> str:
    """The widest that `change` may become as the student changes."""
    return f"{bar.full} {arrow} {bar.full}"


def channels(node: str, facts: Facts, *, arrow: str = "→") -> str:
    """The channels of a node that makes a width; what vanished has just those that another still decides."""
    bar = facts.bars[node]
    followed = facts.states[node] is State.GONE and not bar.own
    return str(bar.full) if followed else change(bar, arrow=arrow)


def percent(share: float) -> str:
    """A share of MACs, with a digit more where it is small."""
    value = 100 * share
    if value == 0:
        return "0 %"
    digits = next((digits for least, digits in PERCENT_DIGITS if value >= least), None)
    return PERCENT_LEAST if digits is None else f"{value:.{digits}f} %"


def heat(share: float, hottest: float) -> int:
    """The step of `palette.HEAT` for a share, from 1; 0 for none."""
    if not share or not hottest:
        return 0
    return 1 + sum(share / hottest > most for most in HEAT_STEPS[:-1])


def call(node: Node) -> str:
    """The operator with all its arguments."""
    attrs = {key: value for key, value in node.attrs.items() if value is not None}
    arguments = ", ".join(f"{key} = {_value(value)}" for key, value in attrs.items())
    return f"{node.op.name}({arguments})"


def tooltip(node: Node, facts: Facts) -> str:
    """Name, arguments, shape, width, cost and place of a node, a line each."""
    lines = [node.name, call(node), shape(facts.shapes[node.name])]
    if facts.states[node.name] is not State.PRESENT:
        lines.append(fate(facts.states[node.name], facts))
    if node.name in facts.were:
        old = facts.were[node.name]
        size = f"{old.type.height}{_TIMES}{old.type.width}"
        lines.append(f"changed: {alteration(node, facts)}, at {size} before")
    bar = facts.bars.get(node.name)
    if bar is not None:
        lines.append(f"width {bar.width}: {channels(node.name, facts)}{_shared(bar, facts)}")
    macs, before = facts.macs.get(node.name, 0), facts.costs_before.get(node.name, Cost()).exact
    if macs or before:
        was = f"{before:,} → " if before and before != macs else ""
        lines.append(f"{was}{macs:,} MACs, {percent(facts.share(node.name))}")
    if node.span is not None:
        lines.append(str(node.span))
    return "\n".join(lines)


def fate(state: State, facts: Facts) -> str:
    """What became of a node, in words."""
    match state:
        case State.GONE:
            return "vanished in the student" if facts.student else "removed"
        case State.BYPASSED:
            return "not needed in the student: one input is left"
        case State.NEW:
            return "added"
    return ""


def figures(facts: Facts, *, arrow: str = "→") -> tuple[str, ...]:
    """What two networks cost, and the difference: `MACs (exact) 2.60 G → 1.30 G (-50.0 %)`; none of one alone."""
    if not facts.costs_before:
        return ()
    before, after = (sum(costs.values(), Cost()) for costs in (facts.costs_before, facts.costs))
    rows = [(METRIC_NAMES[m], getattr(before, m), getattr(after, m)) for m in METRICS if m != "weights"]
    return tuple(f"{name} {amount(a)} {arrow} {amount(b)} ({difference(a, b)})" for name, a, b in rows)


def difference(before: int, after: int) -> str:
    """`-50.0 %`, `+3.1 %`, `equal`."""
    if before == after:
        return "equal"
    return f"{100 * (after / before - 1):+.1f} %" if before else "new"


def _shared(bar: Bar, facts: Facts) -> str:
    others = facts.makers[bar.tied] - 1
    return f", narrowed together with {others} other{'s' * (others > 1)}" if others else ""


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
