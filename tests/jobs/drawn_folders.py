"""Data folders drawn at random: every kind and layout, labels of every sort, and damages."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tests.train.pictures import png

SIZES = ((16, 16), (24, 32), (17, 23), (20, 41), (12, 48))

LEVELS: dict[str, Callable[[np.random.Generator], tuple[tuple[int, ...], type]]] = {
    "dense": lambda numbers: (tuple(range(int(numbers.integers(1, 9)))), np.uint8),
    "one": lambda numbers: (tuple(range(1, int(numbers.integers(3, 9)))), np.uint8),
    "mask": lambda _: ((0, 255), np.uint8),
    "spread": lambda _: ((0, 127, 255), np.uint8),
    "void": lambda numbers: ((*range(int(numbers.integers(1, 5))), 255), np.uint8),
    "one and void": lambda _: ((1, 2, 3, 255), np.uint8),
    "white": lambda _: ((255,), np.uint8),
    "minus": lambda _: ((-1, 0, 1, 2), np.int32),
    "minus and void": lambda _: ((-1, 0, 1, 255), np.int32),
    "below": lambda _: ((-7, -3, 0, 4), np.int32),
    "gaps": lambda _: ((0, 1, 3, 4, 7), np.uint8),
    "from two": lambda _: ((2, 3, 4), np.uint8),
    "16 bit": lambda numbers: (tuple(range(int(numbers.integers(257, 400)))), np.uint16),
    "16 bit void": lambda _: ((0, 1, 2, 65_535), np.uint16),
    "16 bit spread": lambda _: ((0, 20_000, 65_535), np.uint16),
    "instances": lambda numbers: (tuple(sorted(map(int, numbers.integers(5000, 65_000, 300)))), np.uint16),
    "palette": lambda _: ((0, 1, 2, 5), np.uint8),
    "bits": lambda _: ((0, 1), np.bool_),
    "colours": lambda _: ((0, 1, 2), np.uint8),
    "jpeg": lambda _: ((0, 1, 2), np.uint8),
    "floats": lambda _: ((0, 1, 2), np.float32),
}
UNREADABLE = ("colours", "jpeg", "floats", "instances")
HARMLESS = ("none", "note", "depth", "hidden", "case")


def _of_bits(bits: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda pixels: (pixels[..., 0].astype(np.int64) * (2**bits - 1) // 255).astype(np.uint16)


FEW_BITS = {f"{bits} of 16 bits": _of_bits(bits) for bits in (9, 10, 12, 14)}
DEPTHS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "8 bits": lambda pixels: pixels,
    **FEW_BITS,
    "16 bits": _of_bits(16),
    "signed": lambda pixels: pixels[..., 0].astype(np.int32) * 9 - 1000,
    "floats": lambda pixels: pixels[..., 0].astype(np.float32) / 255,
    "dark colour": lambda pixels: pixels.astype(np.uint16) * 16,
    "16-bit colour": lambda pixels: pixels.astype(np.uint16) * 257,
}
# Beside files of another depth on the same side.
BESIDE = ("8 bits", "16 bits", "16-bit colour")
DAMAGES = ("none", "none", "none", "text", "lonely", "dangling", "note", "depth", "other size", "case", "hidden")


@dataclass(frozen=True)
class Drawn:
    """Words for what was drawn, and whether there is nothing wrong with it."""

    words: str
    sound: bool


def draw_folder(root: Path, seed: int) -> Drawn:
    """Fill `root` with a data set."""
    numbers = np.random.default_rng(seed)
    kind = ("labels", "labels", "labels", "two", "joined", "endings", "unpaired", "plain")[numbers.integers(8)]
    count = int(numbers.choice((1, 2, 3, 5)))
    size = SIZES[numbers.integers(len(SIZES))]
    inside = ("", "", "", "set")[numbers.integers(4)]
    split = ("", "train", "Train")[numbers.integers(3)]
    said = [kind, f"{count} of {size}", inside, split]
    splits = [split, *(["val"] if split and numbers.random() < 0.3 else [])]
    drawn: list[Path] = []
    levels = list(LEVELS)[numbers.integers(len(LEVELS))]
    other, instances = (
        numbers.choice(("same", "same", "same", "half", "odd")),
        numbers.choice(("no", "no", "all", "some")),
    )
    times = int(numbers.choice((1, 1, 1, 2, 3)))
    depths = [_depths(numbers) for _ in range(2)]
    for place in (root / inside / name for name in splits):
        if kind == "labels":
            said += [levels, f"labels {other}", f"instances {instances}", *depths[0]]
            drawn += _labels(place, numbers, count, size, levels, other, instances, depths[0])
        else:
            said += [f"times {times}", *depths[0], *depths[1]]
            drawn += _images(place, numbers, kind, count, size, times, depths)
    damage = DAMAGES[numbers.integers(len(DAMAGES))]
    _damage(damage, drawn[numbers.integers(len(drawn))], root, numbers)
    # Images right in a folder of the data folder may be anything.
    sound = damage in HARMLESS and kind != "plain" and times <= 2 and not (kind == "joined" and inside and not split)
    sides = depths[:1] if kind in ("labels", "joined", "plain") else depths
    sound = sound and all(can_be_read({of_files[i % 2] for i in range(count)}) for of_files in sides)
    if kind == "labels":
        sound = sound and levels not in UNREADABLE and other == "same" and instances != "some"
    return Drawn(", ".join([*filter(None, said), damage]), sound)


def _depths(numbers: np.random.Generator) -> tuple[str, str]:
    """Of the files of one side, in turn: mostly of one depth."""
    first = str(numbers.choice(("8 bits", "8 bits", *DEPTHS)))
    return first, str(numbers.choice((first, first, first, *BESIDE)))


def can_be_read(depths: set[str]) -> bool:
    """Whether a side's files can be read: deep colour cannot where it is dark, or beside grey that needs levels."""
    dark = "dark colour" in depths and "16-bit colour" not in depths
    need = bool(depths & {"signed", "floats"}) or (bool(depths & FEW_BITS.keys()) and "16 bits" not in depths)
    return not dark and not (need and depths & {"dark colour", "16-bit colour"})


