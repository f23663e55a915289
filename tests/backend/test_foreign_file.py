"""Checkpoints from elsewhere: what they may take of time and memory, and what is refused unread."""

import os
import pickle
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from catdsl.backend.foreign_file import read_foreign
from catdsl.backend.importing import import_weights
from catdsl.diagnostics import CatError
from catdsl.project import load

ONE = torch.ones(1)
SPEC = "generator g { input x: image(3, 8, 8)\n output x -> conv(8, 3) -> instance_norm -> conv(3, 3) }"


def nested(depth: int) -> dict[str, Any]:
    """One dictionary in another, of which each name leads to the same one."""
    held: Any = ONE
    for _ in range(depth):
        held = {str(i): held for i in range(300)}
    return dict(held)


def views(size: int, count: int) -> list[Tensor]:
    whole = torch.ones(size)
    return [whole[: size - i] for i in range(count)]


def cyclic() -> dict[str, Any]:
    held: dict[str, Any] = {"a": ONE}
    held["b"] = held["c"] = held
    return held


HELD: dict[str, tuple[Callable[[], Any], str]] = {
    "a name of dots": (lambda: {"." * 100_000: ONE}, r"a name of 100,000 characters in 100,001 parts"),
    "a long name": (lambda: {"a" * 1_000_000: ONE}, r"a name of 1,000,000 characters"),
    "long names of dictionaries": (lambda: {"a" * 10_000: {"b" * 10_000: {"c": ONE}}}, r"a name of 10,00\d characters"),
    "deep names": (lambda: {f"{'a.' * 50}{i}": ONE for i in range(2000)}, r"in 51 parts"),
    "many tensors": (lambda: {f"a.b{i}": ONE for i in range(20_000)}, r"holds more than 10,000 tensors"),
    "many values": (lambda: dict.fromkeys(map(str, range(200_000)), 1), r"more than 100,000 values"),
    "wide and deep": (lambda: nested(4), r"no checkpoint of tensors alone"),
    "a circle": (cyclic, r"no checkpoint of tensors alone"),
    "many names of a long one": (
        lambda: {"a" * 250_000: {str(i): ONE for i in range(20_000)}}, r"a name of 250,000 characters in 1 parts"
    ),
    "views of one": (lambda: views(1_000_000, 4_000), r"no checkpoint of tensors alone"),
    "a long number": (lambda: {"a": ONE, "b": 10**5000}, r"no checkpoint of tensors alone"),
    "no dictionary": (lambda: [ONE], r"holds no state_dict"),
    "sparse": (lambda: {"a": torch.ones(2, 2).to_sparse()}, r"is no checkpoint of tensors alone"),
    "keys that are no names": (lambda: {(1, 2): ONE, "y.conv0.weight": ONE}, r"not those of generator"),
    "endless by stride": (
        lambda: {"y.conv0.weight": ONE.expand(10**12)}, r"not those of generator|no checkpoint of tensors alone"
    ),
    "endless of the right name": (
        lambda: {f"c.{n}": ONE.expand(10**12) for n in ("conv0.weight", "conv0.bias", "conv1.weight", "conv1.bias")},
        "E605",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", HELD)
@pytest.mark.parametrize("legacy", [False, True])
def test_limits(what: str, legacy: bool, tmp_path: Path) -> None:
    make, complaint = HELD[what]
    path = tmp_path / "net.pth"
    torch.save(make(), path, _use_new_zipfile_serialization=not legacy)
    graph = load(SPEC).graph
    start = time.perf_counter()
    with pytest.raises(CatError, match=complaint) as caught:
        import_weights(graph, path)
    assert caught.value.diagnostics[0].code == "E605"
    assert time.perf_counter() - start < 15  # of a busy machine; by itself none takes 3
    assert len(str(caught.value)) < 2000


def test_the_worst_names_that_are_taken(tmp_path: Path) -> None:
    """As many tensors, of names as long and as deep, as pass: no network, and no long search for one."""
    names = [".".join([*"abcdefghijklmnopqrstu", "conv0", f"{i:0250}"]) for i in range(10_000)]
    torch.save(dict.fromkeys(names, ONE), tmp_path / "net.pth")
    start = time.perf_counter()
    with pytest.raises(CatError, match=r"not those of generator"):
        import_weights(load(SPEC).graph, tmp_path / "net.pth")
    assert time.perf_counter() - start < 20


def _zipped(path: Path, packing: int) -> None:
    """A checkpoint, packed again, with 100 MB of nothing in it."""
    torch.save({"a": torch.zeros(25_000_000)}, path)
    with zipfile.ZipFile(path) as held:
        parts = {name: held.read(name) for name in held.namelist()}
    with zipfile.ZipFile(path, "w", packing) as held:
        for name, content in parts.items():
            held.writestr(name, content)


def test_a_packed_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.pth"
    _zipped(path, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1e6
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(
        CatError, match=r"bomb.pth unpacks to 100,\d+,\d+ bytes and has \d+,\d+: torch.save packs nothing"
    ):
        read_foreign(path)
    monkeypatch.setenv("CATDSL_LIMITS", "weights=50000000")
    with pytest.raises(CatError, match=r"more than the limit of 50,000,000 bytes; raise it with `--limit weights=1000"):
        read_foreign(path)


def test_an_unpacked_file_is_taken(tmp_path: Path) -> None:
    _zipped(tmp_path / "net.pth", zipfile.ZIP_STORED)
    assert read_foreign(tmp_path / "net.pth")["a"].shape == (25_000_000,)
    values = torch.arange(3_000_000.0)
    torch.save({"a": values, "b": {"c": values[5:9]}}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    found = read_foreign(tmp_path / "old.pth")
    assert torch.equal(found["a"], values)
    assert torch.equal(found["b.c"], values[5:9])


def test_a_pickle_that_ends_in_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """torch goes by the beginning, and would read the pickle; a zip goes by its end."""
    old, new = tmp_path / "old.pth", tmp_path / "new.pth"
    torch.save({"a": "x" * 5_000_000}, old, _use_new_zipfile_serialization=False)
    torch.save({"a": ONE}, new)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was read"))
    for first, second in ((old, new), (new, old)):
        (tmp_path / "both.pth").write_bytes(first.read_bytes() + second.read_bytes())
        with pytest.raises(CatError, match=r"E605.*no checkpoint of tensors alone"):
            read_foreign(tmp_path / "both.pth")


def test_memory_that_has_run_out_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object, **__: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 64 bytes")

    torch.save({"a": ONE}, tmp_path / "net.pth")
    monkeypatch.setattr(torch, "load", load)
    with pytest.raises(RuntimeError, match="allocate memory"):
        read_foreign(tmp_path / "net.pth")


@pytest.mark.parametrize("legacy", [False, True])
def test_a_large_pickle_is_refused_unread(legacy: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save({"a": "x" * 5_000_000}, tmp_path / "net.pth", _use_new_zipfile_serialization=not legacy)
    if not legacy:
        monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(CatError, match=r"has more than 4,000,000 bytes beside its tensors"):
        read_foreign(tmp_path / "net.pth")


class Mischief:
    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("legacy", [False, True])
def test_no_code_is_run(legacy: bool, tmp_path: Path) -> None:
    path, harm = tmp_path / "net.pth", tmp_path / "harm"
    torch.save({"a": ONE, "b": Mischief(harm)}, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(CatError, match="no checkpoint of tensors alone"):
        read_foreign(path)
    assert not harm.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"x" * 100, pickle.dumps({"a": 1})])
def test_what_is_no_checkpoint(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(content)
    with pytest.raises(CatError, match="E605"):
        read_foreign(path)


def test_devices_and_pipes_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "net.pth")
    for path in (tmp_path / "net.pth", tmp_path):
        with pytest.raises(CatError, match=r"E605.*is a (pipe|folder)"):
            read_foreign(path)


def test_bits_of_a_checkpoint(tmp_path: Path) -> None:
    """Damage is refused, or gives tensors; it is never a fault of ours."""
    path = tmp_path / "net.pth"
    torch.save({"a.weight": torch.arange(8.0), "b": {"c.weight": ONE}}, path)
    whole = path.read_bytes()
    places = torch.randint(len(whole) * 8, (300,), generator=torch.Generator().manual_seed(0)).tolist()
    refused = 0
    for place in places:
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(bytes(damaged))
        try:
            found = read_foreign(path)
        except CatError:
            refused += 1
            continue
        assert all(isinstance(value, Tensor) for value in found.values())
    assert refused > 20
