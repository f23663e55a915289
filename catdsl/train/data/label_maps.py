"""Label maps and instance maps: read as indices, resized by nearest, and the edges between instances."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from catdsl.train.data.pixels import Picture, Unreadable, decode

Indices = npt.NDArray[np.int64]
"""An index of each pixel, height x width."""

PackedLabels = npt.NDArray[np.unsignedinteger]
"""Height x width x 1 (labels) or 2 (and edges). The label `classes` stands for what is ignored."""

COMMON_IGNORED = (255, 65_535)
"""What data sets use for pixels without a class: the highest level of a file."""

_INDEXED = ("1", "L", "P")
_LOSSY = {"JPEG": "JPEG", "MPO": "JPEG", "JPEG2000": "JPEG 2000"}
_LOSSY_IN_TIFF = ("jpeg", "tiff_jpeg", "webp")
_SHOWN = 5


def read_indices(path: Path) -> Indices | Unreadable:
    """A label map: palette images give the index into the palette, grey ones (8 or 16 bit) their level."""
    picture = decode(path)
    if isinstance(picture, Unreadable):
        return picture
    lossy = _lossy(picture)
    if lossy is not None:
        return Unreadable(path, f"is a {lossy}, whose compression changes labels; PNG keeps them")
    if picture.stored.numbers == "float":
        return Unreadable(path, "has floating-point levels (mode F), and a label map has one index per pixel")
    if picture.image.mode not in _INDEXED and not picture.image.mode.startswith("I"):
        return Unreadable(path, f"has colours (mode {picture.image.mode}), and a label map has one index per pixel")
    return picture.levels().astype(np.int64)


def read_instances(path: Path) -> Indices | Unreadable:
    """An instance map as one number per pixel: colours, where it has them, are put together to one."""
    picture = decode(path)
    if isinstance(picture, Unreadable):
        return picture
    lossy = _lossy(picture)
    if lossy is not None:
        return Unreadable(path, f"is a {lossy}, whose compression changes numbers; PNG keeps them")
    if picture.stored.numbers == "float":
        return Unreadable(path, "has floating-point pixels, which number no instances")
    if picture.stored.deep and picture.channels > 1:
        bits = picture.stored.bits
        return Unreadable(path, f"has {bits}-bit colour, of which only the upper 8 bits are read; save it as grey")
    array = picture.levels().astype(np.int64)
    if array.ndim == 2:
        return array
    weights = 256 ** np.arange(array.shape[2], dtype=np.int64)
    return np.asarray(array @ weights, np.int64)


def checked_labels(indices_HW: Indices, *, classes: int, ignore: int | None) -> Indices | str:
    """The labels with `classes` in the place of `ignore`, or what is wrong with them."""
    blank = indices_HW == ignore if ignore is not None else np.zeros(indices_HW.shape, bool)
    beyond = np.unique(indices_HW[~blank & ((indices_HW < 0) | (indices_HW >= classes))])
    if not len(beyond):
        return np.where(blank, classes, indices_HW)
    held = ", ".join(map(str, beyond[:_SHOWN])) + (", ..." if len(beyond) > _SHOWN else "")
    return (
        f"holds label{'s' * (len(beyond) > 1)} {held}, and the generator takes 0 to {classes - 1}"
        "; set `ignore` in data { } to the label of pixels without a class, or raise the generator's classes"
    )


def instance_edges(instances_HW: Indices) -> npt.NDArray[np.bool_]:
    """Where a pixel's left, right, upper or lower neighbour is of another instance.

    As in pix2pixHD (Wang et al., CVPR 2018, section 3.3). The border of the map is no edge.
    """
    edges = np.zeros(instances_HW.shape, bool)
    across = instances_HW[:, 1:] != instances_HW[:, :-1]
    edges[:, 1:] |= across
    edges[:, :-1] |= across
    down = instances_HW[1:] != instances_HW[:-1]
    edges[1:] |= down
    edges[:-1] |= down
    return edges


def resize_nearest(indices_HW: Indices, size: tuple[int, int]) -> Indices:
    """Resized to `size` (height, width): each pixel takes the index that lies under its centre."""
    # In whole numbers, where a rounded quotient could fall on the neighbour.
    rows, columns = (
        (2 * np.arange(made) + 1) * there // (2 * made)
        for made, there in zip(size, indices_HW.shape, strict=True)
    )  # fmt: skip
    return indices_HW[rows[:, None], columns]


def pack(labels_HW: Indices, edges_HW: npt.NDArray[np.bool_] | None, *, classes: int) -> PackedLabels:
    """Checked labels, and edges where they are wanted, in the smallest numbers that hold them."""
    planes = [labels_HW] if edges_HW is None else [labels_HW, edges_HW]
    return np.stack(planes, axis=-1).astype(label_type(classes))


def label_type(classes: int) -> np.dtype[np.unsignedinteger]:
    """One number more than there are classes: the last stands for what is ignored."""
    return np.dtype(np.uint8) if classes <= np.iinfo(np.uint8).max else np.dtype(np.uint16)


def _lossy(picture: Picture) -> str | None:
    """What the file's compression is called, where it changes levels."""
    if picture.format == "TIFF" and picture.compression in _LOSSY_IN_TIFF:
        return f"TIFF with {picture.compression.removeprefix('tiff_').upper()} inside"
    return _LOSSY.get(picture.format)
