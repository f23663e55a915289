"""What does nothing goes: unread nodes, dropout, scalings by 1, and tensors kept for taps alone."""

from dataclasses import dataclass

from catdsl.ir.graph import Graph, Node
from catdsl.passes.rewriting import Draft, Rewritten


@dataclass(frozen=True, slots=True)
class DropDead:
    """Leaves out what has no part in the output.

    `inference` drops what only training needs: dropout, and the taps of distillation with what leads
    to nothing else.
    """

    inference: bool = False
    name: str = "drop dead"

    def run(self, graph: Graph) -> Rewritten:
        draft = Draft(graph)
        if self.inference:
            draft.without_taps()
        for node in graph.nodes:
            if self._does_nothing(node):
                draft.move(node.name, node.inputs[0])
        result = draft.finish()
        return result

    def _does_nothing(self, node: Node) -> bool:
        match node.op.name:
            case "dropout":
                return self.inference or node.attrs["p"] == 0
            case "scale":
                return bool(node.attrs["factor"] == 1)
            case "pad":
                return bool(node.attrs["amount"] == 0)
            case "add" | "concat":
                return len(node.inputs) == 1
        return False
