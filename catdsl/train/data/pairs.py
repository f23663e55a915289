"""Paired images, every file opened and verified before training starts, and kept in memory if small."""

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from catdsl.diagnostics import CatError
from catdsl.semantics.settings import DataSettings
from catdsl.train.data.images import CHANNELS, Pixels, Unreadable, read_pixels, resize_pixels
from catdsl.train.data.layouts import Layout, OddFile, Pair, Split, find_layout

Direction = Literal["a_to_b", "b_to_a"]
Decoded = tuple[Pixels, Pixels]
"""Input and target of one pair, HWC, 0 to 255."""

MOST_IN_MEMORY = 2**30
SAME_SIZE = (Fraction(1), Fraction(1))
_READERS = 2
_LISTED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PairFormat:
    """How pairs are delivered: which side is the input, how large, with how many channels.

    `size` (height, width) is the input's; the target's is `scale` times that, along each side.
    """

    direction: Direction
    size: tuple[int, int]
    scale: tuple[Fraction, Fraction]
    input_channels: int
    target_channels: int

    @property
    def target_size(self) -> tuple[int, int]:
        return scaled(self.size, self.scale)

    @property
    def bytes_per_pair(self) -> int:
        height, width = self.size
        target_height, target_width = self.target_size
        return height * width * self.input_channels + target_height * target_width * self.target_channels


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PairImages:
    """Pairs of one purpose at one size; `cached` holds them decoded, or is None for a large set."""

    pairs: tuple[Pair, ...]
    format: PairFormat
    cached: tuple[Decoded, ...] | None

    def __len__(self) -> int:
        return len(self.pairs)

    def read(self, indices: Sequence[int]) -> list[Decoded]:
        """Input and target of each index. Raises CatError E602 where a file has gone since."""
        if self.cached is not None:
            return [self.cached[i] for i in indices]
        decoded, odd = _decode_all([self.pairs[i] for i in indices], self.format)
        if odd:
            raise _odd_files(odd, len(indices))
        return decoded


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PairedData:
    """A verified data folder: training pairs at load size, validation pairs at `crop` size."""

    train: PairImages
    validation: PairImages
    crop: tuple[int, int]
    """The size of an input in training and validation; a target's follows by the format's scale."""
    flip: bool
    fingerprint: str
    """Digest of the names and sizes in bytes of the training files, in order."""


def open_pairs(
    folder: Path,
    settings: DataSettings,
    *,
    size: tuple[int, int],
    scale: tuple[Fraction, Fraction] = SAME_SIZE,
    input_channels: int = 3,
    target_channels: int = 3,
    most_in_memory: int = MOST_IN_MEMORY,
) -> PairedData:
    """Find, verify and (where they fit) keep all pairs of `folder`.

    `size` (height, width) is the generator's, and stands for `load` and `crop` where the settings
    leave them out; images of any other size or shape are resized to `load`. Targets are `scale`
    times as large as inputs (height, width): 4 for super-resolution by 4. Without a validation
    folder the last `holdout` pairs in natural order are for validation, by default a tenth.
    Decoded sets above `most_in_memory` bytes are read again whenever they are needed.

    Raises CatError E601 (the folder), E602 (all files that cannot be used, in one list), E607
    (settings that do not fit together).
    """
    crop = settings.crop or size
    load = settings.load or crop
    _check_settings(settings, load, crop, (input_channels, target_channels))
    _check_scaled(load, crop, scale)
    layout = find_layout(folder)
    train, validation = _purposes(folder, layout, settings.holdout)

    def images_at(size: tuple[int, int]) -> PairFormat:
        return PairFormat(
            direction=settings.direction,
            size=size,
            scale=scale,
            input_channels=input_channels,
            target_channels=target_channels,
        )

    at_load, at_crop = images_at(load), images_at(crop)
    total = len(train) * at_load.bytes_per_pair + len(validation) * at_crop.bytes_per_pair
    keep = total <= most_in_memory
    trained, odd_train = _decode_all(train, at_load, keep=keep)
    validated, odd_validation = _decode_all(validation, at_crop, keep=keep)
    odd = [*_misplaced(layout), *odd_train, *odd_validation]
    if odd:
        raise _odd_files(odd, len(train) + len(validation))
    return PairedData(
        train=PairImages(pairs=train, format=at_load, cached=tuple(trained) if keep else None),
        validation=PairImages(pairs=validation, format=at_crop, cached=tuple(validated) if keep else None),
        crop=crop,
        flip=settings.flip,
        fingerprint=_fingerprint(train),
    )


def _check_settings(
    settings: DataSettings, load: tuple[int, int], crop: tuple[int, int], channels: tuple[int, int]
) -> None:
    if settings.kind != "paired":
        raise CatError.one(
            "E607",
            f"kind = {settings.kind} cannot be read as pairs",
            help="set kind = paired in data { }",
        )
    if crop[0] > load[0] or crop[1] > load[1]:
        raise CatError.one(
            "E607",
            f"crops of {_by(crop)} cannot be cut from images loaded at {_by(load)} (height x width)",
            help="raise `load` or lower `crop` in data { }; crop is the generator's input size by default",
        )
    if any(count not in CHANNELS for count in channels):
        raise CatError.one(
            "E607",
            f"image files cannot feed a generator from {channels[0]} to {channels[1]} channels",
            help="images have 1 (grey) or 3 (colour) channels",
        )


