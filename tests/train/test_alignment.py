"""Kernel alignment against explicit loops and eigenvalues, and the properties that define it."""

import math

import pytest
import torch

from catdsl.diagnostics import CatError
from catdsl.train.losses.alignment import (
    KERNEL_ALIGNMENTS,
    alignment_loss,
    check_alignment,
    gcka,
    gka,
    ka,
)


def features(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype) + 0.3


def rows_of_pixels(x: torch.Tensor) -> list[list[float]]:
    b, c, h, w = x.shape
    return [[x[i, k, y, z].item() for k in range(c)] for i in range(b) for y in range(h) for z in range(w)]


def rows_of_samples(x: torch.Tensor) -> list[list[float]]:
    return [x[i].reshape(-1).tolist() for i in range(x.shape[0])]


def centred(rows: list[list[float]]) -> list[list[float]]:
    means = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    return [[v - m for v, m in zip(row, means, strict=True)] for row in rows]


def by_loops(x: list[list[float]], y: list[list[float]]) -> float:
    """||Y'X||^2 / (||X'X|| ||Y'Y||), every product written out."""

    def squared(a: list[list[float]], b: list[list[float]]) -> float:
        return sum(
            sum(row_a[i] * row_b[j] for row_a, row_b in zip(a, b, strict=True)) ** 2
            for i in range(len(a[0]))
            for j in range(len(b[0]))
        )

    return squared(y, x) / math.sqrt(squared(x, x) * squared(y, y))


@pytest.mark.parametrize(
    ("similarity", "rows"),
    [
        (gka, rows_of_pixels),
        (gcka, lambda x: centred(rows_of_pixels(x))),
        (ka, rows_of_samples),
    ],
)
def test_equals_the_definition(similarity, rows):
    x, y = features(3, 2, 2, 3, seed=1), features(3, 4, 2, 3, seed=2)
    assert similarity(x, y).item() == pytest.approx(by_loops(rows(x), rows(y)), rel=1e-12)


def test_gka_through_eigenvalues():
    """The denominator is the norm of the spectrum; the numerator the overlap of the eigenspaces."""
    x, y = features(2, 3, 4, 4, seed=3), features(2, 5, 4, 4, seed=4)
    left, right = (torch.tensor(rows_of_pixels(t), dtype=torch.float64) for t in (x, y))
    (values_x, vectors_x), (values_y, vectors_y) = (torch.linalg.eigh(t @ t.T) for t in (left, right))
    overlap = (vectors_x.T @ vectors_y).square()
    expected = (values_x @ overlap @ values_y) / (values_x.norm() * values_y.norm())
    assert gka(x, y).item() == pytest.approx(expected.item(), rel=1e-10)


@pytest.mark.parametrize("name", sorted(KERNEL_ALIGNMENTS))
class TestProperties:
    def test_itself_is_one(self, name):
        x = features(3, 4, 3, 3, seed=5)
        assert KERNEL_ALIGNMENTS[name](x, x).item() == pytest.approx(1.0, abs=1e-12)

    def test_symmetric_and_within_bounds(self, name):
        x, y = features(3, 4, 3, 3, seed=6), features(3, 2, 3, 3, seed=7)
        forward, backward = (KERNEL_ALIGNMENTS[name](a, b).item() for a, b in ((x, y), (y, x)))
        assert forward == pytest.approx(backward, rel=1e-12)
        assert 0 < forward < 1

    def test_scale_does_not_matter(self, name):
        x, y = features(3, 4, 3, 3, seed=8), features(3, 2, 3, 3, seed=9)
        plain = KERNEL_ALIGNMENTS[name](x, y).item()
        assert KERNEL_ALIGNMENTS[name](1e-20 * x, -1e20 * y).item() == pytest.approx(plain, rel=1e-10)

    def test_rotation_of_the_channels_does_not_matter(self, name):
        x, y = features(3, 4, 3, 3, seed=10), features(3, 2, 3, 3, seed=11)
        rotation, _ = torch.linalg.qr(features(4, 4, seed=12))
        turned = torch.einsum("bchw,cd->bdhw", x, rotation)
        plain = KERNEL_ALIGNMENTS[name](x, y).item()
        assert KERNEL_ALIGNMENTS[name](turned, y).item() == pytest.approx(plain, rel=1e-10)

    def test_mixing_of_the_channels_does_matter(self, name):
        x, y = features(3, 4, 3, 3, seed=10), features(3, 2, 3, 3, seed=11)
        stretched = x * torch.tensor([1.0, 5.0, 0.2, 1.0], dtype=x.dtype).reshape(1, 4, 1, 1)
        plain = KERNEL_ALIGNMENTS[name](x, y).item()
        assert abs(KERNEL_ALIGNMENTS[name](stretched, y).item() - plain) > 1e-3

    @pytest.mark.parametrize("dead", ["zeros", "no channels"])
    def test_nothing_to_compare_is_zero_and_has_no_gradient(self, name, dead):
        x = torch.zeros(2, 3 if dead == "zeros" else 0, 4, 4, requires_grad=True)
        value = KERNEL_ALIGNMENTS[name](x, features(2, 2, 4, 4, dtype=torch.float32))
        value.backward()
        assert value.item() == 0
        assert not x.grad.isnan().any()
        assert not x.grad.any()

    def test_extreme_magnitudes_keep_value_and_gradient(self, name):
        x, y = features(2, 3, 4, 4, dtype=torch.float32), features(2, 2, 4, 4, seed=1, dtype=torch.float32)
        plain = KERNEL_ALIGNMENTS[name](x, y).item()
        large = (1e15 * x).requires_grad_()
        value = KERNEL_ALIGNMENTS[name](large, y)
        value.backward()
        assert value.item() == pytest.approx(plain, rel=1e-4)
        assert large.grad.isfinite().all()

    def test_half_precision_is_computed_in_single(self, name):
        x, y = features(2, 3, 8, 8, dtype=torch.float16), features(2, 2, 8, 8, seed=1, dtype=torch.float16)
        value = KERNEL_ALIGNMENTS[name](x, y)
        assert value.dtype == torch.float32
        assert value.item() == pytest.approx(KERNEL_ALIGNMENTS[name](x.double(), y.double()).item(), rel=1e-5)

    def test_gradient(self, name):
        x, y = features(2, 3, 2, 2, seed=13).requires_grad_(), features(2, 2, 2, 2, seed=14)
        assert torch.autograd.gradcheck(lambda t: KERNEL_ALIGNMENTS[name](t, y), (x,))


