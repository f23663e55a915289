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
from catdsl.train.data.formats import SAME_SIZE, by
from catdsl.train.data.label_maps import Indices, read_indices, read_instances
from catdsl.train.data.layouts import OddFile
from catdsl.train.data.layouts_paired import LOOKED_FOR as FOR_PAIRS
from catdsl.train.data.layouts_unpaired import LOOKED_FOR as FOR_SIDES
from catdsl.train.data.levels import Levels, proposed, shown, upper_bits_alone
from catdsl.train.data.pixels import Unreadable
from catdsl.train.data.readings import JOINED, Reading, readings_of

T = TypeVar("T")
Size = tuple[int, int]

_READERS = 2
# A|B of square halves is twice as wide as high; of other shapes, where the halves meet in a step.
_JOINED_RATIO = (1.9, 2.1)
_MOST = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSummary:
    """The images of one role; sizes are (height, width), of A|B files those of one half.

    `levels` are the lowest and the highest of files of 8 bits, `deep_levels` those of the `sixteen_bit`
    files, which have more, are signed or floating-point. `usual_levels` are black and white of these
    where nothing is said, and `proposed_levels` what is to be said, or None.
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


@dataclass(frozen=True, slots=True)
class _MapFacts:
    """Height and width of a map, and how many pixels each of its indices has."""

    size: Size
    pixels: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class LabelUse:
    """One label: its share of all pixels, and how many maps hold it."""

    label: int
    share: float
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """`reading` is the likeliest; `others` are kinds that the folder can be read as, too.

    `images` are by role; `labels` stand in order; `odd` are all files that cannot be used.
    """

    folder: Path
    reading: Reading
    others: tuple[str, ...]
    images: Mapping[str, ImageSummary]
    labels: tuple[LabelUse, ...]
    odd: tuple[OddFile, ...]


def survey(folder: Path) -> Survey:
    """Look at every file of `folder`. Raises CatError E601 where nothing in it can be trained on."""
    found = readings_of(folder)
    facts = _of_each(file_facts, {p for reading in found for p in _image_files(reading)})
    likely = sorted((r for r in found if not r.joined or _looks_joined(r, facts)), key=lambda r: _torn(r, facts))
    if not likely:
        raise _plain_images(folder, facts)
    reading = likely[0]
    maps = _of_each(_map_facts(read_indices), _files(reading, "label"))
    instances = _of_each(_map_facts(read_instances), _files(reading, "instance"))
    sizes = _sizes(facts)
    sizes |= {path: m.size for path, m in (maps | instances).items() if isinstance(m, _MapFacts)}
    read = {path: facts[path] for path in _image_files(reading)} | maps | instances
    unreadable = [OddFile(what.path, what.reason) for what in read.values() if isinstance(what, Unreadable)]
    return Survey(
        folder=folder,
        reading=reading,
        others=tuple(other.kind for other in likely[1:]),
        images=_summaries(reading, facts),
        labels=_uses([m for m in maps.values() if isinstance(m, _MapFacts)]),
        odd=(
            *reading.odd,
            *unreadable,
            *_misfits(reading, sizes),
            *_odd_widths(reading, sizes),
            *_dark_colour(reading, facts),
        ),
    )


def _files(reading: Reading, *roles: str) -> list[Path]:
    return [path for part in reading.parts if part.role in roles for path in part.files]


def _image_files(reading: Reading) -> list[Path]:
    return _files(reading, JOINED, "A", "B", "photo")


def _of_each(look: Callable[[Path], T], files: Iterable[Path]) -> dict[Path, T]:
    files = sorted(files)
    with ThreadPoolExecutor(_READERS) as pool:
        return dict(zip(files, pool.map(look, files), strict=True))


def _looks_joined(reading: Reading, facts: Mapping[Path, FileFacts | Unreadable]) -> bool:
    """Whether files that may be A|B are; where none can be read, nothing speaks against it."""
    known = [fact for fact in map(facts.__getitem__, _files(reading, JOINED)) if isinstance(fact, FileFacts)]
    low, high = _JOINED_RATIO
    like = [fact.seam or low <= fact.size[1] / fact.size[0] <= high for fact in known]
    return not known or sum(like) > _MOST * len(known)


def _torn(reading: Reading, facts: Mapping[Path, FileFacts | Unreadable]) -> bool:
    """Whether most files of equal names are of sizes that have nothing to do with each other."""
    sizes = _sizes(facts)
    ratios = _ratios(reading, sizes) if reading.kind == "paired" else {}
    return sum(ratio != _usual(ratios) for ratio in ratios.values()) > _MOST * len(ratios)


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
        proposed_levels=_proposed(facts),
    )


def _range(facts: list[FileFacts]) -> Levels | None:
    return (min(f.used[0] for f in facts), max(f.used[1] for f in facts)) if facts else None


def _proposed(facts: Iterable[FileFacts]) -> Levels | None:
    return proposed([(f.stored, f.used) for f in facts if not f.deep_colour])


def _dark_colour(reading: Reading, facts: Mapping[Path, FileFacts | Unreadable]) -> list[OddFile]:
    """Files of 16-bit colour, of which the upper 8 bits are read, where these are not what is meant."""
    found = []
    for role in dict.fromkeys(part.role for part in reading.parts):
        known = {path: facts[path] for path in _files(reading, role) if path in facts}
        readable = {path: fact for path, fact in known.items() if isinstance(fact, FileFacts)}
        colour = {path: fact for path, fact in readable.items() if fact.deep_colour}
        levels = _proposed(readable.values())
        if levels is not None:
            found += [OddFile(path, upper_bits_alone(fact.stored, levels)) for path, fact in colour.items()]
        elif proposed([(fact.stored, fact.used) for fact in colour.values()]) is not None:
            found += [
                OddFile(
                    path,
                    f"has {fact.stored.bits}-bit colour that uses no level above {shown(fact.used[1])}, and would be "
                    "almost black; save it with 8 bits",
                )
                for path, fact in colour.items()
            ]
    return found


def _map_facts(read: Callable[[Path], Indices | Unreadable]) -> Callable[[Path], _MapFacts | Unreadable]:
    """What is kept of a map that is read: not its pixels, of which a data set has too many for memory."""

    def look(path: Path) -> _MapFacts | Unreadable:
        found = read(path)
        if isinstance(found, Unreadable):
            return found
        labels, counts = np.unique(found, return_counts=True)
        return _MapFacts((found.shape[0], found.shape[1]), dict(zip(labels.tolist(), counts.tolist(), strict=True)))

    return look


def _uses(maps: Iterable[_MapFacts]) -> tuple[LabelUse, ...]:
    pixels: Counter[int] = Counter()
    files: Counter[int] = Counter()
    for facts in maps:
        pixels.update(facts.pixels)
        files.update(facts.pixels.keys())
    return tuple(LabelUse(label, pixels[label] / pixels.total(), files[label]) for label in sorted(pixels))


def _misfits(reading: Reading, sizes: Mapping[Path, Size]) -> list[OddFile]:
    """Files whose size does not fit to that of the partner: instance maps to labels, all others to the first."""
    ratios = _ratios(reading, sizes)
    wrong = [(p[1], p[0]) for p, ratio in ratios.items() if ratio not in (SAME_SIZE, _usual(ratios))]
    thirds = [(p[2], p[1]) for p in reading.partners if len(p) > 2 and {p[1], p[2]} <= sizes.keys()]
    wrong += [(instance, label) for instance, label in thirds if sizes[instance] != sizes[label]]
    return [
        OddFile(path, f"is {by(sizes[path])}, but {other} is {by(sizes[other])} (height x width)")
        for path, other in wrong
    ]


def _odd_widths(reading: Reading, sizes: Mapping[Path, Size]) -> list[OddFile]:
    return [
        OddFile(path, f"is {sizes[path][1]} wide: an A|B image needs an even width")
        for path in _files(reading, JOINED)
        if path in sizes and sizes[path][1] % 2
    ]


def _plain_images(folder: Path, facts: Mapping[Path, object]) -> CatError:
    return CatError.one(
        "E601",
        f"{folder} holds {len(facts)} images of one side, and nothing that they should become",
        notes=tuple(f"looked for: {text}" for text in (*FOR_PAIRS, *FOR_SIDES)),
        help="A|B images are twice as wide as one; give unpaired images as two folders, trainA and trainB",
    )