def _scene(numbers: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    rows, columns = np.meshgrid(np.arange(size[0]), np.arange(size[1]), indexing="ij")
    waves = np.sin(rows / numbers.uniform(2, 9)) + np.sin(columns / numbers.uniform(4, 20))
    return np.repeat((120 + 50 * waves)[..., None], 3, -1).astype(np.uint8)


def _save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if pixels.dtype == np.uint16 and pixels.ndim == 3:
        # Pillow writes no colour of 16 bits.
        height, width, _ = pixels.shape
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
        path.write_bytes(png(width, height, bits=16, colour=2, rows=rows))
    else:
        Image.fromarray(pixels).save(path)
    return path


def _save_as(path: Path, pixels: np.ndarray, depth: str) -> Path:
    """The picture with levels of that depth, in a form of file that can hold them."""
    return _save(path.with_suffix(".tif" if depth in ("signed", "floats") else ".png"), DEPTHS[depth](pixels))


def _images(
    place: Path, numbers: np.random.Generator, kind: str, count: int, size: tuple[int, int], times: int,
    depths: Sequence[tuple[str, str]],
) -> list[Path]:  # fmt: skip
    drawn = []
    larger = (size[0] * times, size[1] * times)
    for i in range(count):
        a, b = _scene(numbers, size), 255 - _scene(numbers, size)
        if kind == "two":
            b = _scene(numbers, larger)
        whole = np.concatenate((a, b), axis=1) if kind == "joined" else a
        of_a, of_b = depths[0][i % 2], depths[1][i % 2]
        if kind in ("joined", "plain"):
            drawn.append(_save_as(place / f"{i}.png", whole, of_a))
            continue
        names = {"endings": (f"{i}_A", f"{i}_B"), "two": (f"A/{i}", f"B/{i}")}
        name_a, name_b = names.get(kind, (f"A/horse{i}", f"B/zebra{i}"))
        drawn += [_save_as(place / f"{name_a}.png", a, of_a), _save_as(place / f"{name_b}.png", b, of_b)]
    return drawn


def draw_sides(root: Path, of_a: Sequence[str], of_b: Sequence[str]) -> None:
    """Four pairs in folders A and B, with files of these depths in turn."""
    numbers = np.random.default_rng(0)
    for i in range(4):
        for side, depths in (("A", of_a), ("B", of_b)):
            _save_as(root / side / f"{i}.png", _scene(numbers, (16, 16)), depths[i % len(depths)])


def _labels(
    place: Path,
    numbers: np.random.Generator,
    count: int,
    size: tuple[int, int],
    levels: str,
    other: str,
    instances: str,
    depths: tuple[str, str],
) -> list[Path]:
    drawn = []
    held, type_ = LEVELS[levels](numbers)
    half = (size[0] // 2, size[1] // 2)
    of_label = {"same": size, "half": half, "odd": (size[0] + 1, size[1])}[other]
    for i in range(count):
        drawn.append(_save_as(place / "photo" / f"{i}.png", _scene(numbers, size), depths[i % 2]))
        labels = np.resize(numbers.permutation(np.resize(held, max(len(held), 64))), of_label).astype(type_)
        path = place / "label" / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        if type_ in (np.int32, np.float32):
            path = path.with_suffix(".tif")
        image = Image.fromarray(labels if levels != "colours" else np.repeat(labels[..., None], 3, -1))
        if levels == "palette":
            image.putpalette([level * 40 for level in range(6) for _ in range(3)])
        image.save(path if levels != "jpeg" else path.with_suffix(".jpg"))
        drawn.append(path if levels != "jpeg" else path.with_suffix(".jpg"))
        if instances == "all" or (instances == "some" and i == 0):
            ids = numbers.integers(0, 9, of_label).astype(np.uint16)
            drawn.append(_save(place / "instance" / f"{i}.png", ids))
    return drawn


def _damage(damage: str, path: Path, root: Path, numbers: np.random.Generator) -> None:
    if damage == "text":
        path.write_text("no picture")
    elif damage == "lonely":
        path.unlink()
    elif damage == "dangling":
        path.unlink()
        path.symlink_to(root / "moved" / path.name)
    elif damage == "note":
        (path.parent / "readme.txt").write_text("x")
    elif damage == "depth":
        _save(root / "depth" / "1.png", _scene(numbers, (8, 8)))
    elif damage == "other size":
        _save(path.with_suffix(".png"), np.zeros((10, 14, 3), np.uint8))
    elif damage == "case":
        os.rename(path, path.with_name(path.name.upper()))
    elif damage == "hidden":
        (path.parent / ".DS_Store").write_text("x")
