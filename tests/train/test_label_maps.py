"""Label maps by hand: what an index is, where an edge lies, what is one-hot, and what is refused."""

import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from catdsl.train.data.label_maps import (
    checked_labels,
    instance_edges,
    label_type,
    pack,
    read_indices,
    read_instances,
    resize_nearest,
)
from catdsl.train.data.one_hot import to_one_hot
from catdsl.train.data.pixels import Unreadable
from catdsl.train.data.sides import LabelMap, Side

MAP = np.array([[0, 1, 2], [3, 2, 1]])


def saved(folder, image, name="map.png", **options):
    image.save(folder / name, **options)
    return folder / name


@pytest.mark.parametrize("kind", ["L", "P", "I;16", "I", "1"])
def test_every_kind_of_index_file(tmp_path, kind):
    expected = MAP
    if kind == "1":
        expected = MAP % 2
        image = Image.fromarray(expected.astype(bool))
    elif kind in ("I;16", "I"):
        expected = MAP * 300
        image = Image.fromarray(expected.astype(np.uint16 if kind == "I;16" else np.int32))
    else:
        image = Image.fromarray(MAP.astype(np.uint8))
    if kind == "P":
        # Colours that are no order of the indices, as the palettes of Pascal VOC are.
        image.putpalette([250, 0, 0, 0, 250, 0, 0, 0, 250, 9, 9, 9])
        assert image.mode == "P"
    name = "map.tif" if kind == "I" else "map.png"
    assert np.array_equal(read_indices(saved(tmp_path, image, name)), expected)


@pytest.mark.parametrize(
    ("mode", "name", "reason"),
    [("RGB", "map.png", "has colours (mode RGB)"), ("RGBA", "map.png", "mode RGBA"), ("L", "map.jpg", "is a JPEG"),
     ("F", "map.tif", "mode F")],
)  # fmt: skip
def test_what_holds_no_indices(tmp_path, mode, name, reason):
    found = read_indices(saved(tmp_path, Image.new(mode, (4, 4)), name))
    assert isinstance(found, Unreadable)
    assert reason in found.reason


def test_a_damaged_map_is_a_value(tmp_path):
    (tmp_path / "a.png").write_text("no image")
    assert isinstance(read_indices(tmp_path / "a.png"), Unreadable)
    assert isinstance(read_instances(tmp_path / "absent.png"), Unreadable)


def test_instances_of_colour_differ_where_any_channel_does(tmp_path):
    colours = np.zeros((1, 4, 3), np.uint8)
    colours[0, 1, 0] = colours[0, 2, 1] = colours[0, 3, 2] = 7
    ids = read_instances(saved(tmp_path, Image.fromarray(colours)))
    assert len(set(ids.ravel().tolist())) == 4
    deep = Image.fromarray(np.array([[26_001, 26_002, 11]], np.uint16))
    assert read_instances(saved(tmp_path, deep, "deep.png")).tolist() == [[26_001, 26_002, 11]]


def test_labels_beyond_the_classes():
    assert "holds label 3, and the generator takes 0 to 2; set `ignore`" in checked_labels(MAP, classes=3, ignore=None)
    assert "holds labels 2, 3, and the generator takes 0 to 1" in checked_labels(MAP, classes=2, ignore=9)
    many = checked_labels(np.arange(20)[None], classes=5, ignore=7)
    assert "holds labels 5, 6, 8, 9, 10, ..., and" in many
    assert "holds label -1" in checked_labels(MAP - 1, classes=3, ignore=None)


def test_ignored_pixels_take_the_label_behind_the_last():
    assert checked_labels(MAP, classes=4, ignore=None).tolist() == MAP.tolist()
    assert checked_labels(MAP, classes=3, ignore=3).tolist() == [[0, 1, 2], [3, 2, 1]]
    assert checked_labels(MAP + 252 * (MAP == 3), classes=3, ignore=255).tolist() == [[0, 1, 2], [3, 2, 1]]
    assert checked_labels(MAP, classes=4, ignore=0).tolist() == [[4, 1, 2], [3, 2, 1]]


def test_edges_on_a_map_of_four_by_four():
    instances = np.array(
        [[1, 1, 1, 2],
         [1, 1, 1, 2],
         [1, 1, 1, 1],
         [3, 1, 1, 1]]
    )  # fmt: skip
    expected = [
        [0, 0, 1, 1],
        [0, 0, 1, 1],
        [1, 0, 0, 1],
        [1, 1, 0, 0],
    ]
    assert instance_edges(instances).astype(int).tolist() == expected
    assert not instance_edges(np.full((4, 4), 5)).any()
    mirrored = instance_edges(instances[:, ::-1])[:, ::-1]
    assert np.array_equal(mirrored, instance_edges(instances))


def test_nearest_takes_what_lies_under_the_centre():
    numbers = np.arange(6)[None].repeat(2, 0)
    assert resize_nearest(numbers, (2, 3))[0].tolist() == [1, 3, 5]
    assert resize_nearest(numbers, (2, 2))[0].tolist() == [1, 4]
    assert resize_nearest(numbers, (4, 12))[0].tolist() == np.arange(6).repeat(2).tolist()
    grid = np.random.default_rng(0).integers(0, 200, (37, 53))
    pillow = Image.fromarray(grid.astype(np.uint8)).resize((20, 70), Image.Resampling.NEAREST)
    assert np.array_equal(resize_nearest(grid, (70, 20)), np.asarray(pillow))


def test_one_hot_with_edges_and_what_is_ignored():
    edges = np.array([[1, 0, 0], [0, 0, 1]], bool)
    plain = to_one_hot(pack(MAP, None, classes=3), LabelMap(3, edges=False))
    assert plain.tolist() == [[[1, 0, 0], [0, 0, 0]], [[0, 1, 0], [0, 0, 1]], [[0, 0, 1], [0, 1, 0]]]
    edged = to_one_hot(pack(MAP, edges, classes=3), LabelMap(3, edges=True))
    assert edged.dtype == torch.float32
    assert torch.equal(edged[:3], plain)
    assert edged[3].tolist() == edges.astype(float).tolist()


@pytest.mark.parametrize(("classes", "type_"), [(1, np.uint8), (255, np.uint8), (256, np.uint16), (4096, np.uint16)])
def test_maps_stay_small(classes, type_):
    assert label_type(classes) == type_
    labels = np.array([[0, classes - 1, classes]])
    packed = pack(labels, None, classes=classes)
    assert (packed.dtype, packed[..., 0].tolist()) == (type_, labels.tolist())
    assert Side(classes, LabelMap(classes, edges=False)).bytes_per_pixel == packed.itemsize
    assert to_one_hot(packed, LabelMap(classes, edges=False)).sum((1, 2)).tolist()[-1] == 1 + (classes == 1)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_grey_maps_of_few_bits(tmp_path, bits):
    """Pillow spreads their levels over 8 bits."""
    rows = [[0, 1, 2 % 2**bits, 2**bits - 1], [1, 1, 0, 0]]
    _write_grey(tmp_path / "map.png", rows, bits)
    assert read_indices(tmp_path / "map.png").tolist() == rows


def _write_grey(path, rows, bits):
    """A grey PNG of any depth, which Pillow does not write."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    lines = ("".join(f"{level:0{bits}b}" for level in row) for row in rows)
    padded = (line.ljust(-(-len(line) // 8) * 8, "0") for line in lines)
    pixels = b"".join(b"\0" + int(line, 2).to_bytes(len(line) // 8, "big") for line in padded)
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), bits, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(pixels)), chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
