"""Which images a distance is taken between, and whether torch-fidelity reads them as they are meant."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from catdsl.diagnostics import CatError
from catdsl.train.data.file_facts import FileFacts, file_facts
from catdsl.train.data.layouts import OddFile, check_folder, image_files, nothing_found
from catdsl.train.data.pixels import Unreadable, file_bytes
from catdsl.train.data.shelves import unusable

_LEAST = 2
_LOOKED_FOR = ("image files right in the folder",)


def list_images(*folders: Path) -> tuple[Path, ...]:
    """The image files right in the folders: folder after folder, in each in torch-fidelity's order.

    Raises CatError E601 where a folder is missing or empty, or there are fewer than two images.
    """
    found: list[Path] = []
    for folder in folders:
        check_folder(folder, _LOOKED_FOR)
        # torch-fidelity draws subsets by place, and sorts by where the files really lie.
        files = sorted(image_files(folder), key=os.path.realpath)
        if not files:
            raise nothing_found(folder, "images", _LOOKED_FOR)
        found += files
    if len(found) < _LEAST:
        raise CatError.one(
            "E601",
            f"there is only one image, {found[0]}",
            help="a distance between sets of images needs at least 2 on each side, and hundreds to mean much",
        )
    return tuple(found)


def content_digests(paths: Sequence[Path]) -> tuple[str, ...]:
    """A digest of each file's bytes. Raises CatError E602 that lists the files that cannot be read."""
    digests: list[str] = []
    odd: list[OddFile] = []
    for path in paths:
        content = file_bytes(path)
        if isinstance(content, Unreadable):
            odd.append(OddFile(path, content.reason))
        else:
            digests.append(hashlib.blake2b(content, digest_size=16).hexdigest())
    if odd:
        raise unusable(odd, looked_at=len(paths))
    return tuple(digests)


def places_by_size(paths: Sequence[Path]) -> dict[tuple[int, int], list[int]]:
    """The places in `paths` of the images of each size (height, width).

    Every file is decoded, and CatError E602 lists those that are damaged, and those that
    torch-fidelity would misread: it clips 16-bit levels at 255, and ignores that a photograph is
    stored on its side.
    """
    places: dict[tuple[int, int], list[int]] = {}
    odd: list[OddFile] = []
    for place, path in enumerate(paths):
        facts = file_facts(path)
        reason = _misread(facts)
        if reason:
            odd.append(OddFile(path, reason))
        else:
            assert isinstance(facts, FileFacts)
            places.setdefault(facts.size, []).append(place)
    if odd:
        raise unusable(odd, looked_at=len(paths))
    return places


def _misread(facts: FileFacts | Unreadable) -> str:
    if isinstance(facts, Unreadable):
        return facts.reason
    if facts.deep:
        return f"has {facts.stored.described}, which torch-fidelity would clip: save it with 8 bits"
    return "is stored on its side (EXIF), which torch-fidelity ignores: save it upright" if facts.rotated else ""
