"""Scopes from names: boxes in boxes, each with one way through it."""

from catdsl.view.structure import MAX_RUN, Part, Run, members, structure
from tests.view.graphs import GRAPHS, Maker, inception, tangled, unet


def shown(part: Part) -> object:
    """A part as nested tuples: a label and what lies in it, or the local names of a run."""
    if isinstance(part, Run):
        return " ".join(name.rpartition(".")[2] for name in part.nodes)
    return part.label, *(shown(child) for child in part.children)


def test_scopes_follow_the_names() -> None:
    root = structure(inception(blocks=1))
    assert shown(root.children[2]) == (
        "body.0",
        ("dense", *((str(k), "conv0 norm0 relu0 conv1") for k in range(3)), "add0"),
        ("depth", *((str(k), "conv0 norm0 relu0 dwconv0 norm1 relu1 conv1") for k in range(3)), "add0"),
        "add0", "norm0", "add1",
    )  # fmt: skip
    assert [shown(c) for c in root.children[:2]] == ["photo", ("stem", "conv0 norm0 relu0")]


def test_every_node_lies_in_one_place() -> None:
    for make in GRAPHS.values():
        graph = make()
        assert sorted(members(structure(graph))) == sorted(n.name for n in graph.nodes)


def test_a_fork_ends_a_run() -> None:
    down = structure(unet()).children[1]
    assert shown(down) == ("down0", "conv0 norm0 relu0", "max_pool0")


def test_a_scope_that_is_left_and_entered_again_is_two_boxes() -> None:
    z = next(c for c in structure(tangled()).children if shown(c)[0] == "z")  # type: ignore[index]
    before, after = (("0", "conv0"), ("1", "conv0")), (("0", "conv1"), ("1", "conv1"))
    assert shown(z) == ("z", *before, "add0", "relu0", *after, "add1")


def test_unconnected_parts_of_a_scope_are_boxes_of_their_own() -> None:
    m = Maker()
    x = m.conv("start.conv0", m.photo, 8)
    ends = [m.conv(f"list.{i}.conv0", x, 8) for i in range(2)]
    root = structure(m.finish(m.conv("end.conv0", m.op("join.concat0", *ends), 3)))
    assert [shown(c) for c in root.children[2:4]] == [("list.0", "conv0"), ("list.1", "conv0")]


def test_a_long_run_is_cut_before_a_convolution() -> None:
    m = Maker()
    x = m.photo
    for i in range(20):
        x = m.op(f"a.relu{i}", m.conv(f"a.conv{i}", x, 8 if i < 19 else 3))
    (scope,) = structure(m.finish(x)).children[1:]
    runs = [members(c) for c in scope.children]  # type: ignore[union-attr]
    first, *others = (tuple(r) for r in runs)
    assert len(first) == MAX_RUN
    assert all(name.startswith("a.conv") for name, *_ in others)
