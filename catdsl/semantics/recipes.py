"""The published recipes as tables: what `train` holds where a spec does not say, and which system reads what.

Jin et al., "Teachers Do More Than Teach", CVPR 2021, section 4.1, and the papers of the systems:
Isola et al. 2017 (pix2pix), Zhu et al. 2017 (CycleGAN), Park et al. 2019 (GauGAN). Adam, a rate of
2e-4 and a batch of 1 are common to all. The recipe of pix2pix, with the epochs of Cityscapes, is that
of the settings' own defaults. CycleGAN's `recon` is the student's.
"""

from collections.abc import Mapping
from typing import Any

PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "cyclegan": {
        "gan": "lsgan", "recon": 5.0, "cycle": 10.0, "identity": 0.5, "pool": 50, "epochs": 500, "decay_epochs": 500,
    },
    "gaugan": {
        "gan": "hinge", "recon": 0.0, "feature_matching": 10.0, "perceptual": 10.0, "discriminator_layers": 4,
        "discriminator_scales": 2, "ttur": True, "betas": (0.0, 0.9), "sync_norm": True,
        "epochs": 100, "decay_epochs": 100,
    },
}  # fmt: skip

READ_BY: Mapping[str, tuple[str, ...]] = {
    "cycle": ("cyclegan",),
    "identity": ("cyclegan",),
    "pool": ("cyclegan",),
    "feature_matching": ("pix2pix", "gaugan"),
    "perceptual": ("pix2pix", "gaugan"),
}
"""Settings that not every system reads."""
