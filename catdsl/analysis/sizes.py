"""Which sizes of input a network takes, worked out from its graph: multiples of a step, from a least size on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from catdsl.ir.graph import Graph, Node
from catdsl.ir.op import Absence
from catdsl.ops.conv import padding

_TRIED = 6
_LARGEST_STEP = 512
# To torch.export a side of 1 is a constant, since there tensors of any size are taken beside it.
_LEAST = 2
TOO_SMALL = "is {height} x {width}, too small for this network: it takes {takes}"
"""What every command, and an exported program, says of a picture that is too small."""
_JOINS = (Absence.ANY, Absence.ALL, Absence.JOINS, Absence.MODULATES)


@dataclass(frozen=True, slots=True)
class SideRule:
    """Sides of `least` pixels and of any number of `step` more; of a fixed side the step is 0."""

    step: int
    least: int

    def takes(self, side: int) -> bool:
        if not self.step:
            return side == self.least
        return side >= self.least and (side - self.least) % self.step == 0

    def __str__(self) -> str:
        if not self.step:
            return f"{self.least} alone"
        if self.step == 1:
            return f"{self.least} or more"
        if self.least % self.step == 0:
            return f"multiples of {self.step} from {self.least} on"
        return ", ".join(str(self.least + i * self.step) for i in range(3)) + ", ..."


@dataclass(frozen=True, slots=True)
class SizeRule:
    """What heights and widths a network takes, and the size that its spec declares."""

    height: SideRule
    width: SideRule
    declared: tuple[int, int]

    def __str__(self) -> str:
        return f"height {self.height}; width {self.width}"


@dataclass(frozen=True, slots=True)
class Misfit:
    """The node at which a network does not take a size, and why."""

    node: Node
    reason: str

    def __str__(self) -> str:
        return f"`{self.node.name}`: {self.reason}"


def size_rule(graph: Graph) -> SizeRule:
    """The rule for a graph's first input; others are as much larger or smaller as they are declared."""
    height, width = graph.inputs[0].type.height, graph.inputs[0].type.width
    steps = (
        _step(height, lambda side: _takes(graph, side, width)),
        _step(width, lambda side: _takes(graph, height, side)),
    )
    least = [height, width]
    for axis, step in enumerate(steps):
        # The other side stays as declared: of an image of 1 x 1 an instance norm makes nothing.
        at = [height, width]
        while step and at[axis] - step >= _LEAST:
            at[axis] -= step
            if not _takes(graph, *at):
                break
            least[axis] = at[axis]
    while not _takes(graph, *least) and least[0] < height:
        least[0] += steps[0]
    return SizeRule(SideRule(steps[0], least[0]), SideRule(steps[1], least[1]), (height, width))


def least_picture(rule: SizeRule, step: int) -> tuple[int, int]:
    """The smallest height and width whose sides, made multiples of `step`, are taken."""
    height, width = (-(-side.least // step) * step - step + 1 for side in (rule.height, rule.width))
    return height, width


def least_words(rule: SizeRule, step: int) -> str:
    """What a message about a picture that is too small says is taken."""
    height, width = least_picture(rule, step)
    return f"{height} x {width} or more" if rule.height.step and rule.width.step else str(rule)


def too_small(rule: SizeRule, size: tuple[int, int], *, step: int = 1) -> str | None:
    """What is wrong with a picture that is made larger to multiples of `step`, to follow its name; None if nothing."""
    if all(side >= least for side, least in zip(size, least_picture(rule, step), strict=True)):
        return None
    return TOO_SMALL.format(height=size[0], width=size[1], takes=least_words(rule, step))


def sizes_to_check(rule: SizeRule) -> tuple[tuple[int, int], ...]:
    """Three sizes where so many are taken: the declared one, a larger one that is no square, and the smallest
    (odd where odd sides are taken), or a still larger one where the smallest is among them.
    """
    sides = tuple(zip((rule.height, rule.width), rule.declared, strict=True))

    def larger(*eighths: int) -> tuple[int, int]:
        height, width = (
            side + rule_.step * max(1, times * side // (8 * max(1, rule_.step)))
            for (rule_, side), times in zip(sides, eighths, strict=True)
        )
        return height, width

    smallest = tuple(rule_.least + rule_.step * (rule_.least % 2 == 0 and rule_.step % 2) for rule_, _ in sides)
    found = dict.fromkeys((rule.declared, larger(1, 2), (smallest[0], smallest[1]), larger(8, 4)))
    return tuple(found)[:3]


def sizes_at(graph: Graph, height: int, width: int) -> dict[str, tuple[int, int]] | Misfit:
    """Height and width of every tensor where the first input is of this size, or where that does not fit."""
    first = graph.inputs[0].type
    scales = Fraction(height, first.height), Fraction(width, first.width)
    sizes: dict[str, tuple[int, int]] = {}
    for node in graph.nodes:
        if not node.inputs:
            sides = node.type.height * scales[0], node.type.width * scales[1]
            if any(side.denominator != 1 for side in sides):
                return Misfit(node, f"{node.type.height} x {node.type.width} cannot grow or shrink in proportion")
            sizes[node.name] = int(sides[0]), int(sides[1])
            continue
        reason = _trouble(node, sizes)
        if reason is not None:
            return Misfit(node, reason)
        sizes[node.name] = _result(node, sizes)
        if min(sizes[node.name]) < 1:
            return Misfit(node, f"nothing is left of {_shown(sizes[node.inputs[0]])}")
    return sizes


def _takes(graph: Graph, height: int, width: int) -> bool:
    return not isinstance(sizes_at(graph, height, width), Misfit)


def _result(node: Node, sizes: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
    height, width = node.op.size(node.attrs, [sizes[i] for i in node.inputs])
    return int(height), int(width)


def _trouble(node: Node, sizes: Mapping[str, tuple[int, int]]) -> str | None:
    first = sizes[node.inputs[0]]
    if node.op.absence in _JOINS:
        other = next((sizes[i] for i in node.inputs if sizes[i] != first), None)
        if other is not None:
            return f"{_shown(first)} meets {_shown(other)}"
    if _reflected(node) >= min(first):
        return f"`reflect` cannot pad {_shown(first)} by {_reflected(node)}"
    if node.norm is not None and not node.norm.tracked and first == (1, 1):
        return "one pixel has no variance"
    return None


def _reflected(node: Node) -> int:
    """Pixels that are added by reflection, which needs more than as many; 0 where there are none."""
    attrs = node.attrs
    if node.op.name == "pad":
        return int(attrs["amount"]) if attrs["mode"] == "reflect" else 0
    return padding(attrs) if attrs.get("pad") == "reflect" else 0


def _step(declared: int, takes: Callable[[int], bool]) -> int:
    """The least number of pixels by which a side may grow, again and again; 0 where there is none."""
    steps = range(1, min(declared, _LARGEST_STEP) + 1)
    return next((s for s in steps if all(takes(declared + s * i) for i in range(1, _TRIED + 1))), 0)


def _shown(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
