"""What a network is written as: operators, chains of them, blocks, and repetitions of either."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from catdsl.export.source.code import erased
from catdsl.ir.code import Call, Expression
from catdsl.ir.graph import Node
from catdsl.ir.op import Site


@dataclass(frozen=True, eq=False, slots=True)
class Single:
    """One operator: how it is constructed, how it is computed of variables, or both ways."""

    node: Node
    site: Site
    made: Call | None
    computed: Expression | None

    @property
    def owns(self) -> bool:
        """Whether it has to be constructed: it has weights, or acts in training alone."""
        return self.computed is None

    @property
    def label(self) -> str:
        return self.node.name.rsplit(".", 1)[-1]


@dataclass(frozen=True, eq=False, slots=True)
class Chain:
    """Operators one after the other: an `nn.Sequential`."""

    label: str
    parts: tuple[Single, ...]
    numbered: bool = False
    """Whether the program counts it: one of a list, even where the others have vanished."""


@dataclass(frozen=True, eq=False, slots=True)
class Body:
    """A block: a class, of which each network of the same structure is an instance."""

    label: str
    inputs: tuple[str, ...]
    steps: "tuple[Step, ...]"
    output: str


@dataclass(frozen=True, eq=False, slots=True)
class Many:
    """Parts of one structure. Added up, they all take the same; one after the other, each takes
    its forerunner's result as the argument `along`, and the rest is the same for all.
    """

    label: str
    parts: tuple[Chain | Body, ...]
    along: int | None


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """A part applied to values, and the name of the value that it makes."""

    part: Any
    args: tuple[str, ...]
    result: str


def skeleton(part: Any, known: dict[int, str]) -> str:
    """What two parts have alike that can be written once: everything but the numbers in their slots."""
    if id(part) not in known:
        known[id(part)] = _skeleton(part, known)
    return known[id(part)]


def _skeleton(part: Any, known: dict[int, str]) -> str:
    match part:
        case Single() if part.owns:
            return erased(part.made)
        case Single():
            assert part.computed is not None
            return part.computed(part.site, [f"<{i}>" for i in range(len(part.node.inputs))])
        case Chain():
            return f"chain[{'; '.join(erased(single.made) for single in part.parts)}]"
        case Many():
            return f"many {part.along} [{skeleton(part.parts[0], known)}]"
    names = {name: index for index, name in enumerate((*part.inputs, *(step.result for step in part.steps)))}
    steps = (f"{skeleton(s.part, known)}({', '.join(str(names[a]) for a in s.args)})" for s in part.steps)
    return f"body {len(part.inputs)} [{'; '.join(steps)}] {names[part.output]}"


def walk(part: Any) -> Iterator[Any]:
    """A part, and all parts within it."""
    yield part
    match part:
        case Body():
            for step in part.steps:
                yield from walk(step.part)
        case Many():
            for inner in part.parts:
                yield from walk(inner)
