"""Picture files made byte by byte: forms that Pillow reads and does not write, and files that are bombs."""

import functools
import struct
import zlib

TIFF_START = {"<": b"II*\0", ">": b"MM\0*"}


def chunk(name, content):
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width, height, *, bits, colour, rows, more=b""):
    """A PNG of any depth; `rows` are bytes with the filter of each row before it, or packed already."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    packed = rows if rows[:1] == b"\x78" else zlib.compress(rows)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + more + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )  # fmt: skip


@functools.cache
def zeros(count):
    """So many zero bytes, packed, without holding them."""
    packer, step = zlib.compressobj(1), 10**6
    parts = [packer.compress(bytes(min(step, count - done))) for done in range(0, count, step)]
    return b"".join(parts) + packer.flush()


def tiff(width, height, pixels, *, bits=8, numbers=1, photometric=1, channels=1, order="<", tile=None, packed=False):
    """A TIFF of one strip, or of one tile of that width and height."""
    place = ((324, 4, [0]), (325, 4, [len(pixels)])) if tile else ((273, 4, [0]), (279, 4, [len(pixels)]))
    tags = [
        (256, 4, [width]), (257, 4, [height]), (258, 3, [bits] * channels), (259, 3, [8 if packed else 1]),
        (262, 3, [photometric]), (277, 3, [channels]), *place, (339, 3, [numbers] * channels),
        *(((322, 4, [tile[0]]), (323, 4, [tile[1]])) if tile else ((278, 4, [height]),)),
    ]  # fmt: skip
    tags.sort()
    after = 8 + 2 + 12 * len(tags) + 4

    def laid_out(start):
        entries, values = b"", b""
        for tag, kind, numbers_ in tags:
            given = [start] if tag in (273, 324) else numbers_
            raw = struct.pack(f"{order}{len(given)}{'HI'[kind == 4]}", *given)
            field = raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack(f"{order}I", after + len(values))
            values += raw if len(raw) > 4 else b""
            entries += struct.pack(f"{order}HHI", tag, kind, len(given)) + field
        return entries, values

    _, values = laid_out(0)
    entries, values = laid_out(after + len(values))
    count = struct.pack(f"{order}H", len(tags))
    return TIFF_START[order] + struct.pack(f"{order}I", 8) + count + entries + bytes(4) + values + pixels


def overlapping_tags(count, size):
    """A list of TIFF tags that all take the same `size` bytes."""
    start = 8 + 2 + 12 * count + 4
    entries = b"".join(struct.pack("<HHII", 1000 + i, 1, size, start) for i in range(count))
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", count) + entries + bytes(4) + b"x" * size
