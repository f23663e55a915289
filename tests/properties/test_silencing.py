"""A sliced student computes what its teacher computes with the removed channels silenced."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from catdsl.diagnostics import CatError
from catdsl.ir.counts import with_counts
from catdsl.ir.graph import Graph
from catdsl.ops import BY_NAME
from catdsl.project import Project
from tests.examples import examples
from tests.properties.programs import counts_of, programs
from tests.properties.silencing import (
    assert_computes_what_silenced_teacher_computes,
    channels_alive,
    random_kept,
)

_SEEDS = st.integers(0, 2**16)


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


@given(programs(), st.data(), _SEEDS)
@settings(max_examples=examples(120))
def test_sliced_is_silenced(project: Project, data: st.DataObject, seed: int) -> None:
    _check(project.graph, data, seed)


@pytest.mark.slow
@given(programs(), st.data(), _SEEDS)
@settings(max_examples=examples(1500))
def test_sliced_is_silenced_at_length(project: Project, data: st.DataObject, seed: int) -> None:
    _check(project.graph, data, seed)


def _check(graph: Graph, data: st.DataObject, seed: int) -> None:
    counts = counts_of(data.draw, graph)
    if not channels_alive(graph, random_kept(graph, counts, seed))[graph.output].any():
        with pytest.raises(CatError) as caught:
            with_counts(graph, counts, arrange=BY_NAME["arrange"])
        assert [d.code for d in caught.value.diagnostics] == ["E308"]
        return
    try:
        assert_computes_what_silenced_teacher_computes(graph, counts, seed=seed)
    except CatError as error:
        # A tensor that lends its size is gone, and so is every other one of that size before it.
        assume([d.code for d in error.diagnostics] != ["E405"])
        raise
