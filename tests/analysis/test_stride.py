"""The stride of a network is what its operators make it, and a declared size that is no multiple of it is told."""

import pytest

from catdsl.analysis.stride import stride, stride_misfit
from catdsl.diagnostics import Severity
from catdsl.ir.graph import Graph
from catdsl.project import load
from tests.analysis.test_sizes import _PROGRAMS
from tests.export.networks import SPECS

DOWN_TWICE = "input x: image(3, {}, {})\ny = x -> 2 * conv(4, 3, stride = 2)\noutput y -> 2 * deconv(3, 4)"


def graph_of(text: str) -> Graph:
    return load(f"generator g {{\n{text}\n}}").graph


@pytest.mark.parametrize("size", [(32, 32), (30, 32), (31, 33), (8, 50)])
def test_the_stride_does_not_depend_on_the_declared_size(size: tuple[int, int]) -> None:
    assert stride(graph_of(DOWN_TWICE.format(*size))) == 4


@pytest.mark.parametrize(
    ("name", "expected"), {"skip": 2, "reflect": 4, "valid": 1, "halved": 4, "fixed": 1, "odd": 1}.items()
)
def test_networks_that_crop_or_have_one_size_are_fine(name: str, expected: int) -> None:
    graph = graph_of(_PROGRAMS[name])
    first = graph.inputs[0].type
    assert stride(graph) == expected
    assert stride_misfit(graph, (first.height, first.width)) is None


def test_every_shipped_spec_is_fine() -> None:
    for path in SPECS.glob("*.cat"):
        assert [w for w in load(path).warnings if w.code == "E607"] == []


def test_a_declared_input_without_that_multiple_is_warned_of_with_the_cause() -> None:
    project = load(f"generator g {{\n{DOWN_TWICE.format(30, 64)}\n}}")
    (warning,) = project.warnings
    assert (warning.code, warning.severity) == ("E607", Severity.WARNING)
    assert "inputs of 30 x 64" in warning.message
    assert "a multiple of 4" in warning.message
    assert warning.span is not None
    assert "`y.0.conv0` (conv) to 15 x 32, `y.1.conv0` (conv) to 8 x 16" in warning.notes[0]
    assert "30 to 28 or 32" in warning.help


def test_a_crop_may_mend_or_break_it() -> None:
    text = f"generator g {{\n{DOWN_TWICE.format(30, 64)}\n}}\ndata {{ load = 64, crop = {{}} }}"
    assert load(text.replace("{}", "[32, 64]")).warnings == ()
    fine = f"generator g {{\n{DOWN_TWICE.format(32, 64)}\n}}\ndata {{ load = 64, crop = 30 }}"
    assert [w.code for w in load(fine).warnings] == ["E607"]
