"""What a data folder holds: as what it can be read, what its images are like, and which labels they use."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import numpy as np

from catdsl.diagnostics import CatError
from catdsl.train.data.file_facts import FileFacts, file_facts
from catdsl.train.data.formats import SAME_SIZE
from catdsl.train.data.joined import check_joined
from catdsl.train.data.label_maps import read_indices
from catdsl.train.data.layouts import OddFile
from catdsl.train.data.levels import Levels, proposed
from catdsl.train.data.opening import Looked, look_at_images
from catdsl.train.data.pixels import Unreadable
from catdsl.train.data.proposal import Proposal, SideLevels, can_enlarge, propose
from catdsl.train.data.readings import JOINED, Reading, readings_of

T = TypeVar("T")
Size = tuple[int, int]

_READERS = 2
_MOST = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSummary:
    """The images of one role; sizes are (height, width), of A|B files those of one half.

    `levels` are the lowest and the highest of files of 8 bits, `deep_levels` those of the `sixteen_bit`
    files, which have more, are signed or floating-point. `usual_levels` are black and white of these
    where nothing is said, and `proposed_levels` what is to be said, or None. `dark_colour` says that
    files of deep colour are almost black.
    """

    count: int
    smallest: Size
    largest: Size
    usual: Size
    of_usual_size: int
    grey: int
    sixteen_bit: int
    rotated: int
    inks: int
    several: int
    not_square: int
    levels: Levels | None
    deep_levels: Levels | None
    usual_levels: Levels | None
    proposed_levels: Levels | None
    dark_colour: bool


@dataclass(frozen=True, slots=True)
class LabelUse:
    """One label: its share of all pixels, and how many maps hold it."""

    label: int
    share: float
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """`reading` is the likeliest; `others` are kinds that the folder can be read as, too.

    `images` are by role; `labels` stand in order. `opened` is what training with the proposed
    settings reads, with all files that it cannot use.
    """

    folder: Path
    reading: Reading
    others: tuple[str, ...]
    images: Mapping[str, ImageSummary]
    labels: tuple[LabelUse, ...]
    proposal: Proposal
    opened: Looked

    @property
    def odd(self) -> tuple[OddFile, ...]:
        """All files that cannot be used."""
        return self.opened.odd


def survey(folder: Path) -> Survey:
    """Look at every file of `folder`, and read it as training would with the settings that are proposed for it.

    Raises CatError E601 where nothing in it can be trained on, as training does.
    """
    found = readings_of(folder)
    facts = _of_each(file_facts, {p for reading in found for p in _image_files(reading)})
    reading, *others = _likeliest(found, facts)
    maps = _of_each(_map_facts, _files(reading, "label"))
    images = _summaries(reading, facts)
    labels = _uses([m for m in maps.values() if isinstance(m, Mapping)])
    proposal = propose(
        reading,
        size=images["photo"].usual if "photo" in images else None,
        levels=tuple(use.label for use in labels),
        scale=_usual(_ratios(reading, _sizes(facts))),
        sides=tuple(_side_levels(images, role) for role in (("photo",) if reading.kind == "labels" else ("A", "B"))),
    )
    return Survey(
        folder=folder,
        reading=reading,
        others=tuple(other.kind for other in others),
        images=images,
        labels=labels,
        proposal=proposal,
        opened=look_at_images(
            folder, proposal.settings, size=proposal.size, source=proposal.source, target=proposal.target,
            scale=proposal.scale,
        ),
    )  # fmt: skip


def _likeliest(found: Iterable[Reading], facts: Mapping[Path, FileFacts | Unreadable]) -> list[Reading]:
    """Readings that fit, the likeliest first. Raises CatError E601 where there are only plain images."""
    likely: list[Reading] = []
    refused: list[CatError] = []
    for reading in found:
        try:
            for part in reading.parts:
                if part.role == JOINED:
                    check_joined(part.folder, part.files)
        except CatError as error:
            refused.append(error)
        else:
            likely.append(reading)
    if not likely:
        raise refused[0]
    return sorted(likely, key=lambda reading: _torn(reading, facts))


def _files(reading: Reading, *roles: str) -> list[Path]:
    return [path for part in reading.parts if part.role in roles for path in part.files]


def _image_files(reading: Reading) -> list[Path]:
    return _files(reading, JOINED, "A", "B", "photo")


def _of_each(look: Callable[[Path], T], files: Iterable[Path]) -> dict[Path, T]:
    files = sorted(files)
    with ThreadPoolExecutor(_READERS) as pool:
        return dict(zip(files, pool.map(look, files), strict=True))


def _torn(reading: Reading, facts: Mapping[Path, FileFacts | Unreadable]) -> bool:
    """Whether most files of equal names are of sizes that have nothing to do with each other."""
    ratios = _ratios(reading, _sizes(facts)) if reading.kind == "paired" else {}
    usual = _usual(ratios)
    fitting = [ratio for ratio in ratios.values() if ratio in (SAME_SIZE, usual) and can_enlarge(ratio)]
    return len(fitting) < (1 - _MOST) * len(ratios)


def _ratios(reading: Reading, sizes: Mapping[Path, Size]) -> dict[tuple[Path, ...], tuple[Fraction, Fraction]]:
    """How many times as high and wide the second of two partners is as the first."""
    known = [partners for partners in reading.partners if set(partners[:2]) <= sizes.keys()]
    pairs = {partners: (sizes[partners[0]], sizes[partners[1]]) for partners in known}
    return {partners: (Fraction(b[0], a[0]), Fraction(b[1], a[1])) for partners, (a, b) in pairs.items()}


def _usual(ratios: Mapping[tuple[Path, ...], tuple[Fraction, Fraction]]) -> tuple[Fraction, Fraction]:
    """That of the most: another one than 1 where images are enlarged."""
    return Counter(ratios.values()).most_common(1)[0][0] if ratios else SAME_SIZE


def _sizes(facts: Mapping[Path, FileFacts | Unreadable]) -> dict[Path, Size]:
    return {path: fact.size for path, fact in facts.items() if isinstance(fact, FileFacts)}


def _summaries(reading: Reading, facts: Mapping[Path, FileFacts | Unreadable]) -> dict[str, ImageSummary]:
    found = {}
    for role in dict.fromkeys(part.role for part in reading.parts):
        known = [facts[path] for path in _files(reading, role) if path in facts]
        readable = [fact for fact in known if isinstance(fact, FileFacts)]
        if readable and role not in ("label", "instance"):
            found[role] = _summary(readable, halved=role == JOINED)
    return found


def _summary(facts: list[FileFacts], *, halved: bool) -> ImageSummary:
    sizes = [(f.size[0], f.size[1] // 2 if halved else f.size[1]) for f in facts]
    ((usual, of_usual_size),) = Counter(sizes).most_common(1)
    return ImageSummary(
        count=len(facts),
        smallest=min(sizes, key=lambda s: s[0] * s[1]),
        largest=max(sizes, key=lambda s: s[0] * s[1]),
        usual=usual,
        of_usual_size=of_usual_size,
        grey=sum(f.grey for f in facts),
        sixteen_bit=sum(f.deep for f in facts),
        rotated=sum(f.rotated for f in facts),
        inks=sum(f.inks for f in facts),
        several=sum(f.several for f in facts),
        not_square=sum(height != width for height, width in sizes),
        levels=_range([f for f in facts if not f.deep]),
        deep_levels=_range([f for f in facts if f.deep]),
        usual_levels=max((f.stored.usual for f in facts if f.deep and f.stored.usual is not None), default=None),
        # Of deep colour the upper 8 bits are read, which no levels change.
        proposed_levels=_proposed(f for f in facts if not f.deep_colour),
        dark_colour=_proposed(f for f in facts if f.deep_colour) is not None,
    )


def _range(facts: list[FileFacts]) -> Levels | None:
    return (min(f.used[0] for f in facts), max(f.used[1] for f in facts)) if facts else None


def _proposed(facts: Iterable[FileFacts]) -> Levels | None:
    return proposed([(f.stored, f.used) for f in facts])


def _side_levels(images: Mapping[str, ImageSummary], role: str) -> SideLevels:
    summary = images.get(role, images.get(JOINED))
    if summary is None:
        return SideLevels()
    return SideLevels(summary.proposed_levels, summary.usual_levels, summary.dark_colour)


def _map_facts(path: Path) -> Mapping[int, int] | Unreadable:
    """How many pixels each label of a map has: of the pixels themselves a data set has too many for memory."""
    found = read_indices(path)
    if isinstance(found, Unreadable):
        return found
    labels, counts = np.unique(found, return_counts=True)
    return dict(zip(labels.tolist(), counts.tolist(), strict=True))


def _uses(maps: Iterable[Mapping[int, int]]) -> tuple[LabelUse, ...]:
    pixels: Counter[int] = Counter()
    files: Counter[int] = Counter()
    for held in maps:
        pixels.update(held)
        files.update(held.keys())
    return tuple(LabelUse(label, pixels[label] / pixels.total(), files[label]) for label in sorted(pixels))
