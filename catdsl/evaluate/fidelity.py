"""How far generated images are from real ones: torch-fidelity's figures, with intervals and protocol."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from catdsl.diagnostics import CatError
from catdsl.evaluate import figures
from catdsl.evaluate.bootstrap import Estimate
from catdsl.evaluate.distances import frechet_distance, kernel_distances
from catdsl.evaluate.extractors import Extractor
from catdsl.evaluate.features import Features, extract_features
from catdsl.evaluate.halves import draw_halves, estimate_around
from catdsl.evaluate.image_lists import list_images
from catdsl.train.seeding import numbers_for

DRAWS = 200
SCORE = "ISC"
"""The name of the inception score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure, under the name that it may bear.

    `low` and `high` bound the 95 % interval of `estimate_around`, where there is one; `images` is the
    number on the smaller side, by which there is. `spread` is torch-fidelity's own standard deviation:
    of a kernel distance over its subsets, which is 0 where all images fit into one, and of the
    inception score over its splits.
    """

    name: str
    value: float
    less_is_better: bool
    low: float | None = None
    high: float | None = None
    spread: float | None = None
    images: int = 0
    drawn: tuple[float, ...] = field(default=(), repr=False)
    """What each pair of halves gave: equal draws of two fidelities are of the same images."""

    def less(self, other: "Figure") -> Estimate | None:
        """This figure less the same one of other images; where both have halves, of which the draws must be equal."""
        if not self.drawn or not other.drawn:
            return None
        apart = np.subtract(self.drawn, other.drawn)
        return estimate_around(self.value - other.value, apart, count=min(self.images, other.images))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fidelity:
    """Figures by name, and the protocol that they follow.

    `extractor` and `weights` are the network's name and the digest of its weights, `generated` and
    `real` how many images were on each side. `subset` is the size of the kernel distance's subsets,
    `neighbours` the number that precision and recall look at (in the features of the extractor, not
    of the VGG-16 of their paper). `draws` halves gave the intervals, taken of both sides together if
    `paired`.
    """

    extractor: str
    weights: str
    generated: int
    real: int
    subset: int
    neighbours: int
    draws: int
    paired: bool
    figures: tuple[Figure, ...]

    def __getitem__(self, name: str) -> Figure:
        return {figure.name: figure for figure in self.figures}[name]


def compare_folders(
    generated: Path, real: Sequence[Path], extractor: Extractor, *, device: str = "cpu", batch: int = 32,
    cache: Path | None = None, balance: bool = False, paired: bool = False, draws: int = DRAWS, seed: int = 0,
) -> Fidelity:  # fmt: skip
    """The distance of the images right in `generated` from all of those in the folders `real`.

    See `extract_features` and `measure_fidelity`. Raises CatError E601, E602, E608.
    """
    sets = (list_images(generated), list_images(*real))
    made, true = extract_features(sets, extractor, device=device, batch=batch, cache=cache)
    return measure_fidelity(made, true, balance=balance, paired=paired, draws=draws, seed=seed)


def measure_fidelity(
    generated: Features, real: Features, *, balance: bool = False, paired: bool = False,
    draws: int = DRAWS, seed: int = 0,
) -> Fidelity:  # fmt: skip
    """All figures that the extractor gives, for at least two images on each side.

    With `balance` the larger side is reduced to as many images as the smaller has. With `paired`
    the images of one name show one scene, and halves are drawn of scenes; the figures themselves
    know no pairs. Each draw takes a singular value decomposition of the smaller half, 0.03 s for
    512 images and 3 s for 2048. Raises CatError E602 where paired images have no partner.
    """
    assert generated.extractor == real.extractor, "only features of one network can be compared"
    if paired:
        real = _in_order_of(generated, real)
    if balance:
        generated, real = balanced(generated, real, seed=seed)
    counts = len(generated), len(real)
    return Fidelity(
        extractor=generated.extractor.network.name, weights=generated.extractor.digest,
        generated=counts[0], real=counts[1],
        subset=figures.subset_size(*counts), neighbours=figures.neighbour_count(*counts),
        draws=draws, paired=paired,
        figures=(
            *_distances(generated, real, draws=draws, seed=seed, together=paired),
            *_coverage(generated, real),
            *_score(generated),
        ),
    )  # fmt: skip


def balanced(generated: Features, real: Features, *, seed: int = 0) -> tuple[Features, Features]:
    """Equal numbers of both: of the larger side as many as the smaller has, chosen by the seed, in their order.

    A Frechet distance falls with the number of images, so those of 50 and of 500 do not compare.
    """
    count = min(len(generated), len(real))
    return _some(generated, count, seed), _some(real, count, seed)


def _some(features: Features, count: int, seed: int) -> Features:
    if len(features) == count:
        return features
    chosen = numbers_for(seed, "balance").choice(len(features), count, replace=False)
    return features.rows(sorted(chosen.tolist()))


def _in_order_of(generated: Features, real: Features) -> Features:
    """Real images in the order of their partners. Raises CatError E602."""
    names, partners = ([path.stem for path in side.paths] for side in (generated, real))
    if len(set(names)) < len(names) or sorted(names) != sorted(partners):
        alone = sorted(set(names) ^ set(partners))
        raise CatError.one(
            "E602",
            f"{len(names)} generated and {len(partners)} real images are no pairs",
            notes=(f"on one side only: {', '.join(alone[:5])}",) if alone else ("a name is there more than once",),
            help="paired images have the same name on both sides, and no two the same",
        )
    places = {name: place for place, name in enumerate(partners)}
    return real.rows([places[name] for name in names])


def _distances(generated: Features, real: Features, *, draws: int, seed: int, together: bool) -> tuple[Figure, Figure]:
    network = generated.extractor.network
    x_ND, y_MD = (side.vectors_ND.double().numpy() for side in (generated, real))
    counts = len(x_ND), len(y_MD)
    halves = draw_halves(counts, draws=draws, seed=seed, together=together)
    distances = halves.figures(lambda i, j: frechet_distance(x_ND[i], y_MD[j]))
    frechet = estimate_around(figures.frechet(generated.vectors_ND, real.vectors_ND), distances, count=min(counts))
    distance, spread = figures.kernel(generated.vectors_ND, real.vectors_ND)
    kernels = kernel_distances(x_ND, y_MD, *halves.taken(counts))
    kernel = estimate_around(distance, kernels, count=min(counts))
    return (
        Figure(
            name=network.frechet, value=frechet.value, less_is_better=True,
            low=frechet.low, high=frechet.high, images=frechet.count, drawn=tuple(distances.tolist()),
        ),
        Figure(
            name=network.kernel, value=kernel.value, less_is_better=True,
            low=kernel.low, high=kernel.high, spread=spread, images=kernel.count, drawn=tuple(kernels.tolist()),
        ),
    )  # fmt: skip


def _coverage(generated: Features, real: Features) -> tuple[Figure, Figure]:
    network = generated.extractor.network
    precision, recall = figures.precision_and_recall(generated.vectors_ND, real.vectors_ND)
    return (
        Figure(name=network.precision, value=precision, less_is_better=False),
        Figure(name=network.recall, value=recall, less_is_better=False),
    )


def _score(generated: Features) -> tuple[Figure, ...]:
    if generated.logits_NK is None:
        return ()
    score, spread = figures.inception_score(generated.logits_NK)
    return (Figure(name=SCORE, value=score, less_is_better=False, spread=spread),)
