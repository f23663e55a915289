"""Kernel alignment: how alike two feature tensors are, whatever their channel counts.

KA(X, Y) = ||Y'X||_F^2 / (||X'X||_F ||Y'Y||_F) of X: n x p1 and Y: n x p2 lies in [0, 1], is 1 where
the rows' inner products agree up to scale, and needs no adapter between the channels (Jin et al.,
"Teachers Do More Than Teach", CVPR 2021, section 3.3; Kornblith et al., 2019, for the centred form).

Where several processes train together, rows are those of all of them: `gka` and `gcka` add up their
small c1 x c2 products, `ka` gathers the samples. Whatever autocasting is in force, KA is computed in
float32, for it differs from 1 in the third digit only.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from catdsl.diagnostics import CatError
from catdsl.semantics.settings import Similarity
from catdsl.train.collective import all_largest, all_rows, all_sum, world
from catdsl.train.losses.wide import wide

_NOTHING = 1e-11
"""Below this share of the rows, the energy of features of magnitude 1 is rounding noise."""


def gka(x_BCHW: Tensor, y_BCHW: Tensor) -> Tensor:
    """Global kernel alignment: rows are all pixels of all samples, (b*h*w) x c, uncentred."""
    with _full_precision(x_BCHW):
        return _aligned_columns(_pixels(x_BCHW), _pixels(y_BCHW))


def gcka(x_BCHW: Tensor, y_BCHW: Tensor) -> Tensor:
    """Global centred kernel alignment: as `gka`, with the mean of each channel taken away."""
    with _full_precision(x_BCHW):
        x, y = _pixels(x_BCHW), _pixels(y_BCHW)
        return _aligned_columns(x - _mean_row(x), y - _mean_row(y))


def ka(x_BCHW: Tensor, y_BCHW: Tensor) -> Tensor:
    """Kernel alignment of samples: rows are whole samples, b x (c*h*w), uncentred.

    Goes through the b x b Grams, since ||Y'X||_F^2 = <XX', YY'> and b is far below c*h*w.
    """
    with _full_precision(x_BCHW):
        x, y = all_rows(_unit(x_BCHW).flatten(1)), all_rows(_unit(y_BCHW).flatten(1))
        gram_x, gram_y = x @ x.T, y @ y.T
        return _ratio((gram_x * gram_y).sum(), gram_x, gram_y, rows=x.shape[0])


KERNEL_ALIGNMENTS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"gka": gka, "gcka": gcka, "ka": ka}


def alignment_loss(
    teacher_features: Sequence[Tensor], student_features: Sequence[Tensor], similarity: Similarity
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The loss over all taps, and the distance of each tap for the log.

    The loss is minus the sum of the kernel alignments, the distance 1 - KA, because KA itself
    saturates near 1. For `mse` (equal channels, as adapters make them) the distance is the mean
    squared error and the loss their sum. No gradient flows to the teacher. Features are
    B x C x H x W with equal B, H and W.
    """
    assert similarity != "none"
    pairs = zip(teacher_features, student_features, strict=True)
    if similarity == "mse":
        errors = tuple((wide(s) - wide(t.detach())).square().mean() for t, s in pairs)
        return _total(errors, student_features), tuple(e.detach() for e in errors)
    alike = tuple(KERNEL_ALIGNMENTS[similarity](t.detach(), s) for t, s in pairs)
    return -_total(alike, student_features), tuple(1 - a.detach() for a in alike)


def check_alignment(similarity: Similarity, *, batch: int, parts: int = 1) -> None:
    """Refuse before training what could not teach the student anything. Raises CatError E607.

    `parts` are those that a batch is computed in, one after the other.
    """
    if similarity == "ka" and batch // parts == 1:
        raise CatError.one(
            "E607",
            f"similarity = ka compares the samples of a batch, and {_one_sample(parts)} has nothing to compare",
            notes=("with one sample KA is always exactly 1, and its gradient 0",),
            help="set batch = 2 or more, or similarity = gka, which compares pixels and takes any batch",
        )


def _one_sample(parts: int) -> str:
    return "a batch of 1" if parts == 1 else f"a batch of {parts} in {parts} parts (accumulate)"


def _full_precision(x: Tensor) -> AbstractContextManager[object]:
    return torch.autocast(x.device.type, enabled=False)


def _mean_row(x: Tensor) -> Tensor:
    return all_sum(x.sum(0)) / (x.shape[0] * world())


def _pixels(x_BCHW: Tensor) -> Tensor:
    return _unit(x_BCHW).permute(0, 2, 3, 1).flatten(0, 2)


def _unit(x: Tensor) -> Tensor:
    """In float32 at least and scaled to a magnitude of 1, so that fourth powers neither overflow nor vanish.

    KA does not depend on the scale, so the scale may be held constant without changing a gradient.
    """
    full = wide(x)
    if full.numel() == 0:
        return full
    largest = all_largest(full.detach().abs().amax())
    return full / torch.where(largest > 0, largest, torch.ones_like(largest))


def _aligned_columns(x: Tensor, y: Tensor) -> Tensor:
    product, own_x, own_y = all_sum(y.T @ x), all_sum(x.T @ x), all_sum(y.T @ y)
    return _ratio(product.square().sum(), own_x, own_y, rows=x.shape[0] * world())


def _ratio(product: Tensor, own_x: Tensor, own_y: Tensor, *, rows: int) -> Tensor:
    """KA, or 0 without a gradient where one side is nothing but zeros or rounding noise."""
    norm_x, norm_y = torch.linalg.norm(own_x), torch.linalg.norm(own_y)
    defined = (norm_x > _NOTHING * rows) & (norm_y > _NOTHING * rows)
    return torch.where(defined, product, 0.0) / torch.where(defined, norm_x * norm_y, 1.0)


def _total(terms: Sequence[Tensor], like: Sequence[Tensor]) -> Tensor:
    """Their sum; a zero on the right device where there is no tap."""
    if terms:
        return torch.stack(tuple(terms)).sum()
    return like[0].new_zeros(()) if like else torch.zeros(())
