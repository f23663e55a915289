"""Scores: which norm scores a width, what is refused, and what a width without a score does."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from catdsl.diagnostics import CatError, Diagnostic
from catdsl.ir.graph import Graph
from catdsl.project import load
from catdsl.search.scores import first_norms, load_scores, scales_of, width_scores

STYLE = "style { norm = batch }\n"
TEXT = (
    STYLE + "generator g { input x: image(3, 8, 8)\n"
    "a = x -> conv(4 in 1.., 3) -> norm\n"
    "b = a -> conv(6 in 0.., 3) -> norm(affine = false) -> norm -> relu -> norm\n"
    "c = b -> conv(4, 3)\nd = a + c -> norm\noutput d -> conv(2, 1) }\nsearch { floor = 1 }"
)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return load(TEXT).graph


def _scores(graph: Graph) -> dict[str, np.ndarray]:
    return {n.name: np.arange(1.0, 1 + graph.channels(n.name)) for n in graph.nodes if n.scaled}


def _refused(graph: Graph, scores: dict[str, np.ndarray]) -> tuple[Diagnostic, ...]:
    with pytest.raises(CatError) as caught:
        width_scores(graph, scores)
    return caught.value.diagnostics


def test_the_first_affine_norm_scores(graph: Graph) -> None:
    """A sum's width by the norm before it; a norm without scale is passed over."""
    norms = {width: node.name for width, node in first_norms(graph).items()}
    assert norms == {"a.conv0": "a.norm0", "b.conv0": "b.norm1"}


def test_scores_are_magnitudes(graph: Graph) -> None:
    scores = _scores(graph)
    scores["a.norm0"] = np.array([-3.0, 1.0, -2.0, 0.0], dtype=np.float32)
    found = width_scores(graph, scores)
    assert found.by_width["a.conv0"].tolist() == [3.0, 1.0, 2.0, 0.0]
    assert found.warnings == ()


def test_only_the_first_norms_are_needed(graph: Graph) -> None:
    few = {"a.norm0": np.ones(4), "b.norm1": np.ones(6)}
    assert set(width_scores(graph, few).by_width) == {"a.conv0", "b.conv0"}


def test_concatenated_and_interleaved_widths_find_their_channels() -> None:
    graph = load(
        "generator g { input x: image(3, 8, 8)\na = x -> conv(2, 3)\nb = x -> conv(12, 3)\n"
        "c = concat(a, b, a) -> batch_norm\nd = b -> pixel_shuffle(2)\n"
        "output (c -> conv(2, 1)) + (d -> avg_pool -> conv(2, 1)) }\nsearch { floor = 0 }"
    ).graph
    values = np.arange(16.0)
    found = width_scores(graph, {"c.batch_norm0": values}).by_width
    # Of a width that stands twice, the first place; of four channels that go together, the mean.
    assert found["a.conv0"].tolist() == [0.0, 1.0]
    assert found["b.conv0.0"].tolist() == [values[2:6].mean(), values[6:10].mean(), values[10:14].mean()]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite(graph: Graph, bad: float) -> None:
    scores = _scores(graph)
    scores["b.norm1"][3] = bad
    (error,) = _refused(graph, scores)
    assert error.code == "E403"
    assert "b.norm1" in error.message
    assert "channel 3" in error.message


@pytest.mark.parametrize("shape", [(3,), (5,), (4, 1), ()])
def test_scores_of_another_shape(graph: Graph, shape: tuple[int, ...]) -> None:
    (error,) = _refused(graph, {**_scores(graph), "a.norm0": np.ones(shape)})
    assert error.code == "E403"
    assert "4 channels" in error.message


def test_missing_scores_are_named_with_what_was_near(graph: Graph) -> None:
    scores = _scores(graph)
    del scores["d.norm0"]
    scores["a.norm"] = scores.pop("a.norm0")
    (error,) = _refused(graph, scores)
    assert error.code == "E403"
    assert "`a.norm0`" in error.message
    assert "`a.norm`" in error.help


def test_all_mistakes_are_reported_at_once(graph: Graph) -> None:
    assert len(_refused(graph, {"a.norm0": np.ones(5)})) == 2
    assert [d.code for d in _refused(graph, {})] == ["E403"]


def test_a_width_without_a_norm_is_warned_of() -> None:
    graph = load("generator g { input x: image(3, 8, 8)\na = x -> conv(20, 3)\noutput a -> conv(2, 1) }").graph
    found = width_scores(graph, {})
    assert dict(found.by_width) == {}
    (warning,) = found.warnings
    assert (warning.code, warning.severity.value) == ("E404", "warning")
    assert "`a.conv0`" in warning.message
    assert warning.span is not None


def test_files_of_both_kinds(tmp_path: Path) -> None:
    values = {"down_sampling.2": np.ones(3, np.float32), "body.0.norm0": np.zeros(2, np.float32)}
    np.savez(tmp_path / "s.npz", **values)  # type: ignore[arg-type]
    save_file(values, tmp_path / "s.safetensors")
    for name in ("s.npz", "s.safetensors"):
        assert {n: v.tolist() for n, v in load_scores(tmp_path / name).items()} == {
            "stem.norm0": [1.0] * 3, "body.0.norm0": [0.0] * 2,
        }  # fmt: skip


@pytest.mark.parametrize(("name", "content"), [("s.npz", b"x"), ("s.safetensors", b"xxxxxxxxxxxx"), ("s.txt", b"")])
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    for expected in ("missing", "damaged"):
        if expected == "damaged":
            path.write_bytes(content)
        with pytest.raises(CatError) as caught:
            load_scores(path)
        assert caught.value.diagnostics[0].code == "E403"


def test_a_file_with_pickled_objects_is_not_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", a=np.array([{"x": 1}], dtype=object))
    with pytest.raises(CatError) as caught:
        load_scores(tmp_path / "s.npz")
    assert caught.value.diagnostics[0].code == "E403"


def test_scales_are_found_in_weights(graph: Graph) -> None:
    weights = {
        "a.norm0.weight": np.ones(4),
        "a.conv0.weight": np.ones((4, 3, 3, 3)),
        "b.norm0.weight": np.ones(6),
    }
    assert set(scales_of(weights, graph)) == {"a.norm0"}
