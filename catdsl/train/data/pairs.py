"""Paired images: A|B in one file or two files of one name, decoded together."""

from collections.abc import Sequence
from pathlib import Path

from catdsl.train.data.folders import look_into, unused_in
from catdsl.train.data.formats import ImageFormat
from catdsl.train.data.found import Found, Wanted, digest_of, split_off
from catdsl.train.data.image_sets import Decoded, TogetherImages
from catdsl.train.data.joined import check_joined
from catdsl.train.data.layouts import OddFile
from catdsl.train.data.layouts_paired import LOOKED_FOR, Pair, find_pairs
from catdsl.train.data.pixels import Unreadable, read_pixels, resize_pixels
from catdsl.train.data.shelves import Odd, Shelf


def look_for_pairs(wanted: Wanted) -> Found:
    """The pairs of a folder. Raises CatError E601, also where files to be cut in two look like single images."""
    folder, joined = wanted.folder, wanted.settings.joined
    root = look_into(folder, LOOKED_FOR)
    layout = find_pairs(root, joined=joined is not False)
    odd = [file for split in layout.splits for file in split.odd]
    for split in layout.splits:
        if split.joined and joined is None:
            odd += check_joined(split.folders[0], split.sides[0])
    train = layout.train.pairs
    if layout.validation is None:
        train, validation = split_off(train, wanted.settings.holdout, folder=folder, what="pairs")
    else:
        validation = layout.validation.pairs

    def images(pairs: tuple[Pair, ...], format: ImageFormat) -> TogetherImages:
        forward = wanted.settings.direction == "a_to_b"
        return TogetherImages(
            format=format, shelf=Shelf(entries=pairs, decode=lambda pair: _decode(pair, format, forward=forward))
        )

    return Found(
        train=images(train, wanted.training),
        validation=images(validation, wanted.validation),
        odd=tuple(odd),
        fingerprint=digest_of((pair.name, pair.files) for pair in train),
        pictures=_by_side((*train, *validation), forward=wanted.settings.direction == "a_to_b"),
        unused=unused_in(root, (path for split in layout.splits for path in split.taken)),
        joined=any(split.joined for split in layout.splits),
    )


def _by_side(pairs: Sequence[Pair], *, forward: bool) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    sides = tuple(pair.a for pair in pairs), tuple(pair.b or pair.a for pair in pairs)
    return sides if forward else sides[::-1]


def _decode(pair: Pair, format: ImageFormat, *, forward: bool) -> Decoded | Odd:
    side_a, side_b = (format.source, format.target) if forward else (format.target, format.source)
    a = read_pixels(pair.a, side_a.channels, side_a.levels)
    b = read_pixels(pair.b or pair.a, side_b.channels, side_b.levels) if pair.b or side_b != side_a else a
    if isinstance(a, Unreadable) or isinstance(b, Unreadable):
        bad = {side.path: OddFile(side.path, side.reason) for side in (a, b) if isinstance(side, Unreadable)}
        return Odd(tuple(bad.values()))
    if pair.b is None and a.shape[1] % 2:
        return Odd((OddFile(pair.a, f"is {a.shape[1]} wide: an A|B image needs an even width"),))
    half = a.shape[1] // 2
    half_a, half_b = (a, b) if pair.b else (a[:, :half], b[:, half:])
    source, target = (half_a, half_b) if forward else (half_b, half_a)
    misfit = format.misfit(source.shape, target.shape)
    if misfit is not None:
        return Odd((OddFile(pair.a if forward or pair.b is None else pair.b, misfit),))
    # A half that needed no resizing is a view, and would keep the whole A|B image in memory.
    return resize_pixels(source, format.size).copy(), resize_pixels(target, format.target_size).copy()
