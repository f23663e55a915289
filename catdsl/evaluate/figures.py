"""The figures of two sets of features, as torch-fidelity computes them.

Frechet distance: Heusel et al., 2017. Kernel distance: Binkowski et al., 2018. Precision and recall:
Kynkaanniemi et al., 2019. Inception score: Salimans et al., 2016. All parameters are torch-fidelity's
defaults, save where there are too few images for them.
"""

from torch import Tensor

from catdsl.evaluate.torchvision_operators import import_torchvision

_SUBSET = 1000
_SUBSETS = 100
_NEIGHBOURS = 3
_SPLITS = 10


def subset_size(generated: int, real: int) -> int:
    """How many images a subset of the kernel distance has: 1000, or as many as there are."""
    return min(_SUBSET, generated, real)


def neighbour_count(generated: int, real: int) -> int:
    """To which neighbour a ball of precision and recall reaches: the third, or the last that there is."""
    return min(_NEIGHBOURS, generated - 1, real - 1)


def frechet(generated_ND: Tensor, real_MD: Tensor) -> float:
    """The Frechet distance of the Gaussians through two sets of features."""
    import_torchvision()
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

    statistics = [fid_features_to_statistics(side) for side in (generated_ND, real_MD)]
    return float(fid_statistics_to_metric(*statistics, verbose=False)[KEY_METRIC_FID])


def kernel(generated_ND: Tensor, real_MD: Tensor) -> tuple[float, float]:
    """Mean and standard deviation of the kernel distance over subsets."""
    import_torchvision()
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric

    size = subset_size(len(generated_ND), len(real_MD))
    # Where all images fit into one subset, all subsets are the same.
    subsets = 1 if len(generated_ND) == len(real_MD) == size else _SUBSETS
    found = kid_features_to_metric(
        generated_ND, real_MD, kid_subsets=subsets, kid_subset_size=size, verbose=False
    )  # fmt: skip
    return found[KEY_METRIC_KID_MEAN], found[KEY_METRIC_KID_STD]


def precision_and_recall(generated_ND: Tensor, real_MD: Tensor) -> tuple[float, float]:
    """The share of generated images near a real one, and of real images near a generated one."""
    import_torchvision()
    from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

    neighbours = neighbour_count(len(generated_ND), len(real_MD))
    found = prc_features_to_metric(generated_ND, real_MD, prc_neighborhood=neighbours, verbose=False)
    return found[KEY_METRIC_PRECISION], found[KEY_METRIC_RECALL]


def inception_score(logits_NK: Tensor) -> tuple[float, float]:
    """Mean and standard deviation of the inception score over 10 splits, or as many as there are images."""
    import_torchvision()
    from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, KEY_METRIC_ISC_STD, isc_features_to_metric

    found = isc_features_to_metric(logits_NK, splits=min(_SPLITS, len(logits_NK)))
    return found[KEY_METRIC_ISC_MEAN], found[KEY_METRIC_ISC_STD]
