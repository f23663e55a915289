"""Distances between two sets of features in closed form, exact and quick for few images.

torch-fidelity gives the figures that are reported. These give the same, and quickly enough to be
computed again for hundreds of parts of the sets, from which intervals are made.
"""

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

_BLOCK = 1024


def frechet_distance(x_ND: Matrix, y_MD: Matrix) -> float:
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) of means and covariances (Heusel et al., 2017, eq. 6).

    With S = A'A the trace of the root is the sum of the singular values of A1 A2': a matrix of
    images by images, exact where there are fewer images than features and no covariance has full
    rank. Both sets have at least two rows.
    """
    (mean_x, a), (mean_y, b) = _rooted(x_ND), _rooted(y_MD)
    root = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    offset = mean_x - mean_y
    return float(offset @ offset + np.square(a).sum() + np.square(b).sum() - 2 * root)


def _rooted(x_ND: Matrix) -> tuple[Matrix, Matrix]:
    """The mean, and a matrix A with at most D rows for which A'A is the covariance."""
    mean = x_ND.mean(0)
    a = (x_ND - mean) / np.sqrt(len(x_ND) - 1)
    return mean, np.asarray(np.linalg.qr(a, mode="r")) if len(a) > a.shape[1] else a


def kernel_distance(x_ND: Matrix, y_MD: Matrix) -> float:
    """The unbiased squared MMD with the kernel (x'y/d + 1)^3 (Binkowski et al., 2018, section 4)."""
    return float(kernel_distances(x_ND, y_MD, np.ones((1, len(x_ND))), np.ones((1, len(y_MD))))[0])


def kernel_distances(x_ND: Matrix, y_MD: Matrix, taken_BN: Matrix, taken_BM: Matrix) -> Matrix:
    """The kernel distance of each of B parts of the sets: those rows where `taken` is 1 and not 0.

    The kernel of all pairs is computed once, block by block, and not kept.
    """
    n, m = taken_BN.sum(1), taken_BM.sum(1)
    within_x = _sums(x_ND, x_ND, taken_BN, taken_BN) - taken_BN @ _diagonal(x_ND)
    within_y = _sums(y_MD, y_MD, taken_BM, taken_BM) - taken_BM @ _diagonal(y_MD)
    between = _sums(x_ND, y_MD, taken_BN, taken_BM)
    return np.asarray(within_x / (n * (n - 1)) + within_y / (m * (m - 1)) - 2 * between / (n * m))


def _sums(x_ND: Matrix, y_MD: Matrix, taken_BN: Matrix, taken_BM: Matrix) -> Matrix:
    """The sum of the kernel over all pairs that are taken, shape (B,)."""
    total = np.zeros(len(taken_BN))
    for start in range(0, len(x_ND), _BLOCK):
        block = slice(start, start + _BLOCK)
        kernel = (x_ND[block] @ y_MD.T / x_ND.shape[1] + 1) ** 3
        total += (taken_BN[:, block] * (taken_BM @ kernel.T)).sum(1)
    return total


def _diagonal(x_ND: Matrix) -> Matrix:
    return np.asarray((np.square(x_ND).sum(1) / x_ND.shape[1] + 1) ** 3)
