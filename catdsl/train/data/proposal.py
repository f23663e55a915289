"""The settings and the input that a data folder is best read with: what `data check` prints, and tries out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from catdsl.semantics.settings import DataSettings
from catdsl.train.data.formats import SAME_SIZE
from catdsl.train.data.found import default_holdout
from catdsl.train.data.label_maps import COMMON_IGNORED
from catdsl.train.data.levels import Levels
from catdsl.train.data.readings import Reading
from catdsl.train.data.sides import LabelMap, Side

# What `labels(classes, ...)` takes at most, and how many levels a spec may well list.
_MOST_CLASSES = 4096
_MOST_LISTED = 256
# Sizes of inputs are multiples of these, the nearest. The first suits generators that halve images four times; the
# second those that do so six times, as GauGAN's, and is for images that it changes little in shape.
_STEP = 16
_LARGE_STEP, _LARGE = 64, 256
_MOST_TIMES = 16
_COLOUR = Side(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a spec says to read the folder: a `data { }` block, and how its input is declared."""

    block: Mapping[str, object]
    source: Side
    target: Side
    size: tuple[int, int]
    """Height and width of an input."""
    scale: tuple[Fraction, Fraction]
    """How many times as large the images are that the generator makes."""

    @property
    def settings(self) -> DataSettings:
        return DataSettings.model_validate(self.block)


@dataclass(frozen=True, slots=True)
class SideLevels:
    """Black and white of a side's files with more than 8 bits: what must be set, and else what they usually have.

    `dark` where its files of deep colour are almost black, which no levels mend.
    """

    needed: Levels | None = None
    usual: Levels | None = None
    dark: bool = False


@dataclass(frozen=True, slots=True)
class _Labels:
    classes: int
    values: tuple[int, ...] | None = None
    ignore: int | None = None


def propose(
    reading: Reading, *,
    size: tuple[int, int] | None, levels: Sequence[int], scale: tuple[Fraction, Fraction],
    sides: Sequence[SideLevels],
) -> Proposal:  # fmt: skip
    """Settings for a reading. `size` is that of most photos, `levels` are those of its label maps, in order.

    `scale` is how many times as large most images are as their partners; `sides` are those that are images.
    """
    block: dict[str, object] = {"kind": reading.kind}
    source = _COLOUR
    if reading.kind == "labels":
        labels = _labels(levels, known=reading.classes)
        block |= {"ignore": labels.ignore} if labels.ignore is not None else {}
        block |= {"label_values": labels.values} if labels.values is not None else {}
        edges = reading.has_instances
        source = Side(labels.classes + edges, LabelMap(classes=labels.classes, edges=edges, values=labels.values))
    else:
        block["direction"] = "a_to_b"
    block |= _black_and_white(sides)
    if not reading.has_validation:
        smallest = min(
            len(part.files) for part in reading.parts if part.purpose == "train" and part.role != "instance"
        )  # fmt: skip
        # Of a single image none can be held out.
        block["holdout"] = default_holdout(smallest) if smallest > 1 else 0
    enlarged = scale if reading.kind == "paired" and can_enlarge(scale) else SAME_SIZE
    height, width = size or (_STEP * enlarged[0].denominator, _STEP * enlarged[1].denominator)
    return Proposal(
        block=block, source=source, target=_COLOUR, size=(_whole(height), _whole(width)), scale=enlarged
    )  # fmt: skip


def can_enlarge(scale: tuple[Fraction, Fraction]) -> bool:
    """Whether images so many times as high and wide as their partners are what a generator makes of those."""
    return all(1 in (t.numerator, t.denominator) and max(t.numerator, t.denominator) <= _MOST_TIMES for t in scale)


def _black_and_white(sides: Sequence[SideLevels]) -> dict[str, object]:
    """What is to be said of black and white, where files have more than 8 bits.

    Usual levels, once they are set, say that dark pictures are meant: of dark colour they are left out,
    so that it is refused.
    """
    if all(side.needed is None for side in sides):
        return {}
    source, target = sides[0], sides[-1]
    if source.dark and source.needed is None:
        return {"target_levels": target.needed}
    levels, of_target = (side.needed or (None if side.dark else side.usual) for side in (source, target))
    if levels is None or of_target is None or levels == of_target:
        return {"levels": levels or of_target}
    return {"levels": levels, "target_levels": of_target}


def _labels(levels: Sequence[int], *, known: int) -> _Labels:
    """How levels become classes: as they are where they number them, or listed in order."""
    ignore = _ignored(levels)
    held = [level for level in levels if level != ignore]
    if not held:
        return _Labels(known, None, ignore)
    spread = held[0] < 0 or held[-1] >= 2 * len(held)
    numbered = tuple(held) if spread else tuple(range(1, held[-1] + 1)) if held[0] == 1 else ()
    if known == 1 and 0 < len(numbered) <= _MOST_LISTED:
        return _Labels(len(numbered), numbered, ignore)
    return _Labels(min(max(held[-1] + 1, known), _MOST_CLASSES), None, ignore)


def _ignored(levels: Sequence[int]) -> int | None:
    """-1, or the highest level where it is one that usually means nothing, and the others number classes."""
    if levels and levels[0] == -1:
        return -1
    others = levels[:-1]
    if len(others) < 2 or levels[-1] not in COMMON_IGNORED or others[-1] == levels[-1] - 1:
        return None
    return levels[-1] if others[-1] < 2 * len(others) else None


def _whole(side: int) -> int:
    step = _LARGE_STEP if side >= _LARGE else _STEP
    return max(step, (side + step // 2) // step * step)