def test_only_the_centred_form_ignores_a_shift():
    x, y = features(2, 3, 4, 4, seed=15), features(2, 2, 4, 4, seed=16)
    assert gcka(x + 3, y).item() == pytest.approx(gcka(x, y).item(), rel=1e-10)
    assert abs(gka(x + 3, y).item() - gka(x, y).item()) > 1e-2


def test_constant_features_have_nothing_to_centre():
    constant = torch.full((2, 5, 16, 16), 0.1).cumsum(1)
    assert gcka(constant, features(2, 2, 16, 16, dtype=torch.float32)).item() == 0


def test_loss_is_minus_the_sum_and_logs_the_distance():
    teacher = [features(2, 3, 4, 4, seed=17), features(2, 4, 2, 2, seed=18)]
    student = [features(2, 2, 4, 4, seed=19), features(2, 3, 2, 2, seed=20)]
    loss, distances = alignment_loss(teacher, student, "gka")
    each = [gka(t, s).item() for t, s in zip(teacher, student, strict=True)]
    assert loss.item() == pytest.approx(-sum(each))
    assert [d.item() for d in distances] == pytest.approx([1 - e for e in each])


def test_the_teacher_gets_no_gradient():
    teacher, student = (features(2, 3, 4, 4, seed=s).requires_grad_() for s in (1, 2))
    loss, _ = alignment_loss([teacher], [student], "ka")
    loss.backward()
    assert teacher.grad is None
    assert student.grad.abs().sum() > 0


def test_descending_the_loss_aligns():
    teacher, student = features(2, 6, 4, 4, seed=1), features(2, 3, 4, 4, seed=2).requires_grad_()
    start = gka(teacher, student).item()
    optimiser = torch.optim.Adam([student], lr=0.05)
    for _ in range(60):
        optimiser.zero_grad()
        alignment_loss([teacher], [student], "gka")[0].backward()
        optimiser.step()
    assert gka(teacher, student).item() > start + 0.2


def test_mse_is_the_mean_squared_error():
    teacher, student = torch.ones(1, 2, 2, 2), torch.full((1, 2, 2, 2), 3.0)
    loss, distances = alignment_loss([teacher, teacher], [student, teacher], "mse")
    assert loss.item() == 4
    assert [d.item() for d in distances] == [4, 0]


def test_one_sample_always_aligns():
    """Why `ka` with a batch of 1 is refused."""
    x, y = features(1, 3, 4, 4, seed=1).requires_grad_(), features(1, 2, 4, 4, seed=2)
    value = ka(x, y)
    (gradient,) = torch.autograd.grad(value, x)
    assert value.item() == pytest.approx(1.0, abs=1e-12)
    assert gradient.abs().max() < 1e-12


def test_ka_with_a_batch_of_one_is_refused():
    with pytest.raises(CatError) as caught:
        check_alignment("ka", batch=1)
    (found,) = caught.value.diagnostics
    assert found.code == "E607"
    assert "batch of 1" in found.message
    assert "gka" in found.help
    check_alignment("ka", batch=2)
    check_alignment("gka", batch=1)


def test_ka_with_one_sample_in_each_part_is_refused():
    with pytest.raises(CatError, match="batch of 4 in 4 parts"):
        check_alignment("ka", batch=4, parts=4)
    check_alignment("ka", batch=4, parts=2)
