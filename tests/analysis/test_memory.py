"""Peak memory: by hand, and as an interpreter of the module counts it while it runs."""

from typing import Any

import pytest
import torch
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from torch import fx

from catdsl.analysis.memory import Peak, peak_memory
from catdsl.backend.module import build_module
from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph
from catdsl.project import Project, load
from catdsl.search.compiled import compile_cost
from catdsl.search.meters import MemoryMeter
from tests.examples import examples
from tests.properties.programs import counts_of, programs

_PIXEL = 4 * 8 * 12


class _Watching(fx.Interpreter):
    """Runs a module, and notes the most bytes that its values hold at once."""

    def __init__(self, module: fx.GraphModule, images: list[torch.Tensor]):
        super().__init__(module)
        self.peak, self.to_come = 0, images

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if n.op == "output":
            return result
        if n.op == "placeholder":
            self.to_come = self.to_come[1:]
        # Generated code drops at once what only a tap wants; the interpreter keeps it.
        values = [*(v for m, v in self.env.items() if m.users), *self.to_come, result]
        stores = {v.untyped_storage().data_ptr(): v.untyped_storage().nbytes() for v in values}
        self.peak = max(self.peak, sum(stores.values()))
        return result


def _watched(graph: Graph) -> int:
    images = [torch.zeros(1, graph.channels(n.name), n.type.height, n.type.width) for n in graph.inputs]
    watching = _Watching(build_module(graph).eval(), images)
    with torch.no_grad():
        watching.run(*images)
    return watching.peak


def _program(statements: str) -> Project:
    return load(f"generator g {{\n input x: image(3, 8, 12)\n{statements}\n}}\nsearch {{ floor = 1 }}")


@pytest.mark.parametrize(
    ("statements", "channels", "node"),
    [
        ("output x -> conv(5, 3) -> relu", 10, "output.relu0"),
        ("y = x -> conv(5, 3)\noutput (y -> conv(4, 3) -> conv(5, 1)) + y", 15, "output.add0"),
        # The parts of a split are views: they hold all of what was split.
        ("a, b = x -> conv(6, 3) -> split(2)\noutput (a -> relu) + (b -> relu)", 12, "output.relu1"),
        ("y = x -> conv(2, 3)\noutput concat(x, y) -> conv(2, 1)", 10, "output.concat0"),
    ],
)
def test_the_peak_by_hand(statements: str, channels: int, node: str) -> None:
    assert peak_memory(_program(statements).graph) == Peak(channels * _PIXEL, node)


@given(programs(), st.data())
@settings(max_examples=examples(150))
def test_the_peak_is_what_a_run_holds_and_the_meter_finds_it(project: Project, data: st.DataObject) -> None:
    teacher, compiled = project.graph, compile_cost(project.cost_model)
    meter = MemoryMeter(teacher, compiled.names)
    counts = counts_of(data.draw, teacher)
    try:
        student = project.student_at(counts)
    except CatError:
        reject()
    assert meter.of(student) == peak_memory(student).bytes == _watched(student)
    vector = compiled.vector({**teacher.counts, **counts})
    if any(node.op.name == "arrange" for node in student.nodes):
        assert 0 < meter.at(vector) <= meter.of(student)
    else:
        assert meter.at(vector) == meter.of(student)
