"""The files of onnxruntime-web that a page needs to run a model, taken from where npm has put them."""

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

from catdsl.diagnostics import CatError

PACKAGE = "onnxruntime-web"
MODULE = "ort.wasm.min.mjs"
# The build for CPUs alone, a third of the size of those for GPUs: its entry, the loader that it imports, the program.
FILES: tuple[str, ...] = (MODULE, "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
_USUAL = Path("node_modules") / PACKAGE
_HELP = (
    f"get it with `npm install {PACKAGE}` (here, and it is found), or with `npm pack {PACKAGE}`, and say where it is: "
    "--runtime FILE.tgz, or the package's folder or its `dist`"
)


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
    try:
        found = {name: path.read_bytes() if path.is_file() else None for name, path in paths.items()}
        return _runtime(place, found, about.read_bytes() if about.is_file() else None)
    except OSError as error:
        raise CatError.one("E607", f"{place} cannot be read: {error.strerror or error}", help=_HELP) from error


def _from_archive(path: Path) -> Runtime:
    try:
        with tarfile.open(path) as archive:
            found = {name: _member(archive, f"package/dist/{name}") for name in FILES}
            return _runtime(path, found, _member(archive, "package/package.json"))
    except (tarfile.TarError, EOFError, OSError) as error:
        raise CatError.one("E607", f"--runtime {path} is no archive of npm, or damaged", help=_HELP) from error


def _member(archive: tarfile.TarFile, name: str) -> bytes | None:
    """A file of an archive, read without unpacking anything onto the disk."""
    try:
        stream = archive.extractfile(name)
    except KeyError:
        return None
    return None if stream is None else stream.read()


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
