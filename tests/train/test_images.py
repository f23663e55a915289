"""Image files of every kind become the same tensors; damaged ones become values."""

import numpy as np
import pytest
import torch
from PIL import Image

from catdsl.diagnostics import CatError
from catdsl.train.data.images import read_image, to_pixels, to_tensor, write_image
from catdsl.train.data.pixels import Unreadable, read_pixels, resize_pixels


def saved(tmp_path, image, name="image.png", **options):
    path = tmp_path / name
    image.save(path, **options)
    return path


def test_values_and_layout(tmp_path):
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[0, 2] = (255, 0, 51)
    image = read_image(saved(tmp_path, Image.fromarray(pixels)), 3)
    assert image.shape == (3, 2, 3)
    assert image.dtype == torch.float32
    assert image[:, 0, 2].tolist() == pytest.approx([1.0, -1.0, -0.6], abs=1e-6)
    assert image[:, 1, 0].tolist() == [-1.0, -1.0, -1.0]


def test_every_level_survives_the_round_trip(tmp_path):
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    write_image(tmp_path / "a.png", to_tensor(pixels))
    assert np.array_equal(read_pixels(tmp_path / "a.png", 1), pixels)
    assert np.array_equal(to_pixels(to_tensor(pixels)), pixels)


def test_grey_to_colour_and_back(tmp_path):
    path = saved(tmp_path, Image.fromarray(np.full((4, 4), 77, np.uint8)))
    assert (read_pixels(path, 3) == 77).all()
    assert read_pixels(path, 3).shape == (4, 4, 3)
    red = saved(tmp_path, Image.new("RGB", (4, 4), (255, 0, 0)))
    assert read_pixels(red, 1).shape == (4, 4, 1)
    assert read_pixels(red, 1)[0, 0, 0] == 76  # ITU-R 601 luma


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    levels = np.array([[0, 257, 128 * 257, 65535]], np.uint16)
    path = saved(tmp_path, Image.fromarray(levels))
    assert Image.open(path).mode == "I;16"
    assert read_pixels(path, 1)[0, :, 0].tolist() == [0, 1, 128, 255]


def test_palette(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putdata([1, 0])
    assert read_pixels(saved(tmp_path, image), 3).tolist() == [[[200, 100, 50], [10, 20, 30]]]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_lies_on_white(tmp_path, mode):
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 255))
    pixels = read_pixels(saved(tmp_path, image.convert(mode)), 3)
    assert pixels.tolist() == [[[255, 255, 255], [0, 0, 0]]]


def test_bilevel_and_cmyk(tmp_path):
    assert read_pixels(saved(tmp_path, Image.new("1", (2, 2), 1)), 1).tolist() == [[[255], [255]]] * 2
    cmyk = saved(tmp_path, Image.new("CMYK", (2, 2), (0, 255, 255, 0)), "a.tif")
    assert read_pixels(cmyk, 3)[0, 0].tolist() == [255, 0, 0]


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, :8] = 255
    path = saved(tmp_path, Image.fromarray(pixels), "a.jpg", exif=exif, quality=95)
    upright = read_pixels(path, 3)
    assert upright.shape == (16, 8, 3)
    assert upright[:6].mean() > 240
    assert upright[10:].mean() < 15


def test_resizing_is_pillows_bicubic(tmp_path):
    numbers = np.random.default_rng(0)
    pixels = numbers.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(pixels).resize((24, 16), Image.Resampling.BICUBIC))
    assert np.array_equal(resize_pixels(pixels, (16, 24)), expected)
    path = saved(tmp_path, Image.fromarray(pixels))
    assert torch.equal(read_image(path, 3, size=(16, 24)), to_tensor(expected))
    assert resize_pixels(pixels[..., :1], (16, 24)).shape == (16, 24, 1)


def broken(tmp_path, kind):
    path = tmp_path / "bad.png"
    numbers = np.random.default_rng(0)
    whole = saved(tmp_path, Image.fromarray(numbers.integers(0, 256, (64, 64, 3), dtype=np.uint8)), "whole.png")
    content = {
        "text": b"this is no image",
        "empty": b"",
        "torn": whole.read_bytes()[:3000],
        "flipped": whole.read_bytes()[:200] + b"\0" * 200 + whole.read_bytes()[400:],
    }
    path.write_bytes(content[kind])
    return path


@pytest.mark.parametrize("kind", ["text", "empty", "torn", "flipped"])
def test_damage_is_a_value(tmp_path, kind):
    path = broken(tmp_path, kind)
    found = read_image(path, 3)
    assert isinstance(found, Unreadable)
    assert found.path == path
    assert found.reason


def test_a_missing_file_and_floating_points_are_values_too(tmp_path):
    assert isinstance(read_image(tmp_path / "none.png", 3), Unreadable)
    path = saved(tmp_path, Image.fromarray(np.zeros((2, 2), np.float32)), "a.tif")
    assert "floating-point" in read_image(path, 3).reason


def test_a_batch_is_written_side_by_side(tmp_path):
    batch = torch.stack((torch.full((3, 4, 5), -1.0), torch.full((3, 4, 5), 7.0)))
    write_image(tmp_path / "new folder" / "a.png", batch)
    pixels = read_pixels(tmp_path / "new folder" / "a.png", 3)
    assert pixels.shape == (4, 10, 3)
    assert (pixels[:, :5] == 0).all()
    assert (pixels[:, 5:] == 255).all()


def test_what_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CatError, match=r"E608"):
        write_image(tmp_path / "file" / "a.png", torch.zeros(3, 2, 2))
    with pytest.raises(CatError, match=r"E607.*2 channels"):
        write_image(tmp_path / "a.png", torch.zeros(2, 2, 2))


def test_grey_of_32_bits(tmp_path):
    Image.fromarray(np.array([[0, 100_000]], np.int32)).save(tmp_path / "deep.tif")
    found = read_pixels(tmp_path / "deep.tif", 1)
    assert isinstance(found, Unreadable)
    assert "32-bit signed levels from 0 to 100000" in found.reason
    assert read_pixels(tmp_path / "deep.tif", 1, (0, 200_000)).ravel().tolist() == [0, 128]
