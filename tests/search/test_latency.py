"""Budgets of memory and latency: kept by the student itself; and the warning where fewer MACs bring no speed."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from catdsl.analysis.memory import peak_memory
from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph
from catdsl.project import Project, load
from catdsl.search.budget import Budget, Limit
from catdsl.search.latency import Checked, Curve, LatencyMeter, OperatorTimes, signature, signatures
from catdsl.search.speed import Speed, predicted_speed, slow_warning
from tests.examples import examples
from tests.properties.programs import programs

TEXT = """
generator small {
    input photo: image(3, 16, 16)
    stem = photo -> conv(12, 3) -> norm -> relu
    wide = stem -> conv(24, 3) -> norm -> relu
    output wide -> conv(3, 3)
}
search { floor = 2 }
"""


def times_of(*graphs: Graph, fixed: float = 100.0, each: float = 1.0, step: int = 1) -> OperatorTimes:
    """Times that grow with the channels by the blocks of `step` that they fill; 1,000 ns on top for sums."""

    def blocks(n: int) -> float:
        return float(-(-n // step) * step)

    curves = {}
    for graph in graphs:
        for node in graph.nodes:
            key = signature(graph, node)
            if key is not None:
                counts = tuple(range(1, 129)) if step > 1 else (1, 128)
                dense = node.op.name in ("conv", "deconv")
                rows = counts if dense else (0,)
                curves[key] = Curve(
                    rows, counts,
                    tuple(tuple(fixed + each * blocks(b) * (blocks(a) if dense else 1) for b in counts) for a in rows),
                )  # fmt: skip
    sizes = {(n.type.height, n.type.width) for graph in graphs for n in graph.nodes}
    lined = {f"arrange {h}x{w} to {h}x{w}": Curve((0,), (1, 128), ((10.0, 10.0),)) for h, w in sizes}
    return OperatorTimes("device", "software", 1, {**lined, **curves})


def scores(project: Project, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    graph = project.teacher_graph
    return {n.name: rng.random(graph.channels(n.name)) for n in graph.nodes if n.scaled}


def test_a_network_takes_the_sum_of_its_operators() -> None:
    """Two points describe a line exactly; a conv's time is a product of two."""
    graph = load(TEXT).graph
    convs = 3 * 12 + 12 * 24 + 24 * 3
    norms_and_relus = 2 * 12 + 2 * 24
    assert times_of(graph).of(graph) == 7 * 100 + convs + norms_and_relus


def test_the_factor_is_fitted_to_teachers_alone() -> None:
    graph = load(TEXT).graph
    plain = times_of(graph)
    kinds = signatures(graph)
    checked = (
        Checked("another", 1.0, 9.0, True, ("relu 1x1 to 1x1",)),
        Checked("teacher", 2.0, 3.0, True, kinds),
        Checked("student", 1.0, 4.0, False, kinds[:-1]),
    )
    fitted = OperatorTimes(plain.device, plain.software, 1, plain.curves, checked)
    assert fitted.factor(kinds) == fitted.factor(kinds[1:]) == 1.5
    assert fitted.of(graph) == int(plain.of(graph) * 1.5)
    assert fitted.error(checked[2]) == 1.5 / 4 - 1


def test_an_operator_that_was_not_measured_is_named() -> None:
    graph, other = load(TEXT).graph, load(TEXT.replace("16, 16", "16, 24")).graph
    with pytest.raises(CatError) as caught:
        times_of(graph).of(other)
    (error,) = caught.value.diagnostics
    assert error.code == "E406"
    assert "stem.conv0" in error.message
    assert "16x24" in error.message


def test_more_channels_than_were_measured_are_refused() -> None:
    narrow = times_of(load(TEXT).graph)
    with pytest.raises(CatError) as caught:
        narrow.of(load(TEXT.replace("conv(24, 3)", "conv(240, 3)")).graph)
    (error,) = caught.value.diagnostics
    assert error.code == "E406"
    assert "240 channels" in error.message


def test_latency_without_times_is_refused() -> None:
    project = load(TEXT)
    for attempt in (
        lambda: project.budget("latency=50%", None),
        lambda: project.plan(scores(project), Budget((Limit("latency", 10**6, "1ms"),))),
    ):
        with pytest.raises(CatError) as caught:
            attempt()
        assert caught.value.diagnostics[0].code == "E406"
        assert "catdsl measure" in caught.value.diagnostics[0].help


