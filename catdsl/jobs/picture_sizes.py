"""Which pictures a network can be given: large enough for its levels, and within the limit on memory."""

from dataclasses import dataclass, field

from torch import Tensor
from torch.nn import functional as F

from catdsl.analysis.input_size import with_input_size
from catdsl.analysis.memory import peak_memory
from catdsl.analysis.sizes import Misfit, SizeRule, size_rule, sizes_at, too_small
from catdsl.ir.graph import Graph
from catdsl.limits import LIMITS


@dataclass(frozen=True, slots=True)
class PictureSizes:
    """Sizes of pictures for a graph with one input, whose sides are made multiples of `stride` for it."""

    graph: Graph
    stride: int
    rule: SizeRule
    _known: dict[tuple[int, int], str | None] = field(default_factory=dict, repr=False, compare=False)

    def refusal(self, height: int, width: int) -> str | None:
        """What is wrong with a picture of this size, to follow its name; None where it can be translated."""
        size = height, width
        if size not in self._known:
            self._known[size] = self._refusal(height, width)
        return self._known[size]

    def padded(self, x_BCHW: Tensor) -> Tensor:
        """Pictures with their last row and column repeated, until sides are multiples of the stride."""
        height, width = x_BCHW.shape[2:]
        return F.pad(x_BCHW, (0, -width % self.stride, 0, -height % self.stride), mode="replicate")

    def _refusal(self, height: int, width: int) -> str | None:
        small = too_small(self.rule, (height, width), step=self.stride)
        if small is not None:
            return small
        whole = height + -height % self.stride, width + -width % self.stride
        found = sizes_at(self.graph, *whole)
        if isinstance(found, Misfit):
            return f"is {height} x {width}, which does not fit this network ({found}): it takes {self.rule}"
        memory = peak_memory(with_input_size(self.graph, *whole)).bytes
        if memory > LIMITS["memory"].most:
            return (
                f"is {height} x {width}, for which activations take {memory:,} bytes, "
                f"{LIMITS['memory'].refusal(memory)}"
            )
        return None


def picture_sizes(graph: Graph, stride: int) -> PictureSizes:
    """The sizes of pictures for a graph."""
    return PictureSizes(graph, stride, size_rule(graph))
