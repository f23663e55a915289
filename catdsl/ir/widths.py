"""Unification of widths while a graph is built: union, refinement into segments, ties, bounds.

A width is a variable. Two that must be equal become one class; one that is cut (`split`) or
interleaved (`pixel_shuffle`) is refined, that is, bound to a list of segments of other widths.
Bounds and ties are gathered here and solved at the end, by `catdsl.ir.ranges`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd

from catdsl.diagnostics import Span
from catdsl.ir.linear import Linear
from catdsl.ir.types import Channels, Segment


@dataclass(frozen=True, slots=True)
class Range:
    """What one place in the source demands of a width's count in students."""

    low: int = 0
    high: int | None = None
    step: int = 1
    span: Span | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Unequal(Exception):
    """Two channel lists that cannot be equal: their totals, or the widths where a cut fails."""

    left: int
    right: int
    cut: str = ""
    widths: tuple[str, ...] = ()


@dataclass(slots=True)
class Variable:
    """A width while its graph is built: free, or joined to `root`, or refined into what it is `bound` to."""

    name: str
    count: int
    order: int
    span: Span | None
    made_by: str
    ranges: list[Range] = field(default_factory=list)
    tie: Linear | None = None
    bound: Channels | None = None
    root: "Variable | None" = None


class WidthSolver:
    """The widths of one graph under construction."""

    def __init__(self) -> None:
        self._variables: dict[str, Variable] = {}

    # ---- making ----

    def new(
        self, name: str, count: int, *, made_by: str, span: Span | None = None,
        bounds: Iterable[Range] = (), tie: Linear | None = None,
    ) -> Channels:  # fmt: skip
        variable = Variable(name, count, len(self._variables), span, made_by, list(bounds), tie)
        self._variables[name] = variable
        return (Segment(name),)

    def fix(self, channels: Channels, *, span: Span | None, reason: str) -> None:
        """Keep every width of `channels` at the teacher's count."""
        for segment in self.resolve(channels):
            variable = self.find(segment.width)
            variable.ranges.append(Range(variable.count, variable.count, 1, span, reason))

    # ---- reading ----

    def find(self, name: str) -> Variable:
        """The variable that stands for the width of this name."""
        variable = self._variables[name]
        while variable.root is not None:
            # Halving the path keeps long chains of unions short.
            variable.root = variable.root.root or variable.root
            variable = variable.root
        return variable

    def resolve(self, channels: Channels) -> Channels:
        """The same channels in terms of widths that are not refined. A width of 0 leaves no segment."""
        if len(channels) == 1:  # most tensors, and the same object where nothing was joined
            only = self.find(channels[0].width)
            if only.bound is None and only.count:
                same = only.name == channels[0].width
                return channels if same else (Segment(only.name, channels[0].repeat),)
        result: list[Segment] = []
        left = list(reversed(channels))
        while left:
            segment = left.pop()
            variable = self.find(segment.width)
            if variable.count == 0:
                continue
            if variable.bound is None:
                result.append(Segment(variable.name, segment.repeat))
                continue
            # Repeating a list of several segments channel by channel has no type: `refine` and
            # `unify` never bind so.
            left += (Segment(s.width, s.repeat * segment.repeat) for s in reversed(variable.bound))
        return tuple(result)

    def count(self, channels: Channels) -> int:
        return sum(self.find(s.width).count * s.repeat for s in channels)

    def form(self, channels: Channels) -> Linear:
        return Linear.of((s.width, Fraction(s.repeat)) for s in self.resolve(channels))

    def canonical(self, form: Linear) -> Linear:
        """The form over the widths that stand for their classes now."""
        result = Linear((), form.constant)
        for name, coefficient in form.terms:
            result = result.plus(self.form((Segment(name),)), coefficient)
        return result

    def made_by(self, channels: Channels) -> tuple[str, Span | None]:
        """The operator and place that first made these channels."""
        if not channels:
            return "", None
        variable = self.find(channels[0].width)
        return variable.made_by, variable.span

    def classes(self) -> list[Variable]:
        """The widths that stand for themselves, in graph order."""
        free = [v for v in self._variables.values() if v.root is None and v.bound is None]
        return sorted(free, key=lambda v: v.order)

    # ---- unifying ----

    def unify(self, left: Channels, right: Channels) -> None:
        """Make two channel lists equal, segment by segment. Raises Unequal, leaving counts as they are."""
        left_total, right_total = self.count(left), self.count(right)
        if left_total != right_total:
            raise Unequal(left_total, right_total)
        a, b = list(self.resolve(left))[::-1], list(self.resolve(right))[::-1]
        while a and b:
            if a[-1] == b[-1]:
                a.pop(), b.pop()
                continue
            size_a, size_b = self._size(a[-1]), self._size(b[-1])
            if size_a == size_b:
                self._equal(a.pop(), b.pop())
            elif size_a > size_b:
                a[-1:] = self._cut(a[-1], size_b, b[-1])[::-1]
            else:
                b[-1:] = self._cut(b[-1], size_a, a[-1])[::-1]
            a = list(self.resolve(tuple(a[::-1])))[::-1]
            b = list(self.resolve(tuple(b[::-1])))[::-1]

    def cut(self, channels: Channels, at: int) -> tuple[Channels, Channels]:
        """The first `at` channels, and the rest; the segment that holds the cut is refined."""
        rest = list(self.resolve(channels))
        head: list[Segment] = []
        while at > 0:
            size = self._size(rest[0])
            if size > at:
                rest[:1] = self._cut(rest[0], at, None)
                continue
            at -= size
            head.append(rest.pop(0))
        return tuple(head), tuple(rest)

    def interleave(self, channels: Channels, factor: int) -> Channels:
        """Channels of which each stands for `factor` consecutive ones of `channels`."""
        result: list[Segment] = []
        for segment in self.resolve(channels):
            if segment.repeat % factor == 0:
                result.append(Segment(segment.width, segment.repeat // factor))
                continue
            variable = self.find(segment.width)
            missing = factor // gcd(factor, segment.repeat)
            if variable.count % missing:
                raise Unequal(variable.count, missing, cut="interleaved", widths=(variable.name,))
            part = self._part(variable, "0", variable.count // missing)
            part.ranges = [self._divide(r, missing) for r in variable.ranges]
            variable.bound = (Segment(part.name, missing),)
            result.append(Segment(part.name, missing * segment.repeat // factor))
        return tuple(result)

    # ---- inside ----

    def _size(self, segment: Segment) -> int:
        return self.find(segment.width).count * segment.repeat

    def _part(self, parent: Variable, suffix: str, count: int) -> Variable:
        """A new width for a part of `parent`; of a tied one, it follows by its share."""
        name = f"{parent.name}.{suffix}"
        tie = None if parent.tie is None else parent.tie.times(Fraction(count, parent.count))
        self.new(name, count, made_by=parent.made_by, span=parent.span, tie=tie)
        part = self._variables[name]
        part.order = parent.order
        part.ranges = [self._share(r, count, parent.count) for r in parent.ranges]
        return part

    @staticmethod
    def _share(bounds: Range, part: int, whole: int) -> Range:
        """The bounds of a part: its share of the low and the high end, and the step of the whole."""
        if not whole:
            return bounds
        high = None if bounds.high is None else bounds.high * part // whole
        return Range(-(-bounds.low * part // whole), high, bounds.step, bounds.span, bounds.reason)

    @staticmethod
    def _divide(bounds: Range, repeat: int) -> Range:
        """The bounds of a width of which each channel stands for `repeat` of the bounded one."""
        high = None if bounds.high is None else bounds.high // repeat
        step = bounds.step // gcd(bounds.step, repeat)
        return Range(-(-bounds.low // repeat), high, step, bounds.span, bounds.reason)

    def _cut(self, segment: Segment, at: int, against: Segment | None) -> list[Segment]:
        variable = self.find(segment.width)
        others = (against.width,) if against else ()
        if at % segment.repeat:
            raise Unequal(variable.count, at, cut="interleaved", widths=(variable.name, *others))
        if variable.tie is not None and against is not None:
            # The shares that would follow the tie are one way to be equal to `against`, not the way.
            raise Unequal(variable.count, 0, cut="tied", widths=(*others, variable.name))
        first = at // segment.repeat
        parts = (self._part(variable, "0", first), self._part(variable, "1", variable.count - first))
        variable.bound = tuple(Segment(p.name) for p in parts)
        return [Segment(p.name, segment.repeat) for p in parts]

    def _equal(self, a: Segment, b: Segment) -> None:
        if a.repeat > b.repeat:
            a, b = b, a
        left, right = self.find(a.width), self.find(b.width)
        if left is right:
            return
        if a.repeat == b.repeat:
            self._union(left, right)
            return
        if b.repeat % a.repeat:
            raise Unequal(left.count, right.count, cut="interleaved", widths=(left.name, right.name))
        scale = b.repeat // a.repeat
        if left.tie is not None:
            tie = left.tie.times(Fraction(1, scale))
            if right.tie is not None:
                self._agree(right.tie, tie, (left.name, right.name))
            right.tie = right.tie or tie
        right.ranges += [self._divide(r, scale) for r in left.ranges]
        right.order = min(left.order, right.order)
        left.bound = (Segment(right.name, scale),)

    def _union(self, a: Variable, b: Variable) -> None:
        first, second = (a, b) if a.order <= b.order else (b, a)
        one, other = first.tie, second.tie
        # Joined before the ties are compared, which may be to each other or to themselves.
        second.root = first
        first.tie = one or other
        first.ranges += second.ranges
        if one is not None and other is not None:
            self._agree(one, other, (first.name, second.name))

    def _agree(self, a: Linear, b: Linear, names: tuple[str, ...]) -> None:
        """Two ties of one width: the same form, or one ratio of two widths that so become one."""
        forms = [self.canonical(a), self.canonical(b)]
        if forms[0] == forms[1]:
            return
        (left, right) = forms
        single = len(left.terms) == len(right.terms) == 1 and left.constant == right.constant
        if not single or left.terms[0][1] != right.terms[0][1]:
            raise Unequal(0, 0, cut="two ties", widths=names)
        self._union(self.find(left.terms[0][0]), self.find(right.terms[0][0]))
