"""The tree for the terminal: aligned, folded, and harmless."""

from collections.abc import Callable

import pytest

from catdsl.ir.graph import Graph, Tap
from tests.view.drawn import tree_of
from tests.view.graphs import GRAPHS, Maker, inception, student_of
from tests.view.test_svg import macs


def line(tree: str, start: str) -> str:
    return next(text for text in tree.splitlines() if text.strip().startswith(start))


def test_a_teacher() -> None:
    m = Maker(name="tiny")
    x = m.unit("stem", m.photo, 16, 7, stride=2)
    tree = tree_of(m.finish(m.op("head.tanh0", m.conv("head.conv0", x, 3, 1)), Tap("stem", x)))
    assert (
        tree
        == """\
generator tiny
  photo    image      3 x 64 x 64
  stem
    conv0  7x7 /2    16 x 32 x 32  16
    norm0  instance  16 x 32 x 32
    relu0            16 x 32 x 32      tap stem
  head
    conv0  1x1        3 x 32 x 32   3
    tanh0             3 x 32 x 32
output head.tanh0
"""
    )


def test_equal_blocks_are_shown_once() -> None:
    graph = inception(blocks=5)
    tree = tree_of(graph, macs=macs(graph))
    assert line(tree, "body.0 .. body.4: 5 x").endswith("% each, tap body[4]")
    assert tree.count("dense") == 1
    assert tree.count("tap") == 2


def test_blocks_that_differ_are_all_shown() -> None:
    assert " .. " not in tree_of(inception(blocks=1))
    assert "body.0.dense.0 .. body.0.dense.2: 3 x" in tree_of(inception(blocks=1, kernels=(3, 3, 3)))


def test_a_student_shows_what_is_left() -> None:
    teacher = inception()
    student = student_of(teacher, gone=["body.0.dense.1.conv0"])
    tree = tree_of(student, teacher=teacher, macs=macs(student))
    assert "32 -> 10" in line(tree, "conv0")
    assert line(tree, "1  ").split() == ["1", "10", "->", "0", "vanished"]
    assert " .. " not in tree


def test_a_block_that_is_gone() -> None:
    teacher = inception(blocks=1)
    gone = [w.name for w in teacher.widths if w.name.startswith("body.")]
    tree = tree_of(student_of(teacher, gone=gone), teacher=teacher)
    assert line(tree, "dense").endswith("vanished")
    assert line(tree, "add1").endswith("not needed, tap body[0]")


def test_shares_add_up() -> None:
    graph = inception(blocks=3)
    tree = tree_of(graph, macs=macs(graph))
    shares = [float(line(tree, s).split("%")[0].split()[-1]) for s in ("stem", "body", "head")]
    assert sum(shares) == pytest.approx(100, abs=1.5)


@pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)
def test_a_terminal_is_not_given_orders(make: Callable[[], Graph]) -> None:
    graph = make()
    tree = tree_of(graph, macs=macs(graph))
    assert tree == tree_of(make(), macs=macs(graph))
    assert all(c == "\n" or c.isprintable() for c in tree)
    assert all(text == text.rstrip() for text in tree.splitlines())


def test_escape_sequences_are_taken_out() -> None:
    m = Maker()
    tree = tree_of(m.finish(m.conv("end.conv0", m.photo, 3), Tap("\x1b[2J\x07", "end.conv0")))
    assert "tap \N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}" in tree
