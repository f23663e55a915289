"""The layout of a whole picture: scopes within scopes, from the innermost out."""

from dataclasses import replace

from catdsl.view.cards import TOGGLE, CardMaker
from catdsl.view.facts import END, Facts
from catdsl.view.layout_box import Box, Item, Outside
from catdsl.view.layout_channel import Wire
from catdsl.view.layout_columns import arrange
from catdsl.view.structure import Part, Run, Scope, members, structure
from catdsl.view.typeface import STYLES, fit, text_width

SCOPE_PAD = 12
HEADER = 20
LABEL_AT = 10
_LONGEST_LABEL = 240


def lay_out(facts: Facts) -> Box:
    """The drawn graph as boxes within boxes; the places of each are relative to its parent."""
    return _Layout(facts).root()


def label_text(label: str) -> str:
    """A scope's heading, cut where it is very long."""
    return fit(label, _LONGEST_LABEL, *STYLES["title"])


def _label_room(label: str, facts: Facts) -> int:
    """Pixels from the left edge of a scope that its heading takes, through which no wire may run."""
    width = text_width(label_text(label), *STYLES["title"])
    if facts.macs:
        width += 6 + text_width("00.0 %", *STYLES["share"])
    return label_at(facts) + round(width) + 8


def label_at(facts: Facts) -> int:
    """Where a scope's heading begins: after the sign that folds it, where there is one."""
    return LABEL_AT + TOGGLE * facts.live


class _Layout:
    def __init__(self, facts: Facts):
        self.facts = facts
        self.graph = facts.drawn
        self.cards = CardMaker(facts)

    def root(self) -> Box:
        scope = structure(self.graph)
        items = [*self._items(scope), self._output()]
        panel = arrange(items, Outside())
        return Box(0, 0, panel.width, panel.height, scope, panel.boxes, panel.wires, panel.columns)

    def _items(self, scope: Scope) -> list[Item]:
        """The children of a scope laid out; cards among them have one width."""
        runs = [_only_run(child) for child in scope.children]
        widths = [
            self.cards.natural_width(run, child.label if isinstance(child, Scope) else "")
            for child, run in zip(scope.children, runs, strict=True)
            if run is not None
        ]
        width = max(widths, default=0)
        return [
            self._scope(child) if run is None and isinstance(child, Scope) else self._card(child, run, width)
            for child, run in zip(scope.children, runs, strict=True)
        ]

    def _card(self, child: Part, run: Run | None, width: int) -> Item:
        assert run is not None
        title, path = (child.label, child.path) if isinstance(child, Scope) else ("", "")
        card = self.cards.card(run, width, title=title, path=path)
        needs, gives = self._boundary(run)
        return Item(Box(0, 0, card.width, card.height, card), needs, tuple(gives), {}, {})

    def _output(self) -> Item:
        card = self.cards.output()
        return Item(Box(0, 0, card.width, card.height, card), {self.graph.output: (END,)}, (), {}, {})

    def _scope(self, scope: Scope) -> Item:
        needs, gives = self._boundary(scope)
        room = _label_room(scope.label, self.facts)
        panel = arrange(self._items(scope), Outside(tuple(needs), gives), clear=room - SCOPE_PAD)
        width = max(panel.width + 2 * SCOPE_PAD, room)
        width += width % 2
        left = (width - panel.width) // 2
        height = panel.height + HEADER
        wires = [w.moved(left, HEADER) for w in panel.wires]
        for net, x in panel.ports_in.items():
            edges = frozenset((net, user) for user in needs[net])
            wires.append(Wire(((x + left, 0), (x + left, HEADER)), edges))
        if not gives:
            height += SCOPE_PAD
        boxes = tuple(replace(b, x=b.x + left, y=b.y + HEADER) for b in panel.boxes)
        columns = tuple(c.moved(left, HEADER) for c in panel.columns)
        return Item(
            Box(0, 0, width, height, scope, boxes, tuple(wires), columns), needs, tuple(gives),
            {net: x + left for net, x in panel.ports_in.items()},
            {net: x + left for net, x in panel.ports_out.items()},
        )  # fmt: skip

    def _boundary(self, part: Part) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
        """Tensors that come in, with the nodes within that take them; and those that go out, with theirs."""
        within = tuple(members(part))
        inside = set(within)
        needs: dict[str, dict[str, None]] = {}
        gives: dict[str, tuple[str, ...]] = {}
        for name in within:
            for source in self.graph.node[name].inputs:
                if source not in inside:
                    needs.setdefault(source, {})[name] = None
            users = tuple(u.name for u in self.graph.consumers[name] if u.name not in inside)
            if name == self.graph.output:
                users = (*users, END)
            if users:
                gives[name] = users
        return {net: tuple(users) for net, users in needs.items()}, gives


def _only_run(part: Part) -> Run | None:
    """The run of a card: a run itself, or the one that is all of a scope."""
    if isinstance(part, Run):
        return part
    (only, *more) = part.children
    return only if isinstance(only, Run) and not more else None
