"""What a shape rule sees of one application, and the errors it can raise there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catdsl.diagnostics import Span
from catdsl.ir.linear import Linear
from catdsl.ir.types import Channels, TensorType
from catdsl.ir.widths import Range, Unequal, WidthSolver

MAX_CHANNELS = 65_536
MAX_PIXELS = 1 << 28
MAX_SEGMENTS = 1024


@dataclass(frozen=True, slots=True)
class WidthForm:
    """What stands where a width is made: the teacher's count, bounds for students, or a tie."""

    count: int
    bounds: tuple[Range, ...] = ()
    tie: Linear | None = None


class ShapeError(Exception):
    """A rule is broken. The elaborator adds the place and the names of the operands."""

    def __init__(self, code: str, message: str, *, label: str = "", notes: Sequence[str] = (), help: str = ""):
        super().__init__(message)
        self.code, self.message, self.label = code, message, label
        self.notes, self.help = tuple(notes), help


@dataclass(frozen=True, slots=True)
class ShapeCall:
    """One application of an operator while its type is inferred.

    `word` is how the source writes the operator; `operands` are the texts of its inputs where they
    are plain names. `floor` is the default low bound of a new width.
    """

    name: str
    word: str
    inputs: tuple[TensorType, ...]
    operands: tuple[str, ...]
    attrs: Mapping[str, Any]
    widths: WidthSolver
    span: Span | None
    floor: int

    def count(self, index: int = 0) -> int:
        """Channels of an input in the teacher."""
        return self.widths.count(self.inputs[index].channels)

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Height and width of every input."""
        return [(t.height, t.width) for t in self.inputs]

    def new_width(self, form: WidthForm) -> Channels:
        """The channels of a new width. Raises ShapeError E307 beyond the limit."""
        if form.count > MAX_CHANNELS:
            raise ShapeError("E307", f"{form.count:,} channels are more than the limit of {MAX_CHANNELS:,}")
        bounds = form.bounds
        if not bounds and form.tie is None:
            bounds = (Range(min(self.floor, form.count), None, 1, None, f"the floor of {self.floor}"),)
        return self.widths.new(self.name, form.count, made_by=self.word, span=self.span, bounds=bounds, tie=form.tie)

    def same_channels(self, left: int, right: int) -> None:
        """Unify the channels of two inputs. Raises ShapeError E301 or E304."""
        a, b = self.inputs[left].channels, self.inputs[right].channels
        try:
            self.widths.unify(a, b)
        except Unequal as unequal:
            raise self._unequal(unequal, left, right) from None

    def same_size(self, left: int, right: int) -> None:
        """Demand equal heights and widths of two inputs. Raises ShapeError E302."""
        a, b = self.inputs[left], self.inputs[right]
        if (a.height, a.width) == (b.height, b.width):
            return
        raise ShapeError(
            "E302",
            f"{self._title()} needs images of equal size, got {a.height} x {a.width} and {b.height} x {b.width}",
            label=f"{a.height} x {a.width} here, {b.height} x {b.width} there",
            help=f"put `resize(like = {self.operands[left] or 't'})` on {self._operand(right)}",
        )

    def sized(self, channels: Channels, height: int, width: int) -> TensorType:
        """A result type. Raises ShapeError E306 for an empty image, E307 for one beyond the limit."""
        if height < 1 or width < 1:
            source = self.inputs[0]
            raise ShapeError(
                "E306",
                f"{self._title()} makes an empty image ({height} x {width}) from {source.height} x {source.width}",
                help="declare a larger input, or down-sample less",
            )
        if len(channels) > MAX_SEGMENTS:
            raise ShapeError(
                "E103", f"{self._title()} joins more than {MAX_SEGMENTS:,} widths into one tensor, the limit",
                help="put a conv between, so that the channels become one width",
            )  # fmt: skip
        if height * width > MAX_PIXELS:
            raise ShapeError("E307", f"an image of {height} x {width} is beyond the limit of {MAX_PIXELS:,} pixels")
        return TensorType(channels, height, width)

    def fail(self, code: str, message: str, *, help: str = "") -> ShapeError:
        return ShapeError(code, message, help=help)

    def indivisible(self, unequal: Unequal, *, notes: Sequence[str] = (), help: str = "") -> ShapeError:
        """A cut that falls where a width cannot be refined."""
        names = " and ".join(f"`{name}`" for name in unequal.widths)
        return ShapeError(
            "E304", f"{self._title()} would have to divide {names}, which is {_WHY[unequal.cut]}",
            notes=notes or tuple(n for n in (self._origin(0),) if n),
            help=help or "let it be built from widths that end where it is cut",
        )  # fmt: skip

    # ---- wording ----

    def _title(self) -> str:
        return f"`{self.word}`"

    def _operand(self, index: int) -> str:
        text = self.operands[index]
        return f"`{text}`" if text else ("the left side", "the right side")[index] if index < 2 else "it"

    def _unequal(self, unequal: Unequal, left: int, right: int) -> ShapeError:
        notes = tuple(n for n in (self._origin(right), self._origin(left)) if n)
        if not unequal.cut:
            a, b = unequal.left, unequal.right
            return ShapeError(
                "E301", f"{self._title()} needs equal channel counts, got {a} and {b}",
                label=f"{a} here, {b} there", notes=notes[:1] if self._origin(right) else notes,
                help=f"give both the same width, or put conv({a}, 1) on {self._operand(right)}",
            )  # fmt: skip
        advice = "let both sides be built from the same widths in the same order"
        return self.indivisible(unequal, notes=notes, help=advice)

    def _origin(self, index: int) -> str:
        maker, span = self.widths.made_by(self.inputs[index].channels)
        if not maker or span is None:
            return ""
        who = self._operand(index)
        return f"{who} gets its {self.count(index)} channels from {maker} at {span}"


_WHY = {
    "interleaved": "cut between channels that belong together",
    "tied": "tied to another width",
    "two ties": "tied to two widths that are not equal",
}