def test_the_budget_of_a_spec_may_be_a_latency() -> None:
    project = load(f"{TEXT}\nbudget {{ latency = 12ms, memory = 50%, weights = 4K }}")
    limits = {limit.metric: limit.most for limit in project.budget(None, None).limits}
    assert limits == {"latency": 12_000_000, "memory": peak_memory(project.graph).bytes // 2, "weights": 4_000}
    with pytest.raises(CatError) as caught:
        load(f"{TEXT}\nbudget {{ latency = 12 }}").settings  # noqa: B018
    assert "12ms" in caught.value.diagnostics[0].message
    with pytest.raises(CatError):
        load(f"{TEXT}\nbudget {{ latency = 12.5 }}").settings  # noqa: B018


@given(programs(), st.integers(0, 99), st.integers(40, 130), st.sampled_from(("memory", "latency")), st.booleans())
@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
def test_students_are_within_limits_that_are_no_sums(
    project: Project, seed: int, share: int, metric: str, both: bool
) -> None:
    graph = project.graph
    times = times_of(graph)
    measure = {"memory": lambda g: peak_memory(g).bytes, "latency": times.of}[metric]
    limits = [Limit(metric, max(1, measure(graph) * share // 100), "share")]
    if both:
        limits.append(Limit("params", max(1, project.cost.params * (share + 20) // 100), "share"))
    budget = Budget(tuple(limits))
    try:
        plan = project.plan(scores(project, seed), budget, times)
    except CatError as error:
        codes = {d.code for d in error.diagnostics}
    else:
        codes = set()
    assert codes <= {"E308", "E401"}
    assume(not codes)
    student = project.student_at(plan.kept)
    assert plan.metered == {metric: measure(student)}
    assert budget.holds(plan.cost, plan.metered)
    assert not plan.claims.maximal
    assert not plan.claims.monotone_cut
    assert plan.claims.within


def test_memory_is_spent_where_it_costs_nothing() -> None:
    """Only what is alive at the peak has to go."""
    project = load(TEXT.replace("conv(3, 3)\n", "avg_pool(4) -> conv(48, 3) -> norm -> conv(3, 3)\n"))
    plan = project.plan(scores(project), project.budget("memory=60%", None))
    assert plan.kept["output.conv0"] == 48
    assert plan.kept["wide.conv0"] < 24


def test_fewer_macs_that_bring_no_speed_are_warned_of() -> None:
    project = load(TEXT.replace("12, 3", "32, 3").replace("24, 3", "64, 3"))
    graph = project.graph
    ranked = scores(project)

    def warning(times: OperatorTimes):  # type: ignore[no-untyped-def]
        plan = project.plan(ranked, project.budget("40%", None))
        speed = predicted_speed(graph, plan.kept, times)
        return speed, slow_warning(project.cost_model, ranked, plan, speed, times, group="first", policy="threshold")

    # Time follows the MACs.
    assert warning(times_of(graph, fixed=0.0))[1] is None
    # Nothing but launches.
    speed, slow = warning(times_of(graph, fixed=1e6))
    assert slow is not None
    assert slow.code == "E407"
    assert "no step" in slow.help
    assert isinstance(speed, Speed)
    # Channels come in blocks of 16: counts in between waste them.
    _, blocked = warning(times_of(graph, fixed=2000.0, step=16))
    assert blocked is not None
    assert "`step 16`" in blocked.help or "`step 8`" in blocked.help


def test_a_meter_agrees_with_the_student_it_predicts() -> None:
    project = load(TEXT)
    times = times_of(project.graph)
    names = [w.name for w in project.graph.widths if w.tie is None]
    meter = LatencyMeter(project.graph, names, times)
    counts = {**project.graph.counts, "stem.conv0": 5, "wide.conv0": 9}
    vector = np.array([*(counts[n] for n in names), 1])
    student = project.student_at({"stem.conv0": 5, "wide.conv0": 9})
    assert meter.at(vector) == meter.of(student) == times.of(student)
