"""Structural similarity of images, by torchmetrics.

Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment: From Error Visibility to Structural
Similarity", IEEE Transactions on Image Processing 13(4), 2004, section III: a Gaussian window of
11 x 11 with a standard deviation of 1.5, K1 = 0.01, K2 = 0.03, and the mean over all windows that lie
in the image. Colour images: the mean over their channels.
"""

from torch import Tensor

from catdsl.evaluate.torchvision_operators import import_torchvision

WINDOW = 11
"""Height and width of the Gaussian window."""

_SIGMA = 1.5
_MARGIN = WINDOW // 2


def too_small(images_BCHW: Tensor) -> str:
    """Why images have no SSIM, or nothing where the window lies in them."""
    height, width = images_BCHW.shape[2:]
    if min(height, width) >= WINDOW:
        return ""
    return f"images of {height}x{width} are smaller than its window of {WINDOW}x{WINDOW} pixels"


def structural_similarity(made_BCHW: Tensor, true_BCHW: Tensor) -> Tensor:
    """One value for each pair, shape (B,), at most 1; images lie in [0, 1] and are not `too_small`.

    In float32, where rounding can cost 1e-4 in images that are almost flat: float64 takes 25 times as long.
    """
    # torchmetrics loads torchvision wherever that is installed, for other metrics than this one.
    import_torchvision()
    from torchmetrics.functional.image import structural_similarity_index_measure

    assert not too_small(made_BCHW)
    _, map_BCHW = structural_similarity_index_measure(
        made_BCHW.float(),
        true_BCHW.float(),
        sigma=_SIGMA,
        kernel_size=WINDOW,
        data_range=1.0,
        reduction="none",
        return_full_image=True,
    )
    # Releases of torchmetrics differ in how they treat borders; the windows that lie in the image are the paper's.
    inner_BCHW: Tensor = map_BCHW[..., _MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    return inner_BCHW.mean(dim=(1, 2, 3))