def _check_scaled(load: tuple[int, int], crop: tuple[int, int], scale: tuple[Fraction, Fraction]) -> None:
    for side, times in ((side, times) for size in (load, crop) for side, times in zip(size, scale, strict=True)):
        if side % times.denominator:
            raise CatError.one(
                "E607",
                f"images are {times} times as large as their inputs, and {side} pixels times {times} are not whole",
                help=f"let both sides of `load` and `crop` in data {{ }} be multiples of {times.denominator}",
            )


def scaled(size: tuple[int, int], scale: tuple[Fraction, Fraction]) -> tuple[int, int]:
    """Height and width times their factors, which must come out whole."""
    height, width = (int(side * times) for side, times in zip(size, scale, strict=True))
    return height, width


def _purposes(folder: Path, layout: Layout, holdout: int | None) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Training and validation pairs."""
    pairs = layout.train.pairs
    if layout.validation is not None:
        return pairs, layout.validation.pairs
    count = max(1, len(pairs) // 10) if holdout is None else holdout
    if pairs and count >= len(pairs):
        raise CatError.one(
            "E601",
            f"{folder} has {len(pairs)} pairs, and holdout keeps {count} of them from training",
            help="add images, or lower `holdout` in data { } (0 trains on all, without validation)",
        )
    return pairs[: len(pairs) - count], pairs[len(pairs) - count :]


def _misplaced(layout: Layout) -> tuple[OddFile, ...]:
    return layout.train.odd + (layout.validation or Split(())).odd


def _decode_all(pairs: Sequence[Pair], format: PairFormat, *, keep: bool = True) -> tuple[list[Decoded], list[OddFile]]:
    """All pairs decoded (none kept unless `keep`), and the files that could not be."""
    decoded: list[Decoded] = []
    odd: list[OddFile] = []
    with ThreadPoolExecutor(_READERS) as pool:
        for outcome in pool.map(lambda pair: _decode(pair, format), pairs):
            if isinstance(outcome, OddFile):
                odd.append(outcome)
            elif keep:
                decoded.append(outcome)
    return decoded, odd


def _decode(pair: Pair, format: PairFormat) -> Decoded | OddFile:
    forward = format.direction == "a_to_b"
    channels = (format.input_channels, format.target_channels)
    channels_a, channels_b = channels if forward else channels[::-1]
    a = read_pixels(pair.a, channels_a)
    b = read_pixels(pair.b or pair.a, channels_b) if pair.b or channels_b != channels_a else a
    if isinstance(a, Unreadable):
        return OddFile(a.path, a.reason)
    if isinstance(b, Unreadable):
        return OddFile(b.path, b.reason)
    if pair.b is None and a.shape[1] % 2:
        return OddFile(pair.a, f"is {a.shape[1]} wide: an A|B image needs an even width")
    half = a.shape[1] // 2
    half_a, half_b = (a, b) if pair.b else (a[:, :half], b[:, half:])
    source, target = (half_a, half_b) if forward else (half_b, half_a)
    height, width = source.shape[:2]
    # A pair for super-resolution may come in the two sizes, or twice in the large one.
    scaled_up = (height * format.scale[0], width * format.scale[1])
    if target.shape[:2] not in ((height, width), scaled_up):
        expected = (
            f"; {_by((height, width))} or {'x'.join(map(str, scaled_up))} would fit"
            if format.scale != SAME_SIZE
            else ""
        )
        return OddFile(pair.a, f"is {_by(a.shape)}, but its partner is {_by(b.shape)} (height x width){expected}")
    # A half that needed no resizing is a view, and would keep the whole A|B image in memory.
    return resize_pixels(source, format.size).copy(), resize_pixels(target, format.target_size).copy()


def _odd_files(odd: Sequence[OddFile], count: int) -> CatError:
    shown = [f"{file.path} {file.reason}" for file in odd[:_LISTED]]
    if len(odd) > _LISTED:
        shown.append(f"and {len(odd) - _LISTED} more")
    return CatError.one(
        "E602",
        f"{len(odd)} image files cannot be used, among {count} pairs looked at",
        notes=tuple(shown),
        help="repair these files, or move them (with their partners) out of the data folder",
    )


def _fingerprint(pairs: Iterable[Pair]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for pair in pairs:
        files = [path for path in (pair.a, pair.b) if path is not None]
        digest.update("|".join((pair.name, *(str(p.stat().st_size) for p in files), "")).encode())
    return digest.hexdigest()


def _by(size: Sequence[int]) -> str:
    return f"{size[0]}x{size[1]}"
