"""The cost model promises what the built student costs, counted by torch itself."""

import numpy as np
import torch
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from catdsl.analysis.cost import cost_model
from catdsl.backend.module import build_module
from catdsl.diagnostics import CatError
from catdsl.ir.counts import with_counts
from catdsl.ir.graph import Graph
from catdsl.ops import BY_NAME
from catdsl.project import Project
from catdsl.search.compiled import compile_cost
from tests.examples import examples
from tests.properties.programs import counts_of, programs


def measured(graph: Graph) -> tuple[int, int, int]:
    """MACs by torch's own counter, parameters of the built module, and bytes of all that it saves."""
    module = build_module(graph).to("meta").eval()
    images = [torch.empty(1, graph.channels(i.name), i.type.height, i.type.width, device="meta") for i in graph.inputs]
    with FlopCounterMode(display=False) as counter:
        module(*images)
    saved = sum(value.nbytes for value in module.state_dict().values())
    return counter.get_total_flops() // 2, sum(p.numel() for p in module.parameters()), saved


@given(programs(), st.data())
@settings(max_examples=examples(150))
def test_a_student_costs_what_was_promised(project: Project, data: st.DataObject) -> None:
    counts = counts_of(data.draw, project.graph)
    try:
        student = with_counts(project.graph, counts, arrange=BY_NAME["arrange"])
    except CatError:
        reject()
    promised = project.cost_model.at(counts)
    assert cost_model(student).at() == promised
    assert measured(student) == (promised.exact, promised.params, promised.weights)


@given(programs(), st.data())
@settings(max_examples=examples(150))
def test_the_compiled_cost_is_the_same(project: Project, data: st.DataObject) -> None:
    model = project.cost_model
    compiled = compile_cost(model)
    for _ in range(3):
        counts = {**project.graph.counts, **counts_of(data.draw, project.graph)}
        cost = model.at({n: c for n, c in counts.items() if project.graph.width[n].tie is None})
        assert compiled.at(compiled.vector(counts)).tolist() == [cost.exact, cost.paper, cost.params, cost.weights]


@given(programs(), st.data())
@settings(max_examples=examples(150))
def test_what_a_step_adds_is_the_difference_it_makes(project: Project, data: st.DataObject) -> None:
    """For all widths that are there already, in one call."""
    graph = project.graph
    compiled = compile_cost(project.cost_model)
    if compiled.table is not None and compiled.table.ties:
        reject()
    vector = compiled.vector({**graph.counts, **counts_of(data.draw, graph)})
    steps = np.array([*(graph.width[n].step for n in compiled.names), 0])
    added = compiled.added(vector, steps)
    for place in range(len(compiled.names)):
        if vector[place] > 0 and graph.width[compiled.names[place]].searched:
            wider = vector.copy()
            wider[place] += steps[place]
            assert added[:, place].tolist() == (compiled.at(wider) - compiled.at(vector)).tolist()


@given(programs(), st.data())
@settings(max_examples=examples(50))
def test_cost_never_falls_where_a_width_grows(project: Project, data: st.DataObject) -> None:
    """What the search's bisection rests on."""
    graph, model = project.graph, project.cost_model
    first, second = counts_of(data.draw, graph), counts_of(data.draw, graph)
    less, more = ({n: pick(first[n], second[n]) for n in first} for pick in (min, max))
    a, b = model.at(less), model.at(more)
    assert a.exact <= b.exact
    assert a.paper <= b.paper
    assert a.params <= b.params
    assert a.weights <= b.weights
