"""Absence at given counts: what vanishes, what stays, and that the student computes the same without it."""

import pytest
import torch

from catdsl.backend.module import build_module
from catdsl.diagnostics import CatError
from catdsl.ir.counts import complete_counts, with_counts
from catdsl.ir.graph import Graph
from catdsl.ops import BY_NAME
from catdsl.project import Project, load
from tests.analysis.test_cost import RESNET, spec
from tests.properties.silencing import assert_computes_what_silenced_teacher_computes

_SIX = tuple(f"{kind}.{k}" for kind in ("dense", "depth") for k in range(3))


def program(statements: str) -> Project:
    return load(f"generator g {{\n input x: image(3, 8, 12)\n{statements}\n}}\nsearch {{ floor = 1 }}")


def student(project: Project, counts: dict[str, int]) -> Graph:
    """The student, after its numbers have been compared with those of the silenced teacher."""
    return assert_computes_what_silenced_teacher_computes(project.graph, counts, seed=1)


def names(graph: Graph) -> list[str]:
    return [n.name for n in graph.nodes]


@pytest.fixture(scope="module")
def resnet() -> Project:
    """Three inception blocks of the shipped spec, small."""
    text = spec(RESNET).source.text.replace("image(3, 256, 256)", "image(3, 16, 16)")
    return load(
        text.replace("taps = [stem, body[2], body[5], body[blocks - 1]]", "taps = [stem, body[1]]"),
        {"ngf": "6", "blocks": "3"},
    )


def test_a_block_without_branches_is_the_identity(resnet: Project) -> None:
    left = student(resnet, {f"body.1.{b}.conv0": 0 for b in _SIX})
    assert not [n for n in names(left) if n.startswith("body.1.")]
    # The next block reads what the one before has made; the tap is that same tensor.
    assert left.node["body.2.dense.0.conv0"].inputs == ("body.0.add1",)
    assert [(t.label, t.node) for t in left.taps] == [("stem", "stem.relu2"), ("body[1]", "body.0.add1")]


def test_all_blocks_may_vanish(resnet: Project) -> None:
    left = student(resnet, {f"body.{i}.{b}.conv0": 0 for i in range(3) for b in _SIX})
    assert {n.split(".")[0] for n in names(left)} == {"photo", "stem", "head"}


def test_a_vanished_branch_leaves_nothing_behind(resnet: Project) -> None:
    left = student(resnet, {"body.0.dense.1.conv0": 0, "body.0.depth.2.conv0": 0})
    assert not [n for n in names(left) if n.startswith(("body.0.dense.1", "body.0.depth.2"))]
    assert len(left.node["body.0.dense.add0"].inputs) == 2


def test_one_branch_that_is_left_needs_no_sum(resnet: Project) -> None:
    left = student(resnet, {f"body.0.{b}.conv0": 0 for b in _SIX if b != "depth.1"})
    assert left.node["body.0.norm0"].inputs == ("body.0.depth.1.conv1",)


def test_a_concat_drops_what_is_absent() -> None:
    project = program("a = x -> conv(4 in 0.., 1)\nb = x -> conv(5 in 0.., 1)\noutput concat(a, b, a) -> conv(2, 3)")
    left = student(project, {"a.conv0": 0})
    assert names(left) == ["x", "b.conv0", "output.conv0"]
    assert names(student(project, {"b.conv0": 0})) == ["x", "a.conv0", "output.concat0", "output.conv0"]


def test_sums_of_partly_absent_tensors_are_lined_up() -> None:
    project = program(
        "a = x -> conv(2, 1)\nb = x -> conv(1 in 0.., 1) -> conv(3, 1)\n"
        "c = concat(a, b) + (x -> conv(5, 1))\noutput c -> conv(2, 3)"
    )
    left = student(project, {"b.conv0": 0})
    # The part that is gone in one operand is there in the other: zeros are put in its place.
    assert left.node["c.add0"].inputs == ("c.add0.arrange0", "c.conv0")
    assert left.node["c.add0.arrange0"].attrs["sources"] == (0, -1)
    assert left.node["c.add0.arrange0"].inputs == ("a.conv0",)


@pytest.mark.parametrize(
    "gone",
    [
        "conv(2 in 0.., 3, stride = 2)",
        "conv(2 in 0.., 4, stride = 3, padding = 2) -> pad(1, zero) -> dwconv(3, padding = 0)",
        "conv(2 in 0.., 3) -> max_pool(3, stride = 2) -> relu",
        "conv(8 in 0.. step 8, 3) -> pixel_shuffle(2) -> deconv(2, 3)",
        "conv(2 in 0.., 3) -> resize(scale = 0.6, nearest)",
        "conv(2 in 0.., 3) -> resize(to = [x.height // 2 + 1, min(x.width, 10)], nearest)",
    ],
)
def test_a_size_that_nothing_lends_is_calculated(gone: str) -> None:
    project = program(f"y = x -> {gone}\noutput x -> resize(like = y, nearest) -> conv(2, 1)")
    left = student(project, {w.name: 0 for w in project.graph.widths if w.low == 0})
    assert [n.op.name for n in left.nodes] == ["input", "resize", "conv"]
    # At another size of the image, too, it is as large as the tensor that is gone.
    for size in ((8, 12), (19, 33)):
        x = torch.zeros(1, 3, *size)
        assert build_module(left)(x).shape == build_module(project.graph)(x).shape


