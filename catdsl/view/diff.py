"""What one network has changed against another, as a value: text where it is printed, a picture in notebooks."""

from dataclasses import dataclass
from functools import cached_property

from catdsl.ir.graph import Graph
from catdsl.view.describe import figures
from catdsl.view.facts import Facts, costed_facts
from catdsl.view.notebook import image
from catdsl.view.svg import render_picture
from catdsl.view.terminal import render_facts


@dataclass(frozen=True, repr=False)
class Diff:
    """Two networks, whose nodes are matched by their names. `shown` says where they are from.

    `before` may be the teacher of `after`, or any other network. `facts` has the differences node by node.
    """

    before: Graph
    after: Graph
    shown: str = ""

    @cached_property
    def facts(self) -> Facts:
        return costed_facts(self.after, teacher=self.before)

    @property
    def differing(self) -> tuple[str, ...]:
        """The nodes in which the two differ, in the order of the networks."""
        return tuple(node.name for node in self.facts.drawn.nodes if self.facts.differs(node.name))

    def svg(self) -> str:
        """Both networks in one picture."""
        known = self.facts
        return render_picture(known, title=known.title, subtitles=(self.shown, ", ".join(figures(known))))

    def __str__(self) -> str:
        """The tree that `catdsl graph --diff` prints."""
        return render_facts(self.facts)

    def __repr__(self) -> str:
        return f"<Diff of {self.before.name} and {self.after.name}: {len(self.differing)} nodes differ>"

    def _repr_html_(self) -> str:
        return image(self.svg(), f"difference of {self.before.name} and {self.after.name}")
