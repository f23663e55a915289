"""Slicing: which channels a tied width keeps, and what each axis of a weight takes."""

import numpy as np
import pytest

from catdsl.backend.module import build_module
from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph
from catdsl.project import Project, load
from catdsl.search.slicing import check_sliceable, kept_channels, slice_weights
from tests.properties.silencing import numpy_state, randomized

_NORM = " -> batch_norm"


def tied(tail: str) -> Project:
    """`b` is half as wide as `a`."""
    return load(
        "generator g { input x: image(3, 8, 8)\na = x -> conv(6, 3) -> batch_norm\n"
        f"b = a -> conv(tied a.channels / 2, 3){tail} -> relu\nc = b -> dwconv(3)\n"
        f"output c -> conv(2, 1) }}\n"
        "search { floor = 1 }"
    )


def weights_of(graph: Graph, seed: int = 0) -> dict[str, np.ndarray]:
    return numpy_state(randomized(build_module(graph), seed))


def test_a_tied_width_keeps_the_best_of_its_own_norm() -> None:
    graph = tied(_NORM).graph
    weights = weights_of(graph)
    weights["b.batch_norm0.weight"] = np.array([0.1, -3.0, 2.0])
    weights["b.conv0.weight"] = np.ones((3, 6, 3, 3)) * np.array([9.0, 1.0, 1.0])[:, None, None, None]
    kept = kept_channels(graph, {"a.conv0": 4}, {"a.conv0": (0, 1, 3, 5)}, weights)
    assert kept["b.conv0"].tolist() == [1, 2]
    assert kept["a.conv0"].tolist() == [0, 1, 3, 5]


def test_without_a_norm_it_keeps_the_largest_filters() -> None:
    graph = tied("").graph
    weights = weights_of(graph)
    weights["b.conv0.weight"] = np.ones((3, 6, 3, 3)) * np.array([3.0, 1.0, -2.0])[:, None, None, None]
    # The depthwise conv carries the width and makes nothing: it has no say.
    weights["c.dwconv0.weight"] = np.ones((3, 1, 3, 3)) * np.array([1.0, 90.0, 1.0])[:, None, None, None]
    kept = kept_channels(graph, {"a.conv0": 4}, {"a.conv0": (0, 1, 2, 3)}, weights)
    assert kept["b.conv0"].tolist() == [0, 2]


def test_filters_of_all_that_make_a_width_count() -> None:
    graph = load(
        "generator g { input x: image(3, 8, 8)\na = x -> conv(4, 3) -> batch_norm\n"
        "b = (a -> conv(tied a.channels / 2, 3)) + (a -> deconv(2, 3, stride = 1))\n"
        "output b -> conv(2, 1) }\n"
        "search { floor = 1 }"
    ).graph
    weights = weights_of(graph)
    weights["b.conv0.weight"] = np.ones((2, 4, 3, 3)) * np.array([1.0, 2.0])[:, None, None, None]
    weights["b.deconv0.weight"] = np.ones((4, 2, 3, 3)) * np.array([3.0, 1.0])[None, :, None, None]
    kept = kept_channels(graph, {"a.conv0": 2}, {"a.conv0": (0, 1)}, weights)
    assert kept["b.conv0"].tolist() == [0]


def test_equal_filters_keep_the_first() -> None:
    graph = tied("").graph
    weights = {**weights_of(graph), "b.conv0.weight": np.ones((3, 6, 3, 3))}
    kept = kept_channels(graph, {"a.conv0": 4}, {"a.conv0": (2, 3, 4, 5)}, weights)
    assert kept["b.conv0"].tolist() == [0, 1]


def test_each_axis_takes_what_it_follows() -> None:
    project = tied(_NORM)
    graph, counts = project.graph, {"a.conv0": 4}
    weights = weights_of(graph)
    kept = {
        "x": np.arange(3),
        "a.conv0": np.array([0, 2, 3, 5]),
        "b.conv0": np.array([0, 2]),
        "output.conv0": np.arange(2),
    }
    sliced = slice_weights(graph, project.student_at(counts), counts, kept, weights)
    a, b = kept["a.conv0"], kept["b.conv0"]
    np.testing.assert_array_equal(sliced["a.conv0.weight"], weights["a.conv0.weight"][a])
    np.testing.assert_array_equal(sliced["a.batch_norm0.running_var"], weights["a.batch_norm0.running_var"][a])
    np.testing.assert_array_equal(sliced["b.conv0.weight"], weights["b.conv0.weight"][b][:, a])
    np.testing.assert_array_equal(sliced["c.dwconv0.weight"], weights["c.dwconv0.weight"][b])
    np.testing.assert_array_equal(sliced["output.conv0.weight"], weights["output.conv0.weight"][:, b])
    np.testing.assert_array_equal(sliced["output.conv0.bias"], weights["output.conv0.bias"])
    assert set(sliced) == set(weights)
    assert all(values.flags["C_CONTIGUOUS"] for values in sliced.values())


def test_spectral_weights_are_refused() -> None:
    project = load(
        "generator g { input x: image(3, 8, 8)\na = x -> conv(6, 3, spectral = true) -> batch_norm\n"
        "output a -> conv(2, 1) }\nsearch { floor = 1 }"
    )
    with pytest.raises(CatError) as caught:
        check_sliceable(project.graph)
    assert caught.value.diagnostics[0].code == "E607"
