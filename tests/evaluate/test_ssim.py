"""SSIM as the paper has it: equation (13) in numpy, window by window."""

import numpy as np
import pytest
import torch

from catdsl.evaluate.ssim import structural_similarity, too_small


def of_the_paper(x_HW: np.ndarray, y_HW: np.ndarray) -> float:
    """Wang et al. 2004, equations (13) to (16) and the mean over all windows of 11 x 11 in the image."""
    along = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    weights = np.outer(along, along) / along.sum() ** 2
    c1, c2 = 0.01**2, 0.03**2
    values = []
    for top in range(x_HW.shape[0] - 10):
        for left in range(x_HW.shape[1] - 10):
            x, y = (image[top : top + 11, left : left + 11] for image in (x_HW, y_HW))
            mean_x, mean_y = (weights * x).sum(), (weights * y).sum()
            variance_x, variance_y = (weights * (x - mean_x) ** 2).sum(), (weights * (y - mean_y) ** 2).sum()
            covariance = (weights * (x - mean_x) * (y - mean_y)).sum()
            values.append(
                (2 * mean_x * mean_y + c1)
                * (2 * covariance + c2)
                / ((mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2))
            )
    return float(np.mean(values))


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    """2 images of 3 channels, 17 x 14, and a noisy copy of each."""
    numbers = np.random.default_rng(0)
    true = numbers.random((2, 3, 17, 14)).cumsum(-1)
    true /= true.max()
    made = np.clip(true + 0.1 * numbers.standard_normal(true.shape), 0, 1)
    return torch.from_numpy(np.stack([made, true]))


@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_the_papers(images: torch.Tensor, channels: int) -> None:
    made, true = images[:, :, :channels]
    expected = [
        np.mean([of_the_paper(x.numpy(), y.numpy()) for x, y in zip(*pair, strict=True)])
        for pair in zip(made, true, strict=True)
    ]
    assert 0.3 < min(expected) < max(expected) < 0.95
    assert structural_similarity(made, true).numpy() == pytest.approx(expected, abs=1e-5)


def test_a_copy_is_one_and_a_negative_is_below_zero(images: torch.Tensor) -> None:
    true = images[1]
    assert structural_similarity(true, true).numpy() == pytest.approx([1, 1], abs=1e-6)
    noise = torch.from_numpy(np.random.default_rng(1).random((1, 1, 16, 16)))
    assert structural_similarity(1 - noise, noise).item() < -0.5


@pytest.mark.parametrize(("size", "small"), [((11, 11), False), ((10, 30), True), ((30, 10), True)])
def test_images_hold_a_window_at_least(size: tuple[int, int], small: bool) -> None:
    images = torch.rand(1, 1, *size)
    assert bool(too_small(images)) == small
    if not small:
        assert structural_similarity(images, images).item() == pytest.approx(1)
