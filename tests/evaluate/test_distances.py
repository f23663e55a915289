"""The closed forms give what torch-fidelity gives, and parts of a set what the parts give alone."""

import numpy as np
import pytest
import torch

from catdsl.evaluate import figures
from catdsl.evaluate.distances import frechet_distance, kernel_distance, kernel_distances


def features(count, size, seed, *, shift=0.0):
    """Positive and correlated, as what an activation leaves."""
    numbers = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(size, size)) / np.sqrt(size)
    return np.maximum(numbers.normal(size=(count, size)) @ mixing + shift, 0).astype(np.float32)


@pytest.mark.parametrize(("n", "m", "size"), [(20, 20, 64), (7, 30, 64), (200, 150, 16), (200, 10, 32), (2, 2, 8)])
def test_frechet_distances_are_those_of_torch_fidelity(n, m, size):
    x, y = features(n, size, 1), features(m, size, 2, shift=0.3)
    theirs = figures.frechet(torch.from_numpy(x), torch.from_numpy(y))
    assert frechet_distance(x.astype(np.float64), y.astype(np.float64)) == pytest.approx(theirs, rel=1e-3)


def test_a_frechet_distance_worked_out_by_hand():
    """Means (1, 0) and (1, 4); covariances diag(2, 0) and diag(0, 8), whose product is zero."""
    x, y = np.array([[0.0, 0.0], [2.0, 0.0]]), np.array([[1.0, 2.0], [1.0, 6.0]])
    assert frechet_distance(x, y) == pytest.approx(16 + 2 + 8)
    # Along one axis it is (m1 - m2)^2 + (s1 - s2)^2.
    x, y = np.array([[0.0], [2.0], [4.0]]), np.array([[3.0], [4.0], [5.0]])
    assert frechet_distance(x, y) == pytest.approx((2 - 4) ** 2 + (2 - 1) ** 2)


def test_of_a_set_to_itself():
    x = features(30, 64, 1).astype(np.float64)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(x, x[::-1]) == pytest.approx(0, abs=1e-9)


def test_kernel_distances_are_those_of_torch_fidelity():
    x, y = features(40, 64, 1), features(40, 64, 2, shift=0.3)
    theirs, spread = figures.kernel(torch.from_numpy(x), torch.from_numpy(y))
    assert kernel_distance(x.astype(np.float64), y.astype(np.float64)) == pytest.approx(theirs, rel=1e-4)
    assert spread == 0


def test_a_kernel_distance_worked_out_by_hand():
    """k(a, b) = (ab + 1)^3 of numbers: within {0, 1} it is 1, within {1, 2} 27, between them 1, 1, 8 and 27."""
    x, y = np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]])
    assert kernel_distance(x, y) == pytest.approx(1 + 27 - 2 * (1 + 1 + 8 + 27) / 4)


def test_parts_of_large_sets():
    """More rows than a block has."""
    x, y = (features(n, 3, seed).astype(np.float64) for n, seed in ((1500, 1), (1100, 2)))
    numbers = np.random.default_rng(0)
    rows = [(numbers.choice(1500, 700, False), numbers.choice(1100, 40, False)) for _ in range(3)]
    taken_x, taken_y = np.zeros((3, 1500)), np.zeros((3, 1100))
    for part, (i, j) in enumerate(rows):
        taken_x[part, i] = taken_y[part, j] = 1
    alone = [kernel_distance(x[i], y[j]) for i, j in rows]
    np.testing.assert_allclose(kernel_distances(x, y, taken_x, taken_y), alone, rtol=1e-9)


def test_figures_of_few_images():
    """Defaults of torch-fidelity that need more images are cut down to those that are there."""
    x, y = torch.from_numpy(features(2, 8, 1)), torch.from_numpy(features(3, 8, 2))
    assert (figures.subset_size(2, 3), figures.neighbour_count(2, 3)) == (2, 1)
    assert (figures.subset_size(4000, 1200), figures.neighbour_count(50, 4)) == (1000, 3)
    assert np.isfinite([figures.frechet(x, y), *figures.kernel(x, y), *figures.inception_score(x)]).all()
    assert figures.precision_and_recall(x, x) == (1, 1)
    assert figures.precision_and_recall(x, y + 100) == (0, 0)
