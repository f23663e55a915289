"""Time and peak memory of the command line on small files that ask for a lot: `python -m benchmarks.bombs`.

Each is made by code in a temporary folder and given to a process of its own. All are refused, most of
them before anything is unpacked. `tests/hostile/test_bombs.py` holds the memory to its bound.
"""

import io
import os
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MOST_MEMORY = 600 * 10**6
"""Bytes of a whole process."""

_TINY = """
generator tiny {
    input photo: image(3, 16, 16)
    stem = photo -> conv(8, 3) -> norm -> relu
    output stem -> conv(3, 3) -> tanh
}
"""


@dataclass(frozen=True, slots=True)
class Bomb:
    """A file that `make` puts into a folder, and the command that is given it."""

    make: Callable[[Path], None]
    words: tuple[str, ...]
    code: int = 1


@dataclass(frozen=True, slots=True)
class Taken:
    """What a command has taken, and what it said last."""

    seconds: float
    memory: int
    code: int
    said: str


def _arrays(folder: Path) -> None:
    """5.5 GB of zeros in 5 MB."""
    with (
        zipfile.ZipFile(folder / "s.npz", "w", zipfile.ZIP_DEFLATED) as made,
        made.open("stem.norm0.npy", "w", force_zip64=True) as entry,
    ):
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "<f4", "fortran_order": False, "shape": (1_375_000_000,)}
        )
        entry.write(header.getvalue())
        zeros = bytes(10_000_000)
        for _ in range(550):
            entry.write(zeros)


def _picture(side: int) -> Callable[[Path], None]:
    """A black PNG of `side` x `side`, written without its pixels ever being in memory."""

    def make(folder: Path) -> None:
        def chunk(kind: bytes, data: bytes) -> bytes:
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        packed = zlib.compressobj(9)
        line = bytes(1 + 3 * side)
        body = b"".join(packed.compress(line) for _ in range(side)) + packed.flush()
        start = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        parts = (chunk(b"IHDR", start), chunk(b"IDAT", body), chunk(b"IEND", b""))
        (folder / "photos").mkdir(exist_ok=True)
        (folder / "photos" / "p.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))

    return make


def _pickled(folder: Path) -> None:
    """A checkpoint whose one name has 200,000 parts."""
    import torch

    torch.save(
        {".".join("a" * 200_000): torch.zeros(1), **{f"b{i}": torch.zeros(1) for i in range(100)}}, folder / "w.pth"
    )


def _unpacked(folder: Path) -> None:
    """A checkpoint of 2 GB in 2 MB."""
    import torch

    torch.save({"a": torch.zeros(1000)}, folder / "plain.pth")
    with (
        zipfile.ZipFile(folder / "plain.pth") as plain,
        zipfile.ZipFile(folder / "w.pth", "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for entry in plain.infolist():
            if "/data/" not in entry.filename:
                made.writestr(entry.filename, plain.read(entry))
                continue
            with made.open(entry.filename, "w", force_zip64=True) as stream:
                for _ in range(2000):
                    stream.write(bytes(1_000_000))


def _large(name: str) -> Callable[[Path], None]:
    """100 GB by its size, and nothing on the disk."""

    def make(folder: Path) -> None:
        with (folder / name).open("wb") as stream:
            stream.truncate(100 * 10**9)

    return make


def _text(name: str, text: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / name).write_text(text)

    return make


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")


BOMBS: dict[str, Bomb] = {
    "arrays (.npz)": Bomb(_arrays, ("plan", "tiny.cat", "--budget", "40%", "--scores", "s.npz", "-o", "s.cat")),
    "a picture of 13,000 x 13,000": Bomb(
        _picture(13_000), ("translate", "tiny.cat", "photos/p.png", "--weights", "w.safetensors", "-o", "out")
    ),
    "the same, as data": Bomb(_picture(13_000), ("data", "check", "photos")),
    "names of a checkpoint": Bomb(_pickled, ("import-weights", "tiny.cat", "w.pth", "-o", "o.safetensors")),
    "a checkpoint unpacked": Bomb(_unpacked, ("import-weights", "tiny.cat", "w.pth", "-o", "o.safetensors")),
    "weights of 100 GB": Bomb(
        _large("v.safetensors"), ("translate", "tiny.cat", "w.png", "--weights", "v.safetensors", "-o", "out")
    ),
    "operator times of 100 GB": Bomb(
        _large("t.json"), ("plan", "tiny.cat", "--budget", "latency=50%", "--times", "t.json", "-o", "s.cat")
    ),
    "operator times nested deep": Bomb(
        _text("t.json", "[" * 10_000_000),
        ("plan", "tiny.cat", "--budget", "latency=50%", "--times", "t.json", "-o", "s.cat"),
    ),
    "a spec nested deep": Bomb(
        _text("deep.cat", "generator g { output " + "(" * 400_000 + ")" * 400_000 + " }"), ("check", "deep.cat")
    ),
    "a spec of 100 GB": Bomb(_large("large.cat"), ("check", "large.cat")),
    "a student of a device": Bomb(_text("s.cat", 'student of "/dev/zero" { widths { a = 1 } }'), ("check", "s.cat")),
    "a pipe": Bomb(_pipe, ("translate", "tiny.cat", "pipe.png", "--weights", "w.safetensors", "-o", "out")),
}


def prepared(folder: Path) -> None:
    """What the commands need beside a bomb: a spec, and weights of it."""
    import catdsl
    from catdsl.backend.weights import save_weights
    from catdsl.ir.identity import owner_of

    (folder / "tiny.cat").write_text(_TINY)
    project = catdsl.load(folder / "tiny.cat")
    save_weights(project.teacher(), folder / "w.safetensors", {}, owner_of(project.graph))


_RUN = """
import re, sys
from catdsl.cli import program
try:
    program()
finally:
    # Not from getrusage, which counts what the parent had before this program was loaded.
    peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
    with open("peak", "w") as file:
        file.write(peak[1])
"""


def measured(bomb: Bomb, folder: Path, *, most_seconds: float = 120) -> Taken:
    """Run its command in a process of its own; `folder` is prepared, and empty otherwise."""
    bomb.make(folder)
    began = time.perf_counter()
    try:
        done = subprocess.run(
            [sys.executable, "-c", _RUN, *bomb.words], cwd=folder, capture_output=True, timeout=most_seconds,
            check=False, env={**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Taken(most_seconds, 0, -9, "did not end")
    seconds = time.perf_counter() - began
    lines = done.stderr.decode("utf-8", "replace").splitlines()
    peak = folder / "peak"
    memory = int(peak.read_text()) * 1024 if peak.exists() else 0
    return Taken(seconds, memory, done.returncode, next((line for line in lines if line.startswith("error")), ""))


def main() -> None:
    print(f"{'what':<32}{'seconds':>9}{'memory':>10}  code  said")
    for name, bomb in BOMBS.items():
        with tempfile.TemporaryDirectory() as folder:
            prepared(Path(folder))
            taken = measured(bomb, Path(folder))
        print(f"{name:<32}{taken.seconds:>9.2f}{taken.memory / 1e6:>7.0f} MB{taken.code:>6}  {taken.said[:110]}")


if __name__ == "__main__":
    main()
