"""The files of onnxruntime-web that a page needs to run a model, taken from where npm has put them."""

import gzip
import io
import json
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from catdsl.diagnostics import CatError
from catdsl.reading import Door, opened, read_bytes, there

PACKAGE = "onnxruntime-web"
MODULE = "ort.wasm.min.mjs"
# The build for CPUs alone, a third of the size of those for GPUs: its entry, the loader that it imports, the program.
FILES: tuple[str, ...] = (MODULE, "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
_LARGEST, _LARGEST_WHOLE = 100_000_000, 1_000_000_000
"""Bytes of a file of the package, and of all of it: some four times what it has."""
_USUAL = Path("node_modules") / PACKAGE
_HELP = (
    f"get it with `npm install {PACKAGE}` (here, and it is found), or with `npm pack {PACKAGE}`, and say where it is: "
    "--runtime FILE.tgz, or the package's folder or its `dist`"
)

_DOOR = Door(PACKAGE, "E607", "picture", _HELP)


@dataclass(frozen=True, slots=True)
class Runtime:
    """Files by name, and the version of the package where it is told."""

    files: dict[str, bytes]
    version: str | None


def find_runtime(given: Path | None) -> Runtime:
    """The runtime in an npm package: its folder, its `dist`, or the archive that `npm pack` makes.

    Without a path it is looked for in `node_modules` of the current folder. Raises CatError E607.
    """
    place = given or _USUAL
    if given is None and not place.is_dir():
        raise CatError.one("E607", f"{PACKAGE} is not in ./node_modules, and a page cannot run without it", help=_HELP)
    if place.is_file():
        return _from_archive(place)
    if not place.is_dir():
        raise CatError.one("E607", f"--runtime {place} is not there", help=_HELP)
    return _from_folder(place)


def _from_folder(place: Path) -> Runtime:
    dist = place if (place / MODULE).is_file() else place / "dist"
    paths = {name: dist / name for name in FILES}
    about = dist.parent / "package.json"
    found = {name: read_bytes(path, _DOOR) if there(path) else None for name, path in paths.items()}
    return _runtime(place, found, read_bytes(about, _DOOR) if there(about) else None)


def _from_archive(path: Path) -> Runtime:
    try:
        with (
            opened(path, _DOOR) as stream,
            gzip.GzipFile(fileobj=stream) as packed,
            tarfile.open(fileobj=_Unpacked(path, packed), mode="r:") as archive,
        ):
            found = {name: _member(archive, f"package/dist/{name}") for name in FILES}
            return _runtime(path, found, _member(archive, "package/package.json"))
    except (tarfile.TarError, EOFError, OSError, ValueError, zlib.error) as error:
        raise CatError.one("E607", f"--runtime {path} is no archive of npm, or damaged", help=_HELP) from error


def _member(archive: tarfile.TarFile, name: str) -> bytes | None:
    """A file of an archive, read without unpacking anything onto the disk."""
    try:
        stream = archive.extractfile(name)
    except KeyError:
        return None
    return None if stream is None else stream.read()


class _Unpacked(io.RawIOBase):
    """What an archive unpacks to, in parts and up to a bound: a few bytes may stand for gigabytes."""

    def __init__(self, path: Path, packed: gzip.GzipFile):
        self._path, self._packed = path, packed

    def read(self, size: int = -1) -> bytes:
        self._check(size if size >= 0 else _LARGEST + 1, _LARGEST)
        return self._packed.read(size)

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        self._check(place, _LARGEST_WHOLE)
        return self._packed.seek(place, whence)

    def tell(self) -> int:
        return self._packed.tell()

    def _check(self, size: int, most: int) -> None:
        if size > most:
            raise CatError.one("E607", f"--runtime {self._path} has more than {most:,} bytes in one piece", help=_HELP)


def _runtime(place: Path, found: dict[str, bytes | None], about: bytes | None) -> Runtime:
    missing = [name for name, data in found.items() if data is None]
    if missing:
        raise CatError.one(
            "E607", f"{place} is not {PACKAGE}, or another version of it: it lacks {', '.join(missing)}", help=_HELP
        )
    return Runtime({name: data for name, data in found.items() if data is not None}, _version(about))


def _version(about: bytes | None) -> str | None:
    """What `package.json` says, if it is that of this package."""
    try:
        told = json.loads(about or b"null")
    except ValueError:
        return None
    known = isinstance(told, dict) and told.get("name") == PACKAGE
    return str(told["version"]) if known and "version" in told else None
