"""Weights files: safetensors that say which network they are for, with a digest of their tensors.

Both stand in the metadata, under one key, since safetensors writes several in an order that changes:
equal weights shall be equal files. Whoever reads tensors opens them here (`checked`), which compares
both and the run that the file belongs to. Files from elsewhere hold no such words; a line says what
could not be compared.
"""

import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter
from safetensors import SafetensorError, safe_open

from catdsl.acceptance import STRICT, Acceptance, Owner
from catdsl.diagnostics import CatError
from catdsl.files import write_whole
from catdsl.provenance import GO_ON, check_run, say_unknown
from catdsl.reading import Door, opened, parse_json

WEIGHTS_DOOR = Door("weights file", "E605", "weights", "give a .safetensors file that catdsl or `import-weights` wrote")

_KEY = "catdsl"
_LENGTH = 8
"""Bytes that say how long the header is."""
_LONGEST_HEADER = 8_000_000
"""Bytes, some 100 for each tensor."""
_PART = 4 << 20
"""Bytes that one thread hashes at a time."""
_THREADS = 4


_Digest = Annotated[str, Field(max_length=128)]


class _Words(BaseModel):
    """What a file says of itself; beside these, what its writer wants to be known."""

    model_config = ConfigDict(extra="allow", frozen=True)

    network: _Digest | None = None
    shown: Annotated[str, Field(max_length=200)] | None = None
    tensors: _Digest | None = None
    run: _Digest | None = None


_WORDS = TypeAdapter(_Words)


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A file whose words were compared. `facts` are what its writer added: steps, seed, kept channels."""

    path: Path
    owner: Owner
    facts: Mapping[str, JsonValue] = field(default_factory=dict)


@contextmanager
def checked(
    path: Path, wanted: Owner, acceptance: Acceptance = STRICT, *, door: Door = WEIGHTS_DOOR
) -> Iterator[WeightsFile]:
    """A weights file that is whole, of the wanted network and run; a library may read its tensors inside.

    Raises the door's error where it cannot be read, CatError E605 where its tensors are not those that
    were written, or it is for another network or run than `wanted` says.
    """
    try:
        with opened(path, door) as stream:
            _check_header(path, stream, door)
            with safe_open(path, framework="np") as file:
                words = _words(path, (file.metadata() or {}).get(_KEY))
            found = None if words.tensors is None else tensors_digest(stream.fileno())
            _compare(path, words, found, wanted, acceptance)
            facts = dict(words.model_extra or {})
            yield WeightsFile(path, Owner(words.network, words.shown or "", words.run), facts)
    except SafetensorError as error:
        raise door.refuse(path, f"is no {door.what}, or is damaged: {error}") from None


def write_tensors(path: Path, saved: bytes, owner: Owner, facts: Mapping[str, Any]) -> None:
    """Write what safetensors has made of tensors, with the words that `checked` compares. Raises CatError E608."""
    length = int.from_bytes(saved[:_LENGTH], "little")
    header, data = json.loads(saved[_LENGTH : _LENGTH + length]), memoryview(saved)[_LENGTH + length :]
    words = {
        **facts, "network": owner.network, "shown": owner.shown or None, "run": owner.run,
        "tensors": _digest(header, data),
    }  # fmt: skip
    known = {name: value for name, value in words.items() if value is not None}
    text = json.dumps({"__metadata__": {_KEY: json.dumps(known)}, **header}, separators=(",", ":")).encode()
    # As safetensors has it: the tensors begin at a multiple of 8 bytes.
    text += b" " * (-len(text) % _LENGTH)

    def write(stream: Any) -> None:
        stream.write(len(text).to_bytes(_LENGTH, "little"))
        stream.write(text)
        stream.write(data)

    write_whole(path, write)


def tensors_digest(handle: int) -> str:
    """The digest of the tensors in an open safetensors file, which the library has found to be one."""
    with mmap(handle, 0, access=ACCESS_READ) as whole, memoryview(whole) as view:
        length = int.from_bytes(view[:_LENGTH], "little")
        header = json.loads(bytes(view[_LENGTH : _LENGTH + length]))
        with view[_LENGTH + length :] as data:
            return _digest(header, data)


def _digest(header: Mapping[str, Any], data: memoryview) -> str:
    """Of names, kinds, shapes and places of tensors, and of all their bytes, hashed in parts side by side."""
    told = {name: value for name, value in header.items() if name != "__metadata__"}
    whole = sha256(json.dumps(told, sort_keys=True).encode())

    def hashed(start: int) -> bytes:
        with data[start : start + _PART] as part:
            return sha256(part).digest()

    starts = range(0, len(data), _PART)
    if len(starts) < 2:
        parts = list(map(hashed, starts))
    else:
        with ThreadPoolExecutor(_THREADS) as pool:
            parts = list(pool.map(hashed, starts))
    for part in parts:
        whole.update(part)
    return whole.hexdigest()


def _check_header(path: Path, stream: BinaryIO, door: Door) -> None:
    """Refuse a long header unread: the library takes many times its bytes. Raises the door's error."""
    length = int.from_bytes(stream.read(_LENGTH), "little")
    # Of one that is longer than the file, the library says what is wrong.
    if _LONGEST_HEADER < length <= os.fstat(stream.fileno()).st_size:
        raise door.refuse(path, f"has {length:,} bytes beside its tensors, and {_LONGEST_HEADER:,} is the most")


def _words(path: Path, text: str | None) -> _Words:
    return _Words() if text is None else parse_json(text, WEIGHTS_DOOR, _WORDS, shown=path)


def _compare(path: Path, words: _Words, found: str | None, wanted: Owner, acceptance: Acceptance) -> None:
    if found != words.tensors:
        acceptance.refuse(
            CatError.one(
                "E605",
                f"the tensors in {path} are not those that were written: their digest is {_short(found)}, "
                f"and the file says {_short(words.tensors)}",
                help=f"restore the file from a copy, {GO_ON}",
            )
        )
    owner = Owner(words.network, words.shown or "", words.run)
    compare_owners(path, owner, wanted, acceptance, what="the weights in")
    unknown = [what for what, word in (("network", words.network), ("digest", words.tensors)) if word is None]
    if wanted.network is not None:
        say_unknown(path, unknown, "names, shapes and finite values", acceptance)


def compare_owners(
    path: Path, found: Owner, wanted: Owner, acceptance: Acceptance, *, what: str, code: str = "E605"
) -> None:
    """Refuse a file of another run, or of another network. Raises CatError of the code."""
    check_run(found.run, wanted.run, path, code, acceptance)
    if wanted.network is not None and found.network is not None and wanted.network != found.network:
        acceptance.refuse(
            CatError.one(
                code,
                f"{what} {path} came from another network: {found.shown or 'one'} ({_short(found.network)}), "
                f"not {wanted.shown} ({_short(wanted.network)})",
                help=f"use the spec, student program and --set values of that network, {GO_ON}",
            )
        )


def _short(digest: str | None) -> str:
    return "none" if digest is None else digest[:12]
