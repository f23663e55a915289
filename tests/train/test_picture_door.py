"""What comes through the door for pictures: which formats, how much, and from which kinds of files."""

import errno
import io
import os
import socket
import stat
import struct
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from catdsl.train.data.file_facts import file_facts
from catdsl.train.data.label_maps import read_indices, read_instances
from catdsl.train.data.pixels import FORMATS, Unreadable, decode, read_pixels, stored_levels
from tests.train.pictures import chunk, overlapping_tags, png, tiff, zeros

READERS = {
    "pixels": lambda path: read_pixels(path, 3),
    "facts": file_facts,
    "indices": read_indices,
    "instances": read_instances,
    "header": stored_levels,
}


def noise(mode="L", size=(40, 30)):
    levels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(levels).convert(mode)


class TestFormats:
    @pytest.mark.parametrize("format", FORMATS)
    def test_each_that_is_read(self, tmp_path, format):
        Image.init()
        if format not in Image.SAVE:
            pytest.skip(f"this Pillow cannot write {format}")
        noise("RGB").save(tmp_path / "a.png", format)
        assert decode(tmp_path / "a.png").format == format

    @pytest.mark.parametrize("format", ["EPS", "PDF", "ICO", "TGA", "IM", "SGI", "PCX", "DDS", "MSP"])
    def test_no_other(self, tmp_path, format):
        image = noise("1" if format == "MSP" else "RGB", size=(64, 64))
        image.save(tmp_path / "a.png", format)
        assert "is no picture of a format that is read (PNG, JPEG," in decode(tmp_path / "a.png").reason

    @pytest.mark.parametrize("read", READERS.values(), ids=READERS)
    def test_no_program_is_started(self, tmp_path, monkeypatch, read):
        """An EPS makes Pillow start Ghostscript; here one that leaves a file, to see that it was started."""
        started = tmp_path / "started"
        program = tmp_path / "bin" / "gs"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\necho >> {started}\nexit 1\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)
        path = tmp_path / "a.png"
        noise("RGB").save(path, "EPS")
        assert isinstance(read(path), Unreadable)
        assert not started.exists()
        with Image.open(path) as image, pytest.raises((OSError, subprocess.CalledProcessError)):
            image.load()
        assert started.exists(), "the trap itself does not work"

    def test_every_opening_names_its_formats(self):
        """Nothing but the door opens picture files, and what the door and exported files open is listed."""
        calls = [
            (path.name, line.strip())
            for folder in ("catdsl", "benchmarks")
            for path in Path(folder).rglob("*.py")
            for line in path.read_text().splitlines()
            if "Image.open(" in line
        ]
        assert {name for name, _ in calls} == {"pixels.py", "program.py"}
        assert all("formats=" in line for _, line in calls)


def gif(comment=0, frames=1):
    stream = io.BytesIO()
    first, *others = (Image.new("P", (300, 300), i % 3) for i in range(frames))
    first.save(stream, "GIF", save_all=frames > 1, append_images=others)
    whole = stream.getvalue()
    place = whole.index(b",\0\0\0\0")
    blocks = b"!\xfe" + (b"\xff" + b"x" * 255) * (comment // 255) + b"\0" if comment else b""
    return whole[:place] + blocks + whole[place:]


def jpeg(marker, start, payload):
    """A JPEG that carries a segment."""
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "JPEG")
    whole, carried = stream.getvalue(), start + payload
    return whole[:2] + marker + struct.pack(">H", len(carried) + 2) + carried + whole[2:]


def webp():
    """A large canvas with one small frame."""
    stream = io.BytesIO()
    Image.new("RGB", (64, 64)).save(stream, "WEBP")
    image = stream.getvalue()[12:]
    side = struct.pack("<I", 16_383)[:3]
    frame = bytes(6) + struct.pack("<I", 63)[:3] * 2 + bytes(4) + image
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + side * 2 + b"ANIM" + struct.pack("<I", 6) + bytes(6)
    body += b"ANMF" + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def with_chunks(name, content, times=1):
    return png(4, 4, bits=8, colour=0, rows=bytes(20), more=chunk(name, content) * times)


