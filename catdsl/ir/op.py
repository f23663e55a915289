"""An operator as one value: arguments, shape rule, axis table, cost, absence, builder, examples."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import prod
from typing import TYPE_CHECKING, Any

from catdsl.ir.code import Writing
from catdsl.ir.size import Size, operations
from catdsl.ir.types import TensorType

if TYPE_CHECKING:
    import numpy as np

    from catdsl.ir.offset import OffsetCall
    from catdsl.ir.shapes import ShapeCall

Attrs = Mapping[str, Any]


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED = _Required()


class Kind(Enum):
    """What an argument takes."""

    WIDTH = "a width"
    INT = "a whole number"
    NUMBER = "a number"
    BOOL = "true or false"
    WORD = "one of its words"
    SIZES = "two sizes [height, width]"
    TENSOR = "a tensor"


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument in the language. `style` names the style setting that is its default."""

    name: str
    kind: Kind
    default: Any = REQUIRED
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    style: str | None = None
    keyword_only: bool = False
    summary: str = ""


class Axis(Enum):
    """What an axis of a parameter follows."""

    OUT = "out"
    IN = "in"
    FIXED = "fixed"


class Initial(Enum):
    """Initial values that are drawn, as the style says."""

    KERNEL = "from the distribution of `style { init }`"
    SCALE = "from N(1, the gain of `style { init }`)"


@dataclass(frozen=True, slots=True)
class Weight:
    """A row of the axis table: a parameter or buffer, what each of its axes follows, and its initial value.

    `sizes` are the extents of the FIXED axes, in order. Counts, checks and slicing derive from it.
    """

    name: str
    axes: tuple[Axis, ...]
    sizes: tuple[int, ...] = ()
    buffer: bool = False
    initial: Initial | float = 0.0

    @property
    def fixed_size(self) -> int:
        return prod(self.sizes)

    def shape(self, *, inputs: int, outputs: int) -> tuple[int, ...]:
        fixed = iter(self.sizes)
        extent = {Axis.OUT: lambda: outputs, Axis.IN: lambda: inputs, Axis.FIXED: lambda: next(fixed)}
        return tuple(extent[axis]() for axis in self.axes)


@dataclass(frozen=True, slots=True)
class Macs:
    """Multiply-accumulates: `per` times output channels, times input channels where `inputs`."""

    exact: int
    paper: int
    inputs: bool = False


class Statistics(Enum):
    """What the mean and variance of a norm are taken over, one pair for each."""

    CHANNEL = "a channel of an image"
    BATCH = "a channel of all images of a batch"


@dataclass(frozen=True, slots=True)
class Norm:
    """What kind of norm an operator is: the one place where passes, search and sizes look.

    `affine`: it has a learned `weight` and `bias` per channel. `tracked`: it uses running statistics,
    `running_mean` and `running_var`, in evaluation.
    """

    affine: bool
    tracked: bool
    over: Statistics


class Absence(Enum):
    """How absence passes through an operator (`docs/language/widths.md`, Absence)."""

    SOURCE = "an input: always present"
    MAKES = "present where its input is, for each width above 0"
    PASSES = "present where its first input is"
    ANY = "present where any input is"
    ALL = "present where all inputs are"
    MODULATES = "present where the modulated tensor or beta is"
    JOINS = "each input's channels in turn"
    SLICES = "some segments of its input"
    ARRANGES = "chosen segments of its input, zeros between"


@dataclass(frozen=True, slots=True)
class Site:
    """Where an operator is built: its attributes, and the sizes of the segments of its tensors."""

    attrs: Attrs
    inputs: tuple[tuple[int, ...], ...]
    output: tuple[int, ...]

    @property
    def in_channels(self) -> int:
        return sum(self.inputs[0])

    @property
    def out_channels(self) -> int:
        return sum(self.output)


@dataclass(frozen=True, slots=True)
class Example:
    """A use for the contract test: input shapes C x H x W, and arguments as written."""

    inputs: tuple[tuple[int, int, int], ...]
    arguments: str = ""


def _same_size(attrs: Attrs, sizes: Sequence[Size]) -> Size:
    """The size of the inputs, which is one; of several expressions for it, the shortest."""
    return min(sizes, key=lambda size: operations(size[0]) + operations(size[1]))


def _arguments(site: Site) -> Attrs:
    return site.attrs


def _no_weights(attrs: Attrs) -> tuple[Weight, ...]:
    return ()


def _no_norm(attrs: Attrs) -> Norm | None:
    return None


def _no_macs(attrs: Attrs, source: TensorType, result: TensorType) -> None:
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """What catdsl knows of an operator: its arguments, types, weights, cost and module.

    `infer` gives the result's type and unifies widths. `size` gives its height and width from those
    of the inputs, as numbers or as expressions. `weights` is the axis table. `macs` gives
    coefficients in closed form. `build(site)` returns a torch module, a function of the input
    tensors, or such a function with its keyword arguments; torch is imported inside it, the one
    sanctioned lazy import. `tensors` are the least and the most tensors taken (None: any number).
    `per_channel` says that a channel of the result is a function of that channel of the first input
    alone, `random` that it is not the same in every pass of training.
    `norm` says what kind of norm it is, if it is one.
    `view` says that its result lies in its input's memory, at inference.
    `commutes` says that the order of its inputs does not matter.
    `identity` gives the arguments that tell two uses apart, with those worked out that follow from
    others: equal for two ways to write one computation (`catdsl/ir/identity.py`).
    `onnx` names what it becomes there, `python` says how it is written in a file of torch (`catdsl/ir/code.py`).
    `offset` says what a student's result lacks, given what its inputs lack (`catdsl/ir/offset.py`);
    None stands for what does not keep constants constant, or does not say.
    """

    name: str
    summary: str
    infer: "Callable[[ShapeCall], TensorType]"
    build: Callable[[Site], Any]
    absence: Absence
    args: tuple[Arg, ...] = ()
    size: Callable[[Attrs, Sequence[Size]], Any] = _same_size
    weights: Callable[[Attrs], tuple[Weight, ...]] = _no_weights
    macs: Callable[[Attrs, TensorType, TensorType], Macs | None] = _no_macs
    tensors: tuple[int, int | None] = (1, 1)
    offset: "Callable[[OffsetCall], np.ndarray] | None" = None
    norm: Callable[[Attrs], Norm | None] = _no_norm
    per_channel: bool = False
    random: bool = False
    view: bool = False
    commutes: bool = False
    identity: Callable[[Site], Attrs] = _arguments
    in_language: bool = True
    examples: tuple[Example, ...] = ()
    onnx: str = ""
    python: Writing | None = None

    def __repr__(self) -> str:
        return f"Op({self.name})"

    def __reduce__(self) -> Any:
        raise TypeError("an Op is code and is not pickled; save the graph as JSON")
