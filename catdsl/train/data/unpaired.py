"""Unpaired images: two sides of other scenes, and mostly of other numbers, each read by itself."""

from pathlib import Path

from catdsl.train.data.folders import look_into, unused_in
from catdsl.train.data.found import Found, Wanted, digest_of, split_off
from catdsl.train.data.image_sets import ApartImages
from catdsl.train.data.layouts import OddFile
from catdsl.train.data.layouts_unpaired import LOOKED_FOR, find_two_sides
from catdsl.train.data.pixels import Pixels, Unreadable, read_pixels, resize_pixels
from catdsl.train.data.shelves import Odd, Shelf
from catdsl.train.data.sides import Side


def look_for_two_sides(wanted: Wanted) -> Found:
    """The two sides of a folder; `holdout` images of each are for validation. Raises CatError E601."""
    root, holdout = look_into(wanted.folder, LOOKED_FOR), wanted.settings.holdout
    layout = find_two_sides(root)
    if layout.validation is None:
        a, b = (
            split_off(files, holdout, folder=place, what="images")
            for files, place in zip(layout.train.files, layout.train.folders, strict=True)
        )
        train, validation = (a[0], b[0]), (a[1], b[1])
    else:
        train, validation = layout.train.files, layout.validation.files
    if wanted.settings.direction == "b_to_a":
        train, validation = train[::-1], validation[::-1]
    at_load, at_crop = wanted.training, wanted.validation
    return Found(
        train=ApartImages(
            format=at_load,
            inputs=_shelf(train[0], at_load.size, at_load.source),
            targets=_shelf(train[1], at_load.target_size, at_load.target),
            length=max(map(len, train)),
        ),
        validation=ApartImages(
            format=at_crop,
            inputs=_shelf(validation[0], at_crop.size, at_crop.source),
            targets=_shelf(validation[1], at_crop.target_size, at_crop.target),
            length=len(validation[0]),
        ),
        odd=tuple(file for split in layout.splits for file in split.odd),
        fingerprint=digest_of((f"{side}/{path.stem}", (path,)) for side, files in enumerate(train) for path in files),
        pictures=((*train[0], *validation[0]), (*train[1], *validation[1])),
        unused=unused_in(root, (path for split in layout.splits for path in split.taken)),
    )


def _shelf(files: tuple[Path, ...], size: tuple[int, int], side: Side) -> Shelf[Path, Pixels]:
    def decode(path: Path) -> Pixels | Odd:
        pixels = read_pixels(path, side.channels, side.levels)
        if isinstance(pixels, Unreadable):
            return Odd((OddFile(pixels.path, pixels.reason),))
        return resize_pixels(pixels, size)

    return Shelf(entries=files, decode=decode)
