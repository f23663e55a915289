"""Conditions say what they said, and no more than that: what is implied is left out."""

from itertools import product

import pytest

from catdsl.analysis.conditions import FALSE, TRUE, Conditions, truth


def test_a_branch_is_there_for_itself() -> None:
    logic = Conditions(set())
    a, b, c = (logic.above_zero(name) for name in "abc")
    assert logic.all_of((a, logic.any_of((a, b)))) == a
    assert logic.any_of((a, logic.all_of((a, b)))) == a
    assert logic.all_of((a, logic.all_of((a, b)))) == logic.all_of((a, b))
    assert logic.any_of((c, logic.any_of((b, c)), a)) == logic.any_of((a, logic.any_of((b, c))))
    assert logic.all_of((TRUE, a)) == logic.any_of((FALSE, a)) == a
    assert (logic.all_of(()), logic.any_of(())) == (TRUE, FALSE)


@pytest.mark.parametrize("depth", range(3))
def test_nothing_true_or_false_changes(depth: int) -> None:
    """All joins of two or three values, over widths and over joins of such joins."""
    logic = Conditions(set())
    values = [logic.above_zero(name) for name in "abc"]
    for _ in range(depth):
        values += [join((x, y)) for x, y in product(values[:9], repeat=2) for join in (logic.all_of, logic.any_of)]
        values = list(dict.fromkeys(values))
    triples = [(x, y, z) for x, y, z in product(values[:12], repeat=3)]
    made = [(t, logic.all_of(t), logic.any_of(t)) for t in triples]
    for present in product((0, 1), repeat=3):
        holds = truth(logic.rows(), dict(zip("abc", present, strict=True)))
        for parts, together, either in made:
            assert holds[together] == all(holds[p] for p in parts)
            assert holds[either] == any(holds[p] for p in parts)
