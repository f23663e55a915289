"""What is done alike to neighbouring slices of one tensor is done once, before they are cut."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from catdsl.ir.graph import Graph, Node
from catdsl.ir.op import Absence
from catdsl.ops.joins import SPLIT
from catdsl.passes.rewriting import (
    Draft,
    Rewritten,
    alike,
    channels_in_turn,
    slice_of,
    stacked_recipes,
    stacks,
    until_settled,
    works_per_channel,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DelaySlices:
    """One norm, activation or depthwise conv over neighbouring slices in place of one over each."""

    name: str = "delay slices"

    def run(self, graph: Graph) -> Rewritten:
        return until_settled(_once, graph)


def _once(graph: Graph) -> Rewritten:
    draft = Draft(graph)
    for source in graph.nodes:
        users: dict[tuple[str, str], list[Node]] = defaultdict(list)
        for user in users_of_slices(graph, source):
            users[alike(user)].append(user)
        for same in users.values():
            for run in neighbours(graph, same):
                _delay(draft, source, run)
    return draft.finish()


def users_of_slices(graph: Graph, source: Node) -> Iterator[Node]:
    """What works channel by channel on slices of a tensor."""
    for cut in graph.consumers[source.name]:
        if cut.op.absence is Absence.SLICES:
            yield from (user for user in graph.consumers[cut.name] if works_per_channel(user) and stacks(user))


def neighbours(graph: Graph, users: Sequence[Node]) -> Iterator[list[Node]]:
    """Runs of two and more whose slices follow each other without a gap."""
    run: list[Node] = []
    for user in sorted(users, key=lambda user: _segments(graph, user)):
        if run and _segments(graph, user)[0] != _segments(graph, run[-1])[1]:
            if len(run) > 1:
                yield run
            run = []
        run.append(user)
    if len(run) > 1:
        yield run


def _segments(graph: Graph, user: Node) -> tuple[int, int]:
    start, stop = graph.node[user.inputs[0]].attrs["segments"]
    return start, stop


def _delay(draft: Draft, source: Node, users: Sequence[Node]) -> None:
    first, graph = users[0], draft.graph
    channels = tuple(s for user in users for s in graph.node[user.inputs[0]].type.channels)
    start = _segments(graph, first)[0]
    before = source.name
    if len(channels) < len(source.type.channels):
        cut = replace(graph.node[first.inputs[0]], type=replace(source.type, channels=channels))
        before = draft.put(slice_of(source.name, cut, start, op=SPLIT, name=draft.fresh(_names(users), "slice")))
    name = draft.fresh(_names(users), f"merged_{first.op.name}")
    merged = replace(first, name=name, inputs=(before,), type=replace(first.type, channels=channels_in_turn(users)))
    draft.put(merged, stacked_recipes(first.op, users))
    at = 0
    for user in users:
        draft.put(slice_of(name, user, at, op=SPLIT))
        at += len(user.type.channels)


def _names(nodes: Sequence[Node]) -> list[str]:
    return [node.name for node in nodes]
