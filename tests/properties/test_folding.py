"""A student computes what its teacher computes where folding says that it is exact."""

import re
from collections import Counter
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, event, given, note, reject, settings
from hypothesis import strategies as st

from catdsl.backend.module import build_module
from catdsl.diagnostics import CatError
from catdsl.ir.counts import with_counts
from catdsl.ir.graph import Graph
from catdsl.ops import BY_NAME
from catdsl.project import Project, load
from catdsl.search.folding import Fate, Folded, fold_constants
from tests.examples import examples
from tests.properties.programs import counts_of, programs, texts
from tests.properties.silencing import (
    channels_alive,
    loaded_student,
    numpy_state,
    random_images,
    random_kept,
    randomized,
    without_scales,
)

_SEEDS = st.integers(0, 2**16)
_CONV = re.compile(r"(?<!dw)conv\((?:[^()]|\([^()]*\))*\)")


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> None:
    torch.set_num_threads(1)


@st.composite
def carrying(draw: st.DrawFn) -> Project:
    """Random programs in which most constants can be carried: borders reflect, and most convs have a norm."""
    text, rng = draw(texts()), Random(draw(st.integers(0, 2**32)))
    text = text.replace("pad = zero", "pad = reflect")
    text = _CONV.sub(lambda conv: conv[0] + (" -> norm" if rng.random() < 0.8 else ""), text)
    note(text)
    project = load(text)
    try:
        _ = project.graph
    except CatError:
        reject()
    return project


def _folded(graph: Graph, data: st.DataObject, seed: int) -> Folded:
    """Remove channels, mostly with scales of 0, and hold the student to what is said of it."""
    rng = Random(seed)
    counts = {w: n if rng.random() < 0.6 else graph.counts[w] for w, n in counts_of(data.draw, graph).items()}
    try:
        student = with_counts(graph, counts, arrange=BY_NAME["arrange"])
    except CatError:
        reject()
    kept = random_kept(graph, counts, seed)
    alive = channels_alive(graph, kept)
    module = randomized(build_module(graph), seed)
    if rng.random() < 0.9:
        without_scales(graph, module, alive)
    before = {name: value.copy() for name, value in numpy_state(module).items()}
    folded = fold_constants(graph, counts, kept, numpy_state(module))
    images = random_images(graph, seed)
    sliced = loaded_student(graph, student, counts, kept, folded.weights)
    with torch.no_grad():
        wanted, found = module(*images), sliced(*images)
    assert all((before[name] == value).all() for name, value in numpy_state(module).items())
    assert {name: values.shape for name, values in folded.weights.items()} == {n: v.shape for n, v in before.items()}
    if folded.exact and alive[graph.output].all():
        torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-8)
    return folded


@given(carrying(), st.data(), _SEEDS)
@settings(max_examples=examples(150))
def test_an_exact_student_computes_what_its_teacher_computes(project: Project, data: st.DataObject, seed: int) -> None:
    folded = _folded(project.graph, data, seed)
    event(f"exact: {folded.exact}")


@given(programs(), st.data(), _SEEDS)
@settings(max_examples=examples(80))
def test_so_it_does_in_programs_that_lose_constants(project: Project, data: st.DataObject, seed: int) -> None:
    folded = _folded(project.graph, data, seed)
    for removal in folded.removals:
        assert removal.fate.carried or not removal.exact
        assert removal.channels > 0
        assert removal.lost is None or removal.lost >= 0
        assert removal.lost == 0 or not removal.fate.carried


def test_students_are_exact_often_and_in_every_way() -> None:
    """Otherwise the properties above would hold of nothing."""
    fates: Counter[Fate] = Counter()
    exact: list[bool] = []

    @given(carrying(), st.data(), _SEEDS)
    @settings(max_examples=250, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def collect(project: Project, data: st.DataObject, seed: int) -> None:
        folded = _folded(project.graph, data, seed)
        exact.append(folded.exact and bool(folded.removals))
        if folded.exact:
            fates.update(removal.fate for removal in folded.removals)

    collect()
    assert sum(exact) >= 20
    assert set(fates) == {fate for fate in Fate if fate.carried}
    assert all(np.array(list(fates.values())) >= 3)