SMALL = struct.pack("<HH", 300, 300)
PIXELS = "more than the limit of 50,000,000 pixels; raise it with `--limit pixels="
BOMBS = {
    "a PNG of 13000 x 13000": (lambda: png(13_000, 13_000, bits=8, colour=2, rows=zeros(2**29)), PIXELS),
    "a PNG with more data than pixels": (lambda: png(4, 4, bits=8, colour=0, rows=zeros(2**29)), None),
    "a long text in a PNG": (lambda: with_chunks(b"zTXt", b"a\0\0" + zeros(2**29)), "cannot be decoded"),
    "many texts in a PNG": (lambda: with_chunks(b"zTXt", b"a\0\0" + zeros(10**6), 3000), "cannot be decoded"),
    "a colour profile in a PNG": (lambda: with_chunks(b"iCCP", b"a\0\0" + zeros(2**29)), "cannot be decoded"),
    "a GIF of 9000 x 9000": (lambda: gif().replace(SMALL, struct.pack("<HH", 9000, 9000)), PIXELS),
    "a comment in a GIF": (lambda: gif(comment=10**7), None),
    "many frames in a GIF": (lambda: gif(frames=300), None),
    "a WebP of 16384 x 16384": (webp, PIXELS),
    "a tile in a TIFF": (lambda: tiff(10, 10, zeros(2**29), tile=(2**15, 2**14), packed=True), PIXELS),
    "a strip in a TIFF": (lambda: tiff(2**15, 2**14, zeros(2**29), packed=True), PIXELS),
    "tags of a TIFF": (lambda: overlapping_tags(30_000, 900_000), "begins like TIFF, and its header is damaged"),
    "EXIF of a JPEG": (lambda: jpeg(b"\xff\xe1", b"Exif\0\0", overlapping_tags(3000, 25_000)), None),
    "pictures in a JPEG": (lambda: jpeg(b"\xff\xe2", b"MPF\0", overlapping_tags(3000, 25_000)), None),
}  # fmt: skip


class TestBombs:
    @pytest.mark.parametrize("name", BOMBS)
    def test_time_and_memory(self, tmp_path, name):
        """In a process of its own, whose peak is that of the picture and of all that is loaded."""
        make, refused = BOMBS[name]
        (tmp_path / "a.png").write_bytes(make())
        told = subprocess.run(
            [sys.executable, "-c", _MEASURE, tmp_path / "a.png"], capture_output=True, text=True, check=True, timeout=60
        )
        seconds, peak, reason = told.stdout.split(maxsplit=2)
        assert told.stderr == ""
        assert float(seconds) < 5
        assert float(peak) < 600e6
        assert (refused or "read") in reason

    def test_a_large_picture_is_refused_at_once(self, tmp_path, monkeypatch):
        """By its header: nothing is decoded."""
        monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("decoded"))
        (tmp_path / "a.png").write_bytes(png(13_000, 13_000, bits=8, colour=2, rows=b""))
        assert read_pixels(tmp_path / "a.png", 3) == Unreadable(
            tmp_path / "a.png",
            "is 13000 x 13000 (width x height), more than the limit of 50,000,000 pixels; raise it with "
            "`--limit pixels=169000000`",
        )


_MEASURE = r"""
import re, sys, time
from pathlib import Path
from catdsl.train.data.pixels import Unreadable, read_pixels
start = time.monotonic()
found = read_pixels(Path(sys.argv[1]), 3)
# Not from getrusage, which counts what the parent had before this program was loaded.
peak = re.search(r"VmHWM:\s+(\d+) kB", open("/proc/self/status").read())
print(time.monotonic() - start, int(peak[1]) * 1024,
      found.reason if isinstance(found, Unreadable) else "read")
"""


class TestLimits:
    def test_the_limit_on_pixels_is_an_option(self, tmp_path, monkeypatch):
        noise().save(tmp_path / "a.png")
        for most, read in ((1199, False), (1200, True)):
            monkeypatch.setenv("CATDSL_LIMITS", f"pixels={most}")
            assert isinstance(decode(tmp_path / "a.png"), Unreadable) is not read

    def test_pillows_own_limit_does_not_count(self, tmp_path, monkeypatch):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
        noise().save(tmp_path / "a.png")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert not isinstance(read_pixels(tmp_path / "a.png", 1), Unreadable)
        assert Image.MAX_IMAGE_PIXELS == 500

    def test_the_limit_on_bytes(self, tmp_path, monkeypatch):
        noise().save(tmp_path / "a.png")
        size = (tmp_path / "a.png").stat().st_size
        monkeypatch.setenv("CATDSL_LIMITS", "picture=100")
        assert decode(tmp_path / "a.png").reason == (
            f"has {size:,} bytes, more than the limit of 100 bytes; raise it with `--limit picture={size}`"
        )


def _pipe(path):
    os.mkfifo(path)


def _socket(path):
    place = os.getcwd()
    os.chdir(path.parent)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)
    os.chdir(place)


NO_FILES = {
    "a pipe": (_pipe, "is a pipe, which is not read"),
    "a socket": (_socket, "is a socket, which is not read"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "is a device, which is not read"),
    "a folder": (lambda path: path.mkdir(), "is a folder, not a file"),
    "nothing": (lambda path: None, "cannot be read: it does not exist"),
    "a dangling link": (lambda path: path.symlink_to("nowhere"), "is a link to a file that does not exist"),
    "a circle of links": (lambda path: path.symlink_to(path.name), "cannot be read: its links lead in a circle"),
    "an empty file": (lambda path: path.touch(), "is empty"),
    "text": (lambda path: path.write_text("no image"), "is no picture of a format that is read"),
    "text with a name of control characters": (lambda path: path.write_text("\x1b[2J"), "is no picture of a format"),
}


