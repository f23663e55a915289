"""What comes of every form of file: pictures in 8 bits, labels, facts, or a reason."""

import struct

import numpy as np
import pytest
from PIL import Image

from catdsl.train.data.file_facts import file_facts
from catdsl.train.data.label_maps import read_indices, read_instances
from catdsl.train.data.pixels import Unreadable, read_pixels
from tests.train.pictures import chunk, png, tiff

U16 = np.array([0, 4095, 65_535], np.uint16)


def saved(path, image, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


def written(path, content):
    path.write_bytes(content)
    return path


def pgm(most, levels):
    return b"P5 %d 1 %d\n" % (len(levels), most) + np.array(levels, ">u2" if most > 255 else "u1").tobytes()


def rows(format, *levels):
    return b"\0" + struct.pack(format, *levels)


def spread(*levels):
    """12 bits each, packed."""
    bits = "".join(f"{level:012b}" for level in levels)
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


def lzw(path):
    Image.fromarray(U16[None]).save(path, "TIFF", compression="tiff_lzw")
    return path.read_bytes()


def jp2(path):
    Image.fromarray(U16[None]).save(path, "JPEG2000", irreversible=False)
    return path.read_bytes()


# What the file holds, how, the levels it is read with, and the 8 bits that come of it (or the reason it is refused).
FORMS = {
    "PNG": (png(3, 1, bits=16, colour=0, rows=rows(">3H", *U16)), None, [0, 16, 255]),
    "PNG of 12 bits": (png(3, 1, bits=16, colour=0, rows=rows(">3H", 0, 819, 4095)), (0, 4095), [0, 51, 255]),
    "PNG within levels": (png(2, 1, bits=16, colour=0, rows=rows(">2H", 100, 300)), (100, 300), [0, 255]),
    "PNG beyond levels": (
        png(2, 1, bits=16, colour=0, rows=rows(">2H", 7, 5000)), (0, 4095),
        "has levels from 7 to 5000, beyond levels = [0, 4095]; widen `levels` in data { }",
    ),
    "PNG below levels": (png(2, 1, bits=16, colour=0, rows=rows(">2H", 7, 50)), (10, 50), "has levels from 7 to 50"),
    "PNG with a transparent level": (
        png(2, 1, bits=16, colour=0, rows=rows(">2H", 7, 60_000), more=chunk(b"tRNS", b"\0\7")), None, [255, 233]
    ),
    "PNG of 2 bits with a transparent level": (
        png(4, 1, bits=2, colour=0, rows=b"\0\x1b", more=chunk(b"tRNS", b"\0\1")), None, [0, 255, 170, 255]
    ),
    "TIFF": (tiff(3, 1, U16.astype("<u2").tobytes(), bits=16), None, [0, 16, 255]),
    "TIFF, big-endian": (tiff(3, 1, U16.astype(">u2").tobytes(), bits=16, order=">"), None, [0, 16, 255]),
    "TIFF, LZW": (lzw, None, [0, 16, 255]),
    "TIFF, white is zero": (tiff(3, 1, U16.tobytes(), bits=16, photometric=0), None, [255, 239, 0]),
    "TIFF of 12 bits": (tiff(4, 1, spread(0, 4095, 2047, 1), bits=12), None, [0, 255, 127, 0]),
    "TIFF of 4 bits": (tiff(2, 1, b"\x1f", bits=4), None, [17, 255]),
    "TIFF, signed": (
        tiff(3, 1, struct.pack("<3h", -5, 0, 700), bits=16, numbers=2), None,
        "has 16-bit signed levels from -5 to 700, and nothing says which are black and white; set `levels` in "
        "data { }, for example levels = [-5, 700]",
    ),
    "TIFF, signed, with levels": (
        tiff(3, 1, struct.pack("<3h", -1000, 0, 1000), bits=16, numbers=2), (-1000, 1000), [0, 128, 255]
    ),
    "TIFF, signed, big-endian": (
        tiff(2, 1, struct.pack(">2h", -1000, 1000), bits=16, numbers=2, order=">"), (-1000, 1000), [0, 255]
    ),
    "TIFF, signed, of 8 bits": (tiff(2, 1, struct.pack("2b", -5, 90), numbers=2), None, "has 8-bit signed"),
    "TIFF of 32 bits": (
        tiff(2, 1, struct.pack("<2I", 5, 4_000_000_000), bits=32), None, "has 32-bit levels from 5 to 4000000000"
    ),
    "TIFF of 32 bits with levels": (
        tiff(2, 1, struct.pack("<2I", 0, 4_000_000_000), bits=32), (0, 4e9), [0, 255]
    ),
    "TIFF, floats": (
        tiff(2, 1, struct.pack("<2f", 0, 1), bits=32, numbers=3), None,
        "has 32-bit floating-point levels from 0 to 1, and nothing says which are black and white; set `levels` in "
        "data { }, for example levels = [0, 1]",
    ),
    "TIFF, floats, with levels": (
        tiff(3, 1, struct.pack("<3f", 0, 0.2, 1), bits=32, numbers=3), (0, 1), [0, 51, 255]
    ),
    "TIFF, floats beyond": (
        tiff(2, 1, struct.pack("<2f", -0.5, 1.5), bits=32, numbers=3), (0, 1), "has levels from -0.5 to 1.5, beyond"
    ),
    "TIFF, no number": (
        tiff(2, 1, struct.pack("<2f", 0, float("nan")), bits=32, numbers=3), (0, 1), "has levels that are no numbers"
    ),
    "TIFF, infinite": (
        tiff(2, 1, struct.pack("<2f", 0, float("-inf")), bits=32, numbers=3), None, "has levels that are no numbers"
    ),
    "TIFF, floats of 64 bits": (
        tiff(2, 1, struct.pack("<2d", 0, 1), bits=64, numbers=3), (0, 1),
        "is a TIFF of 1 channel with 64-bit floating-point levels, which is not read",
    ),
    "TIFF, floats in colour": (
        tiff(1, 1, struct.pack("<3f", 0, 1, 1), bits=32, numbers=3, channels=3, photometric=2), None,
        "is a TIFF of 3 channels with 32-bit floating-point levels, which is not read",
    ),
    "TIFF in Lab": (tiff(1, 1, b"abc", channels=3, photometric=8), None, "is in Lab colours, which are not read"),
    "PGM": (pgm(65_535, U16), None, [0, 16, 255]),
    "PGM of 12 bits that says so": (pgm(4095, [0, 819, 4095]), None, [0, 51, 255]),
    "PGM of 12 bits with levels": (pgm(4095, [0, 1000, 2000]), (0, 2000), [0, 128, 255]),
    "PGM of few levels": (pgm(15, [0, 3, 15]), None, [0, 51, 255]),
    "PFM": (b"Pf\n2 1\n-1.0\n" + struct.pack("<2f", 0.25, 1), None, "has 32-bit floating-point levels from 0.25 to 1"),
    "PFM with levels": (b"Pf\n2 1\n-1.0\n" + struct.pack("<2f", 0, 1), (0, 1), [0, 255]),
    "JPEG 2000": (jp2, None, [0, 16, 255]),
    "PNG of 16-bit colour": (png(2, 1, bits=16, colour=2, rows=rows(">6H", *[0] * 3, *[65_535] * 3)), None, [0, 255]),
    "PNG of 16-bit colour with levels": (
        png(2, 1, bits=16, colour=2, rows=rows(">6H", *[0] * 3, *[4095] * 3)), (0, 4095),
        "has 16-bit colour, of which only the upper 8 bits are read, so that levels = [0, 4095] cannot be told apart",
    ),
    "PNG of 16-bit colour, all levels": (
        png(2, 1, bits=16, colour=2, rows=rows(">6H", *[0] * 3, *[65_535] * 3)), (0, 65_535), [0, 255]
    ),
    "PNG of 16-bit grey with transparency": (
        png(2, 1, bits=16, colour=4, rows=rows(">4H", 40_000, 65_535, 40_000, 0)), None, [156, 255]
    ),
    "PNG of 16-bit colour with a transparent one": (
        png(1, 1, bits=16, colour=2, rows=rows(">3H", 9, 9, 9), more=chunk(b"tRNS", b"\0\7\0\7\0\7")), None,
        "has a transparent one among its colours of 16 bits",
    ),
    "levels mean nothing to 8 bits": (png(2, 1, bits=8, colour=0, rows=b"\0\x07\xff"), (0, 4095), [7, 255]),
}  # fmt: skip


class TestForms:
    @pytest.mark.parametrize("form", FORMS)
    def test_what_comes_of_it(self, tmp_path, form):
        content, levels, expected = FORMS[form]
        path = written(tmp_path / "a.png", content if isinstance(content, bytes) else content(tmp_path / "made"))
        found = read_pixels(path, 1, levels)
        if isinstance(expected, str):
            assert isinstance(found, Unreadable)
            assert found.reason.startswith(expected)
        else:
            assert found.ravel().tolist() == expected

    def test_all_sixteen_bit_levels_are_scaled_as_ever(self, tmp_path):
        levels = np.arange(65_536).astype(np.uint16).reshape(256, 256)
        path = saved(tmp_path / "a.png", Image.fromarray(levels))
        assert np.array_equal(read_pixels(path, 1)[..., 0], (levels.astype(int) + 128) // 257)

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_deep_pictures_are_turned_too(self, tmp_path, orientation):
        deep = np.arange(6, dtype=np.uint16).reshape(2, 3) * 257 * 40
        exif = Image.Exif()
        exif[0x0112] = orientation
        a = saved(tmp_path / "a.png", Image.fromarray(deep), exif=exif)
        b = saved(tmp_path / "b.png", Image.fromarray((deep // 257).astype(np.uint8)), exif=exif)
        assert np.array_equal(read_pixels(a, 1), read_pixels(b, 1))

    def test_facts(self, tmp_path):
        path = written(tmp_path / "a.tif", tiff(3, 1, struct.pack("<3h", -5, 0, 700), bits=16, numbers=2))
        facts = file_facts(path)
        assert (facts.used, facts.grey, facts.deep, facts.stored.usual) == ((-5, 700), True, True, None)
        first, second = Image.new("L", (4, 4)), Image.new("L", (4, 4), 9)
        several = saved(tmp_path / "b.gif", first, save_all=True, append_images=[second])
        assert file_facts(several).several
        assert file_facts(saved(tmp_path / "c.jpg", Image.new("CMYK", (4, 4)))).inks


class TestLabels:
    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (pgm(18, [0, 1, 17, 18]), [0, 1, 17, 18]),
            (pgm(4095, [0, 1, 2, 4095]), [0, 1, 2, 4095]),
            (b"P2 3 1 7\n0 1 7\n", [0, 1, 7]),
            (tiff(2, 1, b"\x1f", bits=4), [1, 15]),
            (tiff(2, 1, struct.pack("<2h", -1, 3), bits=16, numbers=2), [-1, 3]),
            (tiff(2, 1, struct.pack("<2I", 1, 2**32 - 1), bits=32), [1, 2**32 - 1]),
            (png(2, 1, bits=16, colour=0, rows=rows(">2H", 1, 26_001)), [1, 26_001]),
        ],
    )
    def test_indices_are_those_of_the_file(self, tmp_path, content, expected):
        path = written(tmp_path / "a.png", content)
        assert read_indices(path).ravel().tolist() == expected
        assert read_instances(path).ravel().tolist() == expected

    @pytest.mark.parametrize(
        ("name", "options"),
        [("a.jpg", {}), ("a.mpo", {"save_all": True, "append_images": [Image.new("L", (8, 8))]}), ("a.jp2", {}),
         ("a.tif", {"compression": "jpeg"})],
    )  # fmt: skip
    def test_lossy_files_hold_no_indices(self, tmp_path, name, options):
        path = saved(tmp_path / name, Image.new("L", (8, 8), 3), **options)
        for read in (read_indices, read_instances):
            assert "whose compression changes" in read(path).reason

    def test_instances_of_deep_colour(self, tmp_path):
        path = written(tmp_path / "a.png", png(1, 1, bits=16, colour=2, rows=rows(">3H", 1, 2, 3)))
        assert "of which only the upper 8 bits are read" in read_instances(path).reason
