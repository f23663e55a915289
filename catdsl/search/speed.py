"""Whether fewer operations are faster, by the operator times of a device; and steps of widths that are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from catdsl.analysis.cost import CostModel, cost_model
from catdsl.diagnostics import CatError, Diagnostic, Severity
from catdsl.ir.counts import with_counts
from catdsl.ir.graph import Graph
from catdsl.ops import BY_NAME
from catdsl.search.latency import OperatorTimes
from catdsl.search.plan import Plan, find_plan
from catdsl.search.scores import Scores

_STEPS = (4, 8, 16)
# A student is slow where its time falls by less than this share of what its MACs fall by.
_SLOW = 0.5
_FASTER = 0.97
# Less than this is saved for another reason, such as memory.
_FEWER = 0.1


@dataclass(frozen=True, slots=True)
class Speed:
    """Predicted nanoseconds of an image on a device, teacher and student."""

    device: str
    teacher: int
    student: int

    @property
    def share(self) -> float:
        return self.student / max(self.teacher, 1)


def predicted_speed(graph: Graph, kept: Mapping[str, int], times: OperatorTimes) -> Speed:
    """The times of a teacher and of its student. Raises CatError E406 for operators that were not measured."""
    student = with_counts(graph, kept, arrange=BY_NAME["arrange"])
    return Speed(times.device, times.of(graph), times.of(student, graph))


def slow_warning(
    model: CostModel, scores: Scores, plan: Plan, speed: Speed, times: OperatorTimes, *, group: str, policy: str
) -> Diagnostic | None:
    """E407 where MACs fall and time does not, with the step of widths that would be faster; else None."""
    fewer = 1 - plan.cost.exact / max(plan.teacher.exact, 1)
    if fewer < _FEWER or 1 - speed.share >= _SLOW * fewer:
        return None
    found = {}
    for step in _STEPS:
        stepped = with_step(model, step)
        try:
            other = find_plan(stepped, scores, plan.budget, group=group, policy=policy, times=times)
        except CatError:
            continue
        found[step] = predicted_speed(stepped.graph, other.kept, times).student
    best = min(found, key=lambda step: found[step], default=0)
    if best and found[best] < _FASTER * speed.student:
        advice = f"with `step {best}` on all widths the same budget is predicted to take {found[best] / 1e6:.2f} ms"
    else:
        advice = "no step of widths helps; fewer blocks or a smaller image would, or another device"
    return Diagnostic(
        "E407", f"MACs fall to {1 - fewer:.0%} of the teacher's, but its time on {speed.device} only to "
        f"{speed.share:.0%} ({speed.teacher / 1e6:.2f} to {speed.student / 1e6:.2f} ms, predicted)",
        help=advice, severity=Severity.WARNING,
    )  # fmt: skip


def with_step(model: CostModel, step: int) -> CostModel:
    """The same network with counts that are multiples of `step`, where a width's bounds have some."""
    widths = []
    for width in model.graph.widths:
        low, high = -(-width.low // step) * step, width.high // step * step
        if width.searched and step % width.step == 0 and high > low:
            width = replace(width, low=low, high=high, step=step)
        widths.append(width)
    return cost_model(replace(model.graph, widths=tuple(widths)))