class TestFiles:
    @pytest.mark.parametrize("read", READERS.values(), ids=READERS)
    @pytest.mark.parametrize("kind", NO_FILES)
    def test_what_is_no_picture(self, tmp_path, kind, read):
        make, reason = NO_FILES[kind]
        make(tmp_path / "a.png")
        found = read(tmp_path / "a.png")
        assert isinstance(found, Unreadable)
        assert found.reason.startswith(reason)

    @pytest.mark.parametrize(
        ("number", "reason"),
        [(errno.EMFILE, "too many files are open; raise the limit with `ulimit -n`"),
         (errno.EACCES, "there is no permission to read it"), (errno.EIO, "Input/output error")],
    )  # fmt: skip
    def test_what_the_system_says(self, tmp_path, monkeypatch, number, reason):
        noise().save(tmp_path / "a.png")

        def fail(*_):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "open", fail)
        assert read_pixels(tmp_path / "a.png", 1).reason == f"cannot be read: {reason}"

    def test_too_many_open_files(self, tmp_path):
        """For true."""
        noise().save(tmp_path / "a.tif", compression="tiff_lzw")
        told = subprocess.run(
            [sys.executable, "-c", _FEW_FILES, tmp_path / "a.tif"], capture_output=True, text=True, check=True
        )
        assert told.stdout == "cannot be read: too many files are open; raise the limit with `ulimit -n`\n"

    @pytest.mark.parametrize("mode", [0o000])
    def test_no_permission(self, tmp_path, mode):
        path = tmp_path / "a.png"
        noise().save(path)
        path.chmod(mode)
        if os.access(path, os.R_OK):
            pytest.skip("this user may read everything")
        assert read_pixels(path, 1).reason == "cannot be read: there is no permission to read it"
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)

    def test_out_of_memory(self, tmp_path, monkeypatch):
        def fail(*_):
            raise MemoryError

        noise().save(tmp_path / "a.png")
        monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", fail)
        assert read_pixels(tmp_path / "a.png", 1).reason == "needs more memory than there is"

    @pytest.mark.parametrize("format", FORMATS)
    @pytest.mark.parametrize("kept", [0.03, 0.5, 0.9])
    def test_truncated(self, tmp_path, format, kept):
        if format not in Image.SAVE:
            pytest.skip(f"this Pillow cannot write {format}")
        noise("RGB").save(tmp_path / "whole", format)
        whole = (tmp_path / "whole").read_bytes()
        (tmp_path / "a.png").write_bytes(whole[: int(kept * len(whole))])
        assert isinstance(read_pixels(tmp_path / "a.png", 3), Unreadable)
        assert isinstance(file_facts(tmp_path / "a.png"), Unreadable)

    @pytest.mark.parametrize("size", [(0, 4), (4, 0), (0, 0)])
    def test_no_pixels_at_all(self, tmp_path, size):
        (tmp_path / "a.png").write_bytes(png(*size, bits=8, colour=0, rows=b"\0"))
        (tmp_path / "a.tif").write_bytes(tiff(*size, b""))
        (tmp_path / "a.pgm").write_bytes(b"P5 %d %d 255\n" % size)
        for path in sorted(tmp_path.iterdir()):
            assert isinstance(read_pixels(path, 1), Unreadable), path
            assert isinstance(file_facts(path), Unreadable), path

    @pytest.mark.parametrize("format", FORMATS)
    def test_damaged_anywhere(self, tmp_path, format):
        """Whatever Pillow makes of it, a picture or a reason comes of it, and no other error."""
        if format not in Image.SAVE:
            pytest.skip(f"this Pillow cannot write {format}")
        numbers = np.random.default_rng(0)
        noise("RGB", size=(16, 12)).save(tmp_path / "whole", format)
        whole = np.frombuffer((tmp_path / "whole").read_bytes(), np.uint8)
        for _ in range(60):
            torn = whole.copy()
            places = numbers.integers(0, min(len(torn), 200), 3)
            torn[places] = numbers.integers(0, 256, 3)
            (tmp_path / "a.png").write_bytes(torn.tobytes())
            for read in READERS.values():
                read(tmp_path / "a.png")


_FEW_FILES = """
import os, resource, sys
from pathlib import Path
from catdsl.train.data.pixels import Unreadable, read_pixels
path = Path(sys.argv[1])
assert not isinstance(read_pixels(path, 1), Unreadable)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = []
try:
    while True:
        held.append(os.open(path, os.O_RDONLY))
except OSError:
    pass
reason = read_pixels(path, 1).reason
for handle in held:
    os.close(handle)
assert not isinstance(read_pixels(path, 1), Unreadable)
print(reason)
"""
