"""`bench`: every network in every form, in turn, with what each node takes; and what is refused."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch._inductor.exc import InvalidCxxCompiler

from catdsl.analysis.cost import cost_model
from catdsl.analysis.input_size import with_input_size
from catdsl.backend.module import build_module
from catdsl.backend.threads import threads
from catdsl.diagnostics import CatError
from catdsl.evaluate import node_times
from catdsl.evaluate.node_times import measure_nodes
from catdsl.export import network as export_network
from catdsl.jobs import bench as job
from catdsl.jobs import bench_forms
from catdsl.jobs.bench import bench
from catdsl.jobs.bench_figures import BenchOptions, parse_size
from catdsl.jobs.bench_forms import parse_forms
from catdsl.jobs.bench_operators import GROUPS, shares
from catdsl.jobs.bench_shown import as_text
from catdsl.jobs.planning import save_student
from catdsl.passes.pipeline import run_pipeline, run_pipelines
from catdsl.passes.rewriting import Rewritten
from catdsl.project import Project, load

SPEC = """
generator tiny {
    input photo: image(3, 16, 16)
    stem = photo -> conv(6, 3, stride = 2) -> norm -> relu
    body = (stem -> conv(4 in 0.., 3) -> conv(6, 1)) + (stem -> conv(6, 3)) -> norm
    output body -> deconv(6, 3) -> relu -> conv(3, 3) -> tanh
}
search { floor = 2 }
"""


def quiet(_: str) -> None:
    pass


@pytest.fixture
def student(tmp_path: Path) -> Project:
    """A student program beside its spec."""
    spec = tmp_path / "tiny.cat"
    spec.write_text(SPEC)
    project = load(spec)
    plan = project.plan(project.scores({n: v.numpy() for n, v in project.teacher().state_dict().items()}),
                        project.budget("80%", None))  # fmt: skip
    save_student(project, plan, tmp_path / "student.cat")
    return load(tmp_path / "student.cat")


def test_a_student_is_timed_beside_its_teacher(student: Project) -> None:
    found = bench(student, BenchOptions(forms=("eager",), runs=3, threads=1, batch=2), say=quiet)
    assert [row.network for row in found.rows] == ["teacher", "student", "student deployed"]
    assert {row.form for row in found.rows} == {"eager"}
    teacher, small = found.rows[:2]
    assert teacher.cost == student.cost_model.teacher
    assert small.cost == student.cost
    assert small.cost.exact < teacher.cost.exact
    assert {network.weights for network in found.timed.networks} == {"initial, seed 0"}
    for row in found.rows:
        assert len(row.seconds) == row.speed.runs == 3
        assert row.speed.images_per_second == pytest.approx(1e3 / row.speed.median_ms)
        assert row.speed.peak_bytes > 0
        assert row.difference < 1e-5
        assert 0 < row.over_teacher.low <= row.over_teacher.median <= row.over_teacher.high
    assert teacher.over_teacher.median == small.over_student.median == 1
    turns = [a / b for a, b in zip(teacher.seconds, small.seconds, strict=True)]
    assert small.over_teacher.median == sorted(turns)[1]


def test_what_is_shipped_is_the_student_after_the_passes(student: Project) -> None:
    found = bench(student, BenchOptions(forms=("eager",), runs=1), say=quiet)
    rewritten = run_pipeline("deploy", student.graph)
    assert rewritten.graph.nodes != student.graph.nodes
    assert found.timed.last.graph == rewritten.graph
    assert found.rows[-1].cost == cost_model(rewritten.graph).at()
    assert (found.rows[-1].network, found.timed.last.original) == ("student deployed", "student")
    alone = bench(load(SPEC), BenchOptions(forms=("eager",), runs=1), say=quiet)
    assert [row.network for row in alone.rows] == ["teacher", "teacher deployed"]


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_counters_and_statistics_of_norms_are_carried_along(norm: str) -> None:
    # A batch norm before a sum stays one, with its counter of batches, which has no axes.
    text = f"style {{ norm = {norm} }}" + SPEC.replace(
        "output body", "output norm(body) + (photo -> conv(6, 3, stride = 2))"
    )
    found = bench(load(text), BenchOptions(forms=("eager",), runs=1), say=quiet)
    assert found.rows[-1].difference < 1e-5


def test_a_network_that_computes_something_else_is_warned_of(student: Project, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def damaged(names, graph):  # type: ignore[no-untyped-def]
        made = run_pipelines(names, graph)
        return Rewritten(made.graph, lambda weights: {n: 2 * value for n, value in made.carry(weights).items()})

    monkeypatch.setattr(export_network, "run_pipelines", damaged)
    found = bench(student, BenchOptions(forms=("eager",), runs=1), say=quiet)
    (warning,) = (line for line in as_text(found).splitlines() if line.startswith("warning: "))
    assert warning.startswith("warning: student deployed eager computes something else")


def test_a_network_that_gives_no_numbers_is_timed_all_the_same(cli) -> None:  # type: ignore[no-untyped-def]
    """Such as one whose training has diverged."""
    factor = " -> scale(1e17)" * 3
    (cli.folder / "g.cat").write_text(f"generator g {{ input x: image(3, 8, 8)\noutput x -> conv(3, 3){factor} }}")
    done = json.loads(cli("bench", "g.cat", "--forms", "eager", "--runs", "1", "--format", "json").stdout)
    assert [variant["difference"] for variant in done["variants"]] == [None, None]
    told = cli("bench", "g.cat", "--forms", "eager", "--runs", "1").stdout
    assert "warning: teacher eager computes something else, off by nan" in told


def test_without_its_teacher_a_student_is_compared_with_itself_alone(student: Project) -> None:
    found = bench(student, BenchOptions(forms=("eager",), runs=1, teacher=False), say=quiet)
    assert found.rows[0].network == "student"
    assert all(row.over_teacher is None for row in found.rows)
    with pytest.raises(CatError, match=r"E607.*nothing is left to time"):
        bench(load(SPEC), BenchOptions(teacher=False), say=quiet)


def test_networks_take_turns(student: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def prepared(form, network, conditions):  # type: ignore[no-untyped-def]
        ready = bench_forms.prepare(form, network, conditions)
        return bench_forms.Prepared(lambda: seen.append(network.name), ready.result_BCHW, ready.graph, accounted=False)

    monkeypatch.setattr(job, "prepare", prepared)
    found = bench(student, BenchOptions(forms=("eager",), runs=2), say=quiet)
    names = [row.network for row in found.rows]
    assert seen == names * (3 + 2)


def test_threads_are_set_and_given_back(student: Project) -> None:
    before = torch.get_num_threads()
    seen: list[int] = []
    found = bench(student, BenchOptions(forms=("eager",), runs=1, threads=before + 1),
                  say=lambda _: seen.append(torch.get_num_threads()))  # fmt: skip
    assert set(seen) == {before + 1} == {found.threads} | {row.speed.threads for row in found.rows}
    assert torch.get_num_threads() == before
    with pytest.raises(ZeroDivisionError), threads(before + 1):
        1 / 0  # noqa: B018
    assert torch.get_num_threads() == before


@pytest.mark.slow
def test_onnxruntime_gets_as_many_threads(student: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    seen: list[int] = []
    made = onnxruntime.InferenceSession

    def session(path, options, **more):  # type: ignore[no-untyped-def]
        seen.append(options.intra_op_num_threads)
        return made(path, options, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    found = bench(load(SPEC), BenchOptions(forms=("onnxruntime",), runs=1, threads=2), say=quiet)
    assert set(seen) == {2}
    assert {row.form for row in found.rows} == {"onnxruntime"}
    assert all(row.difference < 1e-5 for row in found.rows)
    assert all(row.speed.peak_bytes is None for row in found.rows)
    assert all((row.resident or 0) < 2**30 for row in found.rows)


@pytest.mark.slow
def test_in_onnxruntime_the_deployed_network_is_the_one_that_is_exported() -> None:
    pytest.importorskip("onnxruntime")
    text = (
        "generator g { input x: image(3, 8, 8)\noutput x -> conv(12, 1) -> norm -> relu -> conv(3, 3, pad = reflect) }"
    )
    found = bench(load(text), BenchOptions(runs=1, forms=("eager", "onnxruntime")), say=quiet)
    macs = {(row.network, row.form): row.cost.exact for row in found.rows}
    plain = 8 * 8 * (3 * 12 + 9 * 12 * 3)
    assert macs.pop(("teacher deployed", "onnxruntime")) == 8 * 8 * 3 * 12 + 10 * 10 * 9 * 12 * 3
    assert set(macs.values()) == {plain}
    assert all(row.difference < 1e-5 for row in found.rows)


@pytest.mark.slow
def test_every_form_computes_the_same(student: Project) -> None:
    pytest.importorskip("onnxruntime")
    found = bench(student, BenchOptions(runs=1, threads=1, batch=2), say=quiet)
    timed = {(row.network, row.form) for row in found.rows} | {(m.network, m.form) for m in found.missing}
    assert timed == {(n.name, form) for n in found.timed.networks for form in bench_forms.FORMS}
    assert not [m for m in found.missing if m.form != "compiled"]  # that one needs a C++ compiler
    assert all(row.difference < 1e-4 for row in found.rows)


def without_compiler(*_: object, **__: object) -> object:
    def compiled(*_: object) -> object:
        raise InvalidCxxCompiler

    return compiled


def test_a_form_that_cannot_be_had_is_listed_with_the_reason(student: Project, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(torch, "compile", without_compiler)
    monkeypatch.setattr(bench_forms, "write_onnx", missing_package)
    found = bench(student, BenchOptions(runs=1), say=quiet)
    assert {row.form for row in found.rows} == {"eager"}
    assert "not timed:\n  teacher compiled: torch.compile failed" in as_text(found)
    reasons = {missing.form: missing.reason for missing in found.missing}
    assert "torch.compile failed" in reasons["compiled"]
    assert "not installed" in reasons["onnxruntime"]
    for form in ("compiled", "onnxruntime"):
        with pytest.raises(CatError, match=rf"E607.*cannot be timed as {form}"):
            bench(student, BenchOptions(runs=1, forms=("eager", form)), say=quiet)


def missing_package(*_: object, **__: object) -> None:
    raise CatError.one("E607", "onnx is not installed, which an export to ONNX needs")


def test_any_other_fault_of_a_compiled_network_is_no_missing_compiler(student: Project, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def fails(*_: object, **__: object) -> object:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(torch, "compile", lambda *_, **__: fails)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        bench(student, BenchOptions(runs=1, forms=("compiled",)), say=quiet)


def test_onnxruntime_is_timed_in_fp32_only(student: Project) -> None:
    with pytest.raises(CatError, match=r"E607.*fp32 only"):
        bench(student, BenchOptions(runs=1, forms=("onnxruntime",), precision="bf16"), say=quiet)
    found = bench(student, BenchOptions(runs=1, forms=("eager",), precision="bf16"), say=quiet)
    assert {row.speed.precision for row in found.rows} == {"bf16"}


def test_layout_is_that_of_the_computation(student: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def prepared(form, network, conditions):  # type: ignore[no-untyped-def]
        seen.extend(conditions.images)
        seen.extend(p for p in network.module.parameters() if p.ndim == 4 and min(p.shape[1:]) > 1)
        return bench_forms.prepare(form, network, conditions)

    monkeypatch.setattr(job, "prepare", prepared)
    bench(student, BenchOptions(runs=1, forms=("eager",), channels_last=True), say=quiet)
    assert seen
    assert all(x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous() for x in seen)


def test_costs_are_those_at_the_size_of_the_images() -> None:
    project = load(SPEC)
    found = bench(project, BenchOptions(runs=1, forms=("eager",), size=(32, 48)), say=quiet)
    assert found.rows[0].cost.exact == project.cost.exact * 6
    assert found.rows[0].cost.params == project.cost.params
    assert found.rows[0].speed.size == (32, 48)


@pytest.mark.parametrize("name", ["unet_inception", "spade_inception", "superres_inception", "resnet_inception"])
def test_a_graph_at_another_size_has_the_sizes_of_one_declared_so(root: Path, name: str) -> None:
    project = load(root / "specs" / f"{name}.cat")
    graph = project.teacher_graph
    height, width = graph.inputs[0].type.height, graph.inputs[0].type.width
    larger = with_input_size(graph, 2 * height, 3 * width)
    exact, other = cost_model(graph).at().exact, cost_model(larger).at().exact
    assert other == 6 * exact
    assert with_input_size(larger, height, width) == graph


def test_a_graph_is_not_made_for_images_that_do_not_meet(root: Path) -> None:
    graph = load(root / "specs" / "unet_inception.cat").teacher_graph
    with pytest.raises(CatError, match="E607"):
        with_input_size(graph, 250, 256)
    with pytest.raises(CatError, match="E607"):
        with_input_size(
            load("generator g {\ninput x: image(3, 8, 8)\noutput x -> conv(3, 5, padding = 0)\n}").graph, 4, 8
        )
    two = load("generator g {\ninput x: image(3, 8, 8)\ninput y: image(3, 9, 9)\n"
               "output concat(x, y -> resize(like = x)) -> conv(3, 3)\n}").graph  # fmt: skip
    assert [n.type.height for n in with_input_size(two, 16, 16).inputs] == [16, 18]
    with pytest.raises(CatError, match=r"E607.*`y`"):
        with_input_size(two, 12, 12)


def test_time_is_told_apart_by_node_and_operator(student: Project) -> None:
    found = bench(student, BenchOptions(forms=("eager",), runs=2), say=quiet)
    graph, part = found.profile.network.graph, shares(found.profile)
    assert found.profile.network is found.timed.last
    assert {share.node.name for share in part.nodes} == {n.name for n in graph.nodes if n.inputs}
    assert sum(share.time for share in part.nodes) == pytest.approx(1)
    assert sum(share.macs for share in part.nodes) == pytest.approx(1)
    assert [s.seconds for s in part.nodes] == sorted((s.seconds for s in part.nodes), reverse=True)
    assert sum(operator.nodes for operator in part.operators) == len(part.nodes)
    assert sum(part.of_group(group) for group in GROUPS) == pytest.approx(1)
    assert {o.operator for o in part.operators if o.group == GROUPS[1]} <= {"instance_norm", "batch_norm"}
    assert 0 < part.fixed <= 1
    assert found.profile.small < found.timed.size


def test_a_slow_node_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = load(SPEC).graph
    module = build_module(graph)
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(node_times.time, "perf_counter", lambda: clock.now)

    def ticks(seconds: float):  # type: ignore[no-untyped-def]
        def tick(*_: object) -> None:
            clock.now += seconds

        return tick

    for part in module.modules():
        if not list(part.children()):
            part.register_forward_hook(ticks(1.0))
    module.get_submodule("body").register_forward_hook(ticks(0.0))
    slow = next(n.name for n in graph.nodes if n.op.name == "deconv")
    module.get_submodule(slow).register_forward_hook(ticks(9.0))
    images = (torch.zeros(1, 3, 16, 16),)
    times = measure_nodes(module, images, None, runs=2, device="cpu")
    assert times.small is None
    assert times.nodes[slow] == [10.0, 10.0]
    assert times.nodes[next(n.name for n in graph.nodes if n.op.name == "tanh")] == [0.0, 0.0]


def test_the_command_tells_everything(cli) -> None:  # type: ignore[no-untyped-def]
    (cli.folder / "small.cat").write_text(SPEC)
    told = cli("bench", "small.cat", "--runs", 2, "--forms", "eager", "--size", "32x16", "-o", "out/bench.json")
    assert "teacher" in told.stdout
    assert "MACs exact" in told.stdout
    assert "32 x 16" in told.stdout
    assert "convolutions" in told.stdout
    assert "initial, seed 0" in told.stdout
    values = json.loads((cli.folder / "out" / "bench.json").read_text())
    assert json.loads(cli("bench", "small.cat", "--runs", 2, "--forms", "eager", "--format", "json").stdout).keys() \
        == values.keys() - {"made_by"}  # fmt: skip
    surroundings = values["environment"]
    assert (surroundings["size"], surroundings["threads"]) == ([32, 16], torch.get_num_threads())
    assert (surroundings["runs"], surroundings["batch"], surroundings["precision"]) == (2, 1, "fp32")
    first = values["variants"][0]
    assert (first["network"], first["form"], len(first["seconds"])) == ("teacher", "eager", 2)
    assert first["macs"]["exact"] == 2 * load(SPEC).cost.exact
    node = values["operators"]["nodes"][0]
    assert node["source"]["file"] == "small.cat"
    assert node["milliseconds"]["least"] <= node["milliseconds"]["median"]
    assert {m["form"] for m in values["unavailable"]} == set()


def test_a_run_is_timed_with_its_weights_once_it_has_a_student(cli) -> None:  # type: ignore[no-untyped-def]
    cli("train", "tiny.cat", "-o", "run", "--steps", 1)
    assert "no trained student" in cli("bench", "run", code=1).stderr
    cli("compress", "tiny.cat", "--budget", "50%", "--teacher", "run", "-o", "whole", "--steps", 1)
    told = cli("bench", "whole", "--forms", "eager", "--runs", 1, "--format", "json")
    weights = json.loads(told.stdout)["weights"]
    assert weights["teacher"].endswith("weights.safetensors")
    assert Path(weights["student"]).parent.name == "student"
    assert "it is for a SPEC" in cli("bench", "whole", "--set", "ngf=4", code=2).stderr


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (("--forms", "eager,speedy"), 1, "`speedy` is no form"),
        (("--forms", ","), 1, "no form is given"),
        (("--size", "2x2"), 1, "it takes height 3 or more; width 2 or more"),
        (("--size", "0x16"), 1, "no size of images"),
        (("--size", "wide"), 1, "no size of images"),
        (("-o", "bench.txt"), 2, "bench.txt is no name of a .json file"),
        (("--threads", "0"), 2, "--threads"),
        (("--batch", "0"), 2, "--batch"),
        (("--runs", "0"), 2, "--runs"),
        (("--device", "cuda:99"), 1, "there is no device"),
        (("--precision", "fp16", "--device", "cpu"), 1, "fp16 is not measured"),
        (("--precision", "fp8"), 2, "--precision"),
        (("--no-teacher",), 1, "nothing is left to time"),
    ],
)
def test_what_cannot_be_timed_is_refused(cli, flags, code, said) -> None:  # type: ignore[no-untyped-def]
    (cli.folder / "small.cat").write_text(SPEC)
    told = cli("bench", "small.cat", *flags, code=code)
    assert said in told.stderr
    assert "Traceback" not in told.stderr


def test_what_is_neither_run_nor_spec_is_refused(cli) -> None:  # type: ignore[no-untyped-def]
    (cli.folder / "empty").mkdir()
    assert "E603" in cli("bench", "empty", code=1).stderr
    assert "E210" in cli("bench", "gone.cat", code=1).stderr


@pytest.mark.parametrize(("text", "size"), [("256", (256, 256)), ("64x96", (64, 96)), (" 8 X 9 ", (8, 9))])
def test_sizes_are_read(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text) == size


def test_forms_are_read_once_each() -> None:
    assert parse_forms("onnxruntime, eager,onnxruntime") == ("onnxruntime", "eager")
