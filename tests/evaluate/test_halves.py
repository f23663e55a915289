"""Halves of a set vary as the set would, where a bootstrap of a distance is off altogether."""

import numpy as np
import pytest

from catdsl.evaluate.bootstrap import FEWEST, LEVEL
from catdsl.evaluate.distances import frechet_distance, kernel_distances
from catdsl.evaluate.halves import draw_halves, estimate_around


def test_no_image_is_drawn_twice():
    halves = draw_halves((10, 7), draws=20, seed=0)
    assert (halves.first.shape, halves.second.shape) == ((20, 5), (20, 3))
    for side, count in ((halves.first, 10), (halves.second, 7)):
        assert all(len(set(row)) == len(row) for row in side)
        assert set(side.ravel()) == set(range(count))


def test_sides_are_drawn_apart_or_together():
    apart, together = (draw_halves((10, 10), draws=5, seed=0, together=t) for t in (False, True))
    assert (together.first == together.second).all()
    assert (apart.first != apart.second).any()
    with pytest.raises(AssertionError, match="equal numbers"):
        draw_halves((10, 9), draws=5, seed=0, together=True)


def test_the_seed_decides():
    first, again, other = (draw_halves((10, 10), draws=5, seed=s) for s in (0, 0, 1))
    assert (first.first == again.first).all()
    assert (first.second == again.second).all()
    assert (first.first != other.first).any()


def test_taken_marks_the_same_images():
    halves = draw_halves((9, 5), draws=4, seed=3)
    first, second = halves.taken((9, 5))
    assert [set(np.flatnonzero(row)) for row in first] == [set(row) for row in halves.first]
    assert [set(np.flatnonzero(row)) for row in second] == [set(row) for row in halves.second]


def test_of_few_images():
    assert draw_halves((2, 3), draws=3, seed=0).first.shape == (3, 2)
    assert estimate_around(5.0, np.array([3.0, 3.0]), count=2).interval is None
    assert estimate_around(5.0, np.arange(9.0), count=FEWEST - 1).interval is None
    assert estimate_around(5.0, np.arange(9.0), count=FEWEST).interval is not None


def test_halves_of_a_mean_have_the_variance_of_the_mean():
    values = np.random.default_rng(0).normal(size=400)
    halves = draw_halves((400, 400), draws=4000, seed=0)
    drawn = halves.figures(lambda i, _: values[i].mean())
    assert drawn.std() == pytest.approx(values.std(ddof=1) / np.sqrt(400), rel=0.05)
    estimate = estimate_around(values.mean(), drawn, count=400)
    assert (estimate.high - estimate.low) / 2 == pytest.approx(1.96 * drawn.std(), rel=0.06)


def _two_sets(numbers, shift):
    """24 images of 32 features: fewer images than features, as a Frechet distance often has."""
    scales = np.linspace(0.3, 1.5, 32)
    return (np.abs(numbers.normal(size=(24, 32)) * scales * (1 + s) + s) for s in (0, shift))


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_the_expected_distance_lies_in_the_interval(shift):
    numbers = np.random.default_rng(0)
    truths = np.array([_both(*_two_sets(numbers, shift)) for _ in range(400)]).mean(0)
    held, bootstrapped = np.zeros(2), np.zeros(2)
    for repeat in range(60):
        x, y = _two_sets(numbers, shift)
        halves = draw_halves((24, 24), draws=60, seed=repeat)
        frechet = halves.figures(lambda i, j, x=x, y=y: frechet_distance(x[i], y[j]))
        kernel = kernel_distances(x, y, *halves.taken((24, 24)))
        for place, (value, drawn) in enumerate(zip(_both(x, y), (frechet, kernel), strict=True)):
            estimate = estimate_around(value, drawn, count=24)
            held[place] += estimate.low <= truths[place] <= estimate.high
        rows = numbers.integers(24, size=(2, 60, 24))
        drawn = np.array([_both(x[i], y[j]) for i, j in zip(*rows, strict=True)])
        low, high = np.quantile(drawn, ((1 - LEVEL) / 2, (1 + LEVEL) / 2), axis=0)
        bootstrapped += (low <= truths) & (truths <= high)
    assert (held / 60 >= 0.85).all()
    assert bootstrapped[0] / 60 < 0.1  # which is why halves are drawn


def _both(x, y):
    every = np.ones((1, len(x)))
    return frechet_distance(x, y), float(kernel_distances(x, y, every, every)[0])
