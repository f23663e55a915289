"""Slices that need not be: of the whole, of slices, of stacks, and stacks of neighbouring slices."""

from dataclasses import dataclass, replace

from catdsl.ir.graph import Graph, Node
from catdsl.ir.op import Absence
from catdsl.passes.rewriting import Draft, Rewritten, slice_of, until_settled


@dataclass(frozen=True, slots=True)
class JoinSlices:
    """Cuts and stacks that undo each other go; tensors are read where they are made."""

    name: str = "join slices"

    def run(self, graph: Graph) -> Rewritten:
        return until_settled(_once, graph)


def _once(graph: Graph) -> Rewritten:
    draft = Draft(graph)
    for node in graph.nodes:
        match node.op.absence:
            case Absence.SLICES:
                _slice(draft, node)
            case Absence.JOINS:
                _stack(draft, node)
    return draft.finish()


def _slice(draft: Draft, node: Node) -> None:
    source = draft.graph.node[node.inputs[0]]
    start, stop = node.attrs["segments"]
    if (start, stop) == (0, len(source.type.channels)):
        draft.move(node.name, source.name)
    elif source.op.absence is Absence.SLICES:
        draft.put(slice_of(source.inputs[0], node, source.attrs["segments"][0] + start, op=node.op))
    elif source.op.absence is Absence.JOINS:
        _slice_of_stack(draft, node, source)


def _slice_of_stack(draft: Draft, node: Node, stack: Node) -> None:
    """A slice that lies within one part of a stack is a slice of that part."""
    start, stop = node.attrs["segments"]
    before = 0
    for name in stack.inputs:
        size = len(draft.graph.node[name].type.channels)
        if before <= start and stop <= before + size:
            draft.put(slice_of(name, node, start - before, op=node.op))
            return
        before += size


def _stack(draft: Draft, node: Node) -> None:
    """Neighbouring slices of one tensor are one slice; a stack of one part is that part."""
    graph = draft.graph
    if len(node.inputs) == 1:
        draft.move(node.name, node.inputs[0])
        return
    parts: list[list[Node]] = []
    for part in (graph.node[name] for name in node.inputs):
        if parts and _follows(parts[-1][-1], part):
            parts[-1].append(part)
        else:
            parts.append([part])
    if len(parts) == len(node.inputs):
        return
    draft.put(replace(node, inputs=tuple(_joined(draft, node, run) for run in parts)))


def _follows(before: Node, after: Node) -> bool:
    return (
        before.op.absence is after.op.absence is Absence.SLICES
        and before.inputs == after.inputs
        and before.attrs["segments"][1] == after.attrs["segments"][0]
    )


def _joined(draft: Draft, stack: Node, run: list[Node]) -> str:
    first = run[0]
    if len(run) == 1:
        return first.name
    channels = tuple(segment for part in run for segment in part.type.channels)
    whole = replace(first, type=replace(first.type, channels=channels))
    name = draft.fresh((part.name for part in run), "slice")
    return draft.put(slice_of(first.inputs[0], whole, first.attrs["segments"][0], op=first.op, name=name))
