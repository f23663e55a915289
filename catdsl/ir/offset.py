"""What a student's tensor lacks of its teacher's, where that is one number per channel.

Every tensor T of the teacher is S + offset, where S is the student's tensor with zeros for the channels
that are not in it. For a channel that the student has not, the offset is the teacher's own value, if that
is constant over the image; for one that it has, it is what removed channels added before. NaN stands
for an offset that is unknown or not constant over the image.

Operators say in `Op.offset` how offsets pass. Arrays are asked for what they need themselves, since
importing numpy takes longer than checking a spec.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catdsl.ir.op import Attrs, Site

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class OffsetCall:
    """One operator of the teacher: offsets of its inputs, and which channels the student has.

    `offsets` are float64, one vector of channels per input; `present` and `kept` are truth values per
    channel of the inputs and of the result. `weights` are the operator's own, as float64. Without
    `border`, the rule may look away from pixels that padding reaches.
    """

    site: Site
    offsets: "tuple[np.ndarray, ...]"
    present: "tuple[np.ndarray, ...]"
    kept: "np.ndarray"
    weights: "Mapping[str, np.ndarray]"
    border: bool = True

    @property
    def attrs(self) -> Attrs:
        return self.site.attrs

    def unknown(self) -> "np.ndarray":
        """NaN for every channel of the result."""
        return self.kept * float("nan")


def unchanged(call: OffsetCall) -> "np.ndarray":
    """For what maps x + c to itself + c: means, interpolations, the largest of several."""
    return call.offsets[0].copy()