def test_an_absent_output_is_an_error() -> None:
    project = program("output x -> conv(2 in 0.., 1) -> conv(3, 1)")
    with pytest.raises(CatError) as caught:
        project.student_at({"output.conv0": 0})
    assert [d.code for d in caught.value.diagnostics] == ["E308"]


def test_an_absent_tap_is_dropped() -> None:
    text = (
        "generator g { input x: image(3, 8, 12)\na = x -> conv(2 in 0.., 1) -> relu\nb = a -> conv(3, 1)\n"
        "output b + (x -> conv(3, 1)) }\nsearch { floor = 1 }\ndistill { taps = [a, b] }"
    )
    assert load(text).student_at({"a.conv0": 0}).taps == ()


def test_a_student_of_a_student_is_the_student_of_both() -> None:
    project = program(
        "a = x -> conv(4, 1)\nb = x -> conv(3 in 0.., 1) -> conv(3, 1)\n"
        "c = x -> conv(3 in 0.., 1) -> conv(7, 1)\n"
        "d = concat(a, b) + (x -> conv(7, 1)) + c\noutput d -> conv(2, 3)"
    )
    first = project.student_at({"b.conv0": 0, "a.conv0": 3})
    assert with_counts(first, {}, arrange=BY_NAME["arrange"]) == first
    both = with_counts(first, {"c.conv0": 0, "a.conv0": 2}, arrange=BY_NAME["arrange"])
    once = project.student_at({"b.conv0": 0, "a.conv0": 2, "c.conv0": 0})
    assert both.nodes == once.nodes
    assert both.counts == once.counts


def test_counts_follow_ties(resnet: Project) -> None:
    project = program("a = x -> conv(6, 3)\nb = a -> conv(tied a.channels / 2 + 1, 3)\noutput b -> conv(2, 1)")
    assert complete_counts(project.graph, {"a.conv0": 4}) == {
        "x": 3,
        "a.conv0": 4,
        "b.conv0": 3,
        "output.conv0": 2,
    }
    assert student(project, {"a.conv0": 2}).counts["b.conv0"] == 2


# ---- widths of 0 in the teacher itself ----


@pytest.mark.parametrize(
    "statements",
    [
        "z = x -> conv(0, 3) -> norm -> dwconv(3) -> relu -> conv(2, 3)\noutput z + (x -> conv(2, 1))",
        "z = x -> conv(0 in 0.., 3)\na = concat(x, z) + (x -> conv(3, 3))\noutput a -> conv(2, 1)",
        "z = x -> conv(0 in 0.., 3)\na = (x -> conv(3, 3)) + concat(z, x, z)\noutput a -> conv(2, 1)",
        "z = x -> conv(0, 3)\np, q = z -> split(2)\noutput concat(p, q, z, x) -> conv(2, 1)",
        "z = x -> conv(0, 3) -> pixel_shuffle(2) -> avg_pool\noutput concat(z, x) -> conv(2, 1)",
        "z = x -> conv(0, 3)\na = x -> conv(tied z.channels * 2, 1)\noutput concat(a, x) -> conv(2, 1)",
        "z = x -> conv(0, 3)\na = x -> conv(tied z.channels + 4, 1)\noutput a -> conv(2, 1)",
        "z = x -> conv(0, 3)\na = modulate(x -> conv(4, 1), z -> conv(4, 1), z -> conv(4, 1))\n"
        "output a -> conv(2, 1)",
    ],
)  # fmt: skip
def test_a_teacher_may_have_widths_of_0(statements: str) -> None:
    graph = program(statements).graph
    assert all(n.type.channels for n in graph.nodes)
    assert all(w.count for w in graph.widths)
    assert not [n for n in graph.nodes if n.name.startswith("z.conv0")]
    assert student(program(statements), {}) == graph


def test_small_inception_blocks_are_bare_shortcuts() -> None:
    """channels // 6 is 0 below six channels: the block is the identity from the start."""
    project = load(
        "use inc_res from std.inception\ngenerator g { input x: image(3, 8, 8)\n"
        "a = x -> conv(5, 3)\nb = a -> 2 * inc_res\noutput b -> conv(2, 1) }"
    )
    assert names(project.graph) == ["x", "a.conv0", "output.conv0"]
