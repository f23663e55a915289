"""Label maps and photos of equal names, with the edges between instances where they are wanted."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from catdsl.diagnostics import CatError
from catdsl.train.data.folders import look_into, unused_in
from catdsl.train.data.formats import ImageFormat, by
from catdsl.train.data.found import Found, Wanted, digest_of, split_off
from catdsl.train.data.image_sets import Decoded, TogetherImages
from catdsl.train.data.label_maps import (
    Indices,
    instance_edges,
    pack,
    read_indices,
    read_instances,
    resize_nearest,
)
from catdsl.train.data.label_values import classes_of
from catdsl.train.data.layouts import OddFile
from catdsl.train.data.layouts_labels import LOOKED_FOR, find_labelled
from catdsl.train.data.layouts_roles import Labelled, LabelSplit
from catdsl.train.data.pixels import Unreadable, read_pixels, resize_pixels
from catdsl.train.data.shelves import Odd, Shelf
from catdsl.train.data.sides import LabelMap


def look_for_labelled(wanted: Wanted) -> Found:
    """The label maps and photos of a folder. Raises CatError E601."""
    labels = wanted.training.source.labels
    assert labels is not None
    root = look_into(wanted.folder, LOOKED_FOR)
    layout = find_labelled(root)
    if labels.edges:
        _check_instances(layout.splits)
    train = layout.train.items
    if layout.validation is None:
        train, validation = split_off(train, wanted.settings.holdout, folder=wanted.folder, what="labelled photos")
    else:
        validation = layout.validation.items

    def images(items: tuple[Labelled, ...], format: ImageFormat) -> TogetherImages:
        return TogetherImages(
            format=format,
            shelf=Shelf(
                entries=items, decode=lambda item: _decode(item, format, labels=labels, ignore=wanted.settings.ignore)
            ),
        )

    return Found(
        train=images(train, wanted.training),
        validation=images(validation, wanted.validation),
        odd=tuple(file for split in layout.splits for file in _odd_of(split, edges=labels.edges)),
        fingerprint=digest_of((item.name, item.files if labels.edges else item.files[:2]) for item in train),
        pictures=((), tuple(item.photo for item in (*train, *validation))),
        unused=unused_in(root, (path for split in layout.splits for path in split.taken)),
    )


def _odd_of(split: LabelSplit, *, edges: bool) -> tuple[OddFile, ...]:
    return (*split.odd, *(split.odd_instances if edges else ()))


def _check_instances(splits: Iterable[LabelSplit]) -> None:
    for split in splits:
        if split.instances is None:
            raise CatError.one(
                "E601",
                f"the generator takes edges of instances, and no instance maps lie beside {split.folders[1]}",
                help="add a folder `instance` with a map for each label map, or declare the input with edges = false",
            )


def _decode(item: Labelled, format: ImageFormat, *, labels: LabelMap, ignore: int | None) -> Decoded | Odd:
    """The packed label map and the photo, or all that is wrong with their files."""
    photo = read_pixels(item.photo, format.target.channels, format.target.levels)
    indices = read_indices(item.label)
    # What has no instance map at all is listed already, among the files without a place.
    instances = read_instances(item.instance) if labels.edges and item.instance is not None else None
    bad = [OddFile(f.path, f.reason) for f in (photo, indices, instances) if isinstance(f, Unreadable)]
    checked = None
    if not isinstance(indices, Unreadable):
        checked = classes_of(indices, labels, ignore=ignore)
        bad += [OddFile(item.label, checked)] if isinstance(checked, str) else []
        bad += _misfits(item, indices, photo, instances, format)
    if bad or isinstance(photo, Unreadable) or isinstance(instances, Unreadable) or not isinstance(checked, np.ndarray):
        return Odd(tuple(bad))
    small = resize_nearest(checked, format.size)
    edges = _edges(instances, format.size) if labels.edges else None
    return pack(small, edges, classes=labels.classes), resize_pixels(photo, format.target_size)


def _misfits(
    item: Labelled, indices: Indices, photo: npt.NDArray[np.uint8] | Unreadable,
    instances: Indices | Unreadable | None, format: ImageFormat,
) -> list[OddFile]:  # fmt: skip
    found = []
    misfit = None if isinstance(photo, Unreadable) else format.misfit(indices.shape, photo.shape)
    if misfit is not None:
        found.append(OddFile(item.label, misfit))
    if isinstance(instances, np.ndarray) and instances.shape != indices.shape:
        reason = f"is {by(instances.shape)}, but its label map is {by(indices.shape)} (height x width)"
        assert item.instance is not None
        found.append(OddFile(item.instance, reason))
    return found


def _edges(instances: Indices | None, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """At the size that photos are loaded at, before any crop: the border of a crop is no edge."""
    if instances is None:
        return np.zeros(size, bool)
    return instance_edges(resize_nearest(instances, size))
