"""The ranges of the widths of a finished graph: ties expressed over what is free, bounds pushed along them."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from catdsl.diagnostics import Diagnostic
from catdsl.ir.linear import Linear
from catdsl.ir.types import Width
from catdsl.ir.widths import Range, Variable, WidthSolver


@dataclass(frozen=True, slots=True)
class Solution:
    widths: tuple[Width, ...]
    problems: tuple[Diagnostic, ...]


def solve(solver: WidthSolver) -> Solution:
    """Express ties over the free widths, push all bounds to these, and find their final ranges."""
    classes = solver.classes()
    problems: list[Diagnostic] = []
    forms = _forms(solver, classes, problems)
    demands: dict[str, list[Range]] = {v.name: list(v.ranges) for v in classes if v.name not in forms}
    for variable in classes:
        if variable.name in forms:
            _push(variable, forms[variable.name], demands, solver, problems)
    widths = tuple(_width(v, forms.get(v.name), demands.get(v.name, []), problems) for v in classes)
    return Solution(widths, tuple(problems))


def _forms(solver: WidthSolver, classes: list[Variable], problems: list[Diagnostic]) -> dict[str, Linear]:
    """The ties over free widths. One that leads back to itself and nothing else, `a = 2 * (a / 2)`, is none."""
    tied = [variable for variable in classes if variable.tie is not None]
    forms: dict[str, Linear] = {}
    failed: set[str] = set()
    for variable in tied:
        form = _expand(solver, variable, forms, failed, rounds=len(tied))
        if form is None:
            failed.add(variable.name)
        elif form == Linear(((variable.name, Fraction(1)),)):
            variable.tie = None
        elif any(name == variable.name for name, _ in form.terms):
            failed.add(variable.name)
            message = f"`{variable.name}` is tied to a width that is tied to it"
            problems.append(Diagnostic("E305", message, variable.span, help="give one of them a number"))
        else:
            forms[variable.name] = form
    return forms


def _expand(
    solver: WidthSolver, variable: Variable, known: Mapping[str, Linear], failed: set[str], *, rounds: int
) -> Linear | None:
    """The tie of `variable` over widths that are free, or over itself; None where it leads into a circle of others.

    `known` holds the forms of ties that are solved: a long chain of ties is then walked once.
    """
    form = solver.canonical(variable.tie)  # type: ignore[arg-type]
    for _ in range(rounds + 1):
        names = [name for name, _ in form.terms]
        tied = [name for name in names if solver.find(name).tie is not None]
        if variable.name in tied or not tied:
            return form
        if failed.intersection(tied):
            return None
        form = form.substitute(
            {n: known.get(n) or solver.canonical(solver.find(n).tie) for n in tied}  # type: ignore[arg-type]
        )
    return None


def _push(
    variable: Variable, form: Linear, demands: dict[str, list[Range]], solver: WidthSolver,
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
            low, high = _through(bounds, form, solver.find(name).count, variable.count)
            demands[name].append(Range(low, high, 1, bounds.span, bounds.reason or reason))


def _through(bounds: Range, form: Linear, share: int, count: int) -> tuple[int, int | None]:
    """Bounds of a free width from those of a tied one: as far from 0 as its share of the teacher's."""
    moving = count - form.constant
    if not moving:
        return 0, None
    ratio = share / moving
    high = None if bounds.high is None else int((bounds.high - form.constant) * ratio // 1)
    return max(0, -int((form.constant - bounds.low) * ratio // 1)), high


def _untied(variable: Variable, message: str, help: str) -> Diagnostic:
    return Diagnostic("E305", message, variable.span, help=help)


def _width(variable: Variable, form: Linear | None, ranges: list[Range], problems: list[Diagnostic]) -> Width:
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


def _empty(variable: Variable, ranges: list[Range], low: int, high: int, step: int) -> Diagnostic:
    """No count fits: name the demands that meet, each with its place."""
    ends = [r for r in ranges if r.low == low and low > 0] + [r for r in ranges if r.high == high]
    steps = [r for r in ranges if r.step > 1]
    involved = list(dict.fromkeys(ends[:1] + ends[-1:] + steps[:1]))
    notes = tuple(f"{r.reason or 'bounds'} at {r.span}" if r.span else r.reason for r in involved if r.span or r.reason)
    multiples = f" in multiples of {step}" if step > 1 else ""
    span = next((r.span for r in reversed(involved) if r.span), variable.span)
    return Diagnostic(
        "E303", f"`{variable.name}` ({variable.count} channels) has no count between {low} and {high}{multiples}",
        span, notes=notes, help="widen the bounds, change the step, or write `fixed` where it shall not be searched",
    )  # fmt: skip
