"""Unification of widths while a graph is built: union, refinement into segments, ties, bounds.

A width is a variable. Two that must be equal become one class; one that is cut (`split`) or
interleaved (`pixel_shuffle`) is refined, that is, bound to a list of segments of other widths.
What follows others by a tie is solved at the end, when the bounds are pushed to the widths that
are still free.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd, lcm

from catdsl.diagnostics import Diagnostic, Span
from catdsl.ir.linear import Linear
from catdsl.ir.types import Channels, Segment, Width


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
class _Variable:
    name: str
    count: int
    order: int
    span: Span | None
    made_by: str
    ranges: list[Range] = field(default_factory=list)
    tie: Linear | None = None
    bound: Channels | None = None
    root: "_Variable | None" = None


class WidthSolver:
    """The widths of one graph under construction."""

    def __init__(self) -> None:
        self._variables: dict[str, _Variable] = {}

    # ---- making ----

    def new(
        self, name: str, count: int, *, made_by: str, span: Span | None = None,
        bounds: Iterable[Range] = (), tie: Linear | None = None,
    ) -> Channels:  # fmt: skip
        variable = _Variable(name, count, len(self._variables), span, made_by, list(bounds), tie)
        self._variables[name] = variable
        return (Segment(name),)

    def demand(self, channels: Channels, bounds: Range) -> None:
        """Let `bounds` hold of every width in `channels`, besides what holds already."""
        for segment in self.resolve(channels):
            self._find(segment.width).ranges.append(bounds)

    def fix(self, channels: Channels, *, span: Span | None, reason: str) -> None:
        """Keep every width of `channels` at the teacher's count."""
        for segment in self.resolve(channels):
            variable = self._find(segment.width)
            variable.ranges.append(Range(variable.count, variable.count, 1, span, reason))

    # ---- reading ----

    def resolve(self, channels: Channels) -> Channels:
        """The same channels in terms of widths that are not refined. A width of 0 leaves no segment."""
        result: list[Segment] = []
        for segment in channels:
            variable = self._find(segment.width)
            if variable.count == 0:
                continue
            if variable.bound is None:
                result.append(Segment(variable.name, segment.repeat))
                continue
            inner = self.resolve(variable.bound)
            # Repeating a list of several segments channel by channel has no type: `refine` and
            # `unify` never bind so.
            result += (Segment(s.width, s.repeat * segment.repeat) for s in inner)
        return tuple(result)

    def count(self, channels: Channels) -> int:
        return sum(self._find(s.width).count * s.repeat for s in channels)

    def form(self, channels: Channels) -> Linear:
        return Linear.of((s.width, Fraction(s.repeat)) for s in self.resolve(channels))

    def made_by(self, channels: Channels) -> tuple[str, Span | None]:
        """The operator and place that first made these channels."""
        if not channels:
            return "", None
        variable = self._find(channels[0].width)
        return variable.made_by, variable.span

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
            variable = self._find(segment.width)
            missing = factor // gcd(factor, segment.repeat)
            self._may_be_refined(variable)
            if variable.count % missing:
                raise Unequal(variable.count, missing, cut="interleaved", widths=(variable.name,))
            part = self._part(variable, "0", variable.count // missing)
            part.ranges = [self._divide(r, missing) for r in variable.ranges]
            self._bind(variable, (Segment(part.name, missing),))
            result.append(Segment(part.name, missing * segment.repeat // factor))
        return tuple(result)

    # ---- inside ----

    def _find(self, name: str) -> _Variable:
        variable = self._variables[name]
        while variable.root is not None:
            variable = variable.root
        return variable

    def _size(self, segment: Segment) -> int:
        return self._find(segment.width).count * segment.repeat

    def _may_be_refined(self, variable: _Variable) -> None:
        if variable.tie is not None:
            raise Unequal(variable.count, 0, cut="tied", widths=(variable.name,))

    def _part(self, parent: _Variable, suffix: str, count: int) -> _Variable:
        name = f"{parent.name}.{suffix}"
        self.new(name, count, made_by=parent.made_by, span=parent.span)
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

    @staticmethod
    def _bind(variable: _Variable, channels: Channels) -> None:
        variable.bound = channels

    def _cut(self, segment: Segment, at: int, against: Segment | None) -> list[Segment]:
        variable = self._find(segment.width)
        others = (against.width,) if against else ()
        if at % segment.repeat:
            raise Unequal(variable.count, at, cut="interleaved", widths=(variable.name, *others))
        self._may_be_refined(variable)
        first = at // segment.repeat
        parts = (self._part(variable, "0", first), self._part(variable, "1", variable.count - first))
        self._bind(variable, tuple(Segment(p.name) for p in parts))
        return [Segment(p.name, segment.repeat) for p in parts]

    def _equal(self, a: Segment, b: Segment) -> None:
        if a.repeat > b.repeat:
            a, b = b, a
        left, right = self._find(a.width), self._find(b.width)
        if left is right:
            return
        if a.repeat == b.repeat:
            self._union(left, right)
            return
        if b.repeat % a.repeat:
            raise Unequal(left.count, right.count, cut="interleaved", widths=(left.name, right.name))
        self._may_be_refined(left)
        scale = b.repeat // a.repeat
        right.ranges += [self._divide(r, scale) for r in left.ranges]
        right.order = min(left.order, right.order)
        self._bind(left, (Segment(right.name, scale),))

    def _union(self, a: _Variable, b: _Variable) -> None:
        first, second = (a, b) if a.order <= b.order else (b, a)
        if first.tie is not None and second.tie is not None:
            self._agree(first.tie, second.tie, (first.name, second.name))
        first.tie = first.tie or second.tie
        first.ranges += second.ranges
        second.root = first

    def _agree(self, a: Linear, b: Linear, names: tuple[str, ...]) -> None:
        """Two ties of one width: the same form, or one ratio of two widths that so become one."""
        forms = [self._canonical(a), self._canonical(b)]
        if forms[0] == forms[1]:
            return
        (left, right) = forms
        single = len(left.terms) == len(right.terms) == 1 and left.constant == right.constant
        if not single or left.terms[0][1] != right.terms[0][1]:
            raise Unequal(0, 0, cut="two ties", widths=names)
        self._union(self._find(left.terms[0][0]), self._find(right.terms[0][0]))

    def _canonical(self, form: Linear) -> Linear:
        """The form over the widths that stand for their classes now."""
        result = Linear((), form.constant)
        for name, coefficient in form.terms:
            result = result.plus(self.form((Segment(name),)), coefficient)
        return result

    # ---- solving ----

    def solve(self) -> "Solution":
        return _solve(self)

    def classes(self) -> list[_Variable]:
        """The widths that stand for themselves, in graph order."""
        free = [v for v in self._variables.values() if v.root is None and v.bound is None]
        return sorted(free, key=lambda v: v.order)


@dataclass(frozen=True, slots=True)
class Solution:
    widths: tuple[Width, ...]
    problems: tuple[Diagnostic, ...]


def _solve(solver: WidthSolver) -> Solution:
    """Express ties over the free widths, push all bounds to these, and find their final ranges."""
    classes = solver.classes()
    problems: list[Diagnostic] = []
    forms: dict[str, Linear] = {}
    for variable in classes:
        if variable.tie is None:
            continue
        form = _expand(solver, variable, problems)
        if form == Linear(((variable.name, Fraction(1)),)):
            variable.tie = None
        elif form is not None:
            forms[variable.name] = form
    demands: dict[str, list[Range]] = {v.name: list(v.ranges) for v in classes if v.name not in forms}
    for variable in classes:
        if variable.name in forms:
            _push(variable, forms[variable.name], demands, solver, problems)
    widths = tuple(_width(v, forms.get(v.name), demands.get(v.name, []), problems) for v in classes)
    return Solution(widths, tuple(problems))


def _expand(solver: WidthSolver, variable: _Variable, problems: list[Diagnostic]) -> Linear | None:
    """The tie of `variable` over free widths, or None where it leads back to itself.

    Back to itself and nothing else, `a = 2 * (a / 2)`, it says nothing, and is returned.
    """
    form = solver._canonical(variable.tie)  # type: ignore[arg-type]
    seen = {variable.name}
    while True:
        if form == Linear(((variable.name, Fraction(1)),)):
            return form
        tied = [n for n, _ in form.terms if solver._find(n).tie is not None]
        if not tied:
            return form
        if variable.name in tied or len(seen) > 10_000:
            message = f"`{variable.name}` is tied to a width that is tied to it"
            problems.append(Diagnostic("E305", message, variable.span, help="give one of them a number"))
            return None
        seen.update(tied)
        replaced = {n: solver._canonical(solver._find(n).tie) for n in tied}  # type: ignore[arg-type]
        form = form.substitute(replaced)


def _push(
    variable: _Variable, form: Linear, demands: dict[str, list[Range]], solver: WidthSolver,
    problems: list[Diagnostic],
) -> None:  # fmt: skip
    """Demand of each free width what makes the tied one whole and within its bounds.

    With one term this is exact; with several, each gets its share, which is sufficient.
    """
    reason = f"`{variable.name}` is {form}"
    step = lcm(1, *(r.step for r in variable.ranges))
    if any(coefficient < 0 for _, coefficient in form.terms):
        problems.append(_untied(variable, f"{reason}, which shrinks as that grows", "tie it to a sum of widths"))
        return
    if form.constant % step:
        wanted = "whole" if step == 1 else f"a multiple of {step}"
        message = f"{reason}, which is not always {wanted}"
        problems.append(_untied(variable, message, "change the number that is added"))
        return
    for name, coefficient in form.terms:
        # The least step of this width that moves the tied one by a multiple of its own.
        whole = (Fraction(step) / coefficient).numerator
        demands[name].append(Range(0, None, whole, variable.span, reason))
        for bounds in variable.ranges:
            low, high = _through(bounds, form, solver._find(name).count, variable.count)
            demands[name].append(Range(low, high, 1, bounds.span, bounds.reason or reason))


def _through(bounds: Range, form: Linear, share: int, count: int) -> tuple[int, int | None]:
    """Bounds of a free width from those of a tied one: as far from 0 as its share of the teacher's."""
    moving = count - form.constant
    if not moving:
        return 0, None
    ratio = share / moving
    high = None if bounds.high is None else int((bounds.high - form.constant) * ratio // 1)
    return max(0, -int((form.constant - bounds.low) * ratio // 1)), high


def _untied(variable: _Variable, message: str, help: str) -> Diagnostic:
    return Diagnostic("E305", message, variable.span, help=help)


def _width(
    variable: _Variable, form: Linear | None, ranges: list[Range], problems: list[Diagnostic]
) -> Width:
    def width(low: int, high: int, step: int = 1, tie: Linear | None = None) -> Width:
        fed = variable.made_by == "input"
        return Width(variable.name, variable.count, low, high, step, tie, fed, variable.span)

    if form is not None:
        return width(0, variable.count, tie=form)
    step = lcm(1, *(r.step for r in ranges))
    lowest = max((r.low for r in ranges), default=0)
    highest = min((r.high for r in ranges if r.high is not None), default=variable.count)
    highest = min(highest, variable.count)
    low, high = -(-lowest // step) * step, highest // step * step
    if low > high:
        problems.append(_empty(variable, ranges, lowest, highest, step))
        low = high = variable.count
    return width(low, high, step if low < high else 1)


def _empty(variable: _Variable, ranges: list[Range], low: int, high: int, step: int) -> Diagnostic:
    """No count fits: name the demands that meet, each with its place."""
    ends = [r for r in ranges if r.low == low and low > 0] + [r for r in ranges if r.high == high]
    steps = [r for r in ranges if r.step > 1]
    involved = list(dict.fromkeys(ends[:1] + ends[-1:] + steps[:1]))
    notes = tuple(
        f"{r.reason or 'bounds'} at {r.span}" if r.span else r.reason for r in involved if r.span or r.reason
    )
    multiples = f" in multiples of {step}" if step > 1 else ""
    span = next((r.span for r in reversed(involved) if r.span), variable.span)
    return Diagnostic(
        "E303", f"`{variable.name}` ({variable.count} channels) has no count between {low} and {high}{multiples}",
        span, notes=notes, help="widen the bounds, change the step, or write `fixed` where it shall not be searched",
    )  # fmt: skip
