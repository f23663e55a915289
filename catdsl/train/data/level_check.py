"""Whether files with more than 8 bits use the levels that they are read with."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from catdsl.diagnostics import CatError
from catdsl.semantics.settings import DataSettings
from catdsl.train.data.file_facts import used_levels
from catdsl.train.data.levels import Levels, as_setting, fitting, narrow, shown
from catdsl.train.data.pixels import Unreadable, decode, stored_levels
from catdsl.train.data.stored import Stored


@dataclass(frozen=True, slots=True)
class _Dark:
    """A file that uses a quarter of its levels at most."""

    path: Path
    stored: Stored
    used: Levels


def check_levels(inputs: Sequence[Path], targets: Sequence[Path], settings: DataSettings) -> None:
    """Refuse levels that fit no file, and files that need levels. Raises CatError E602, E607."""
    deep = set(_deep((*inputs, *targets)))
    deep_inputs, deep_targets = ([path for path in files if path in deep] for files in (inputs, targets))
    levels, of_target = settings.levels, settings.target_levels
    if levels is not None and not (deep_inputs or (deep_targets and of_target is None)):
        raise _not_needed("levels")
    if of_target is not None and not deep_targets:
        raise _not_needed("target_levels")
    if levels is None:
        _check_bright(deep_inputs, "levels")
    if of_target is None and levels is None:
        _check_bright(deep_targets, "target_levels" if deep_inputs else "levels")


def check_bits_used(files: Sequence[Path], levels: Levels | None) -> None:
    """Refuse files that all use a quarter of their levels at most, where none are set. Raises CatError E602."""
    if levels is None:
        _check_bright(_deep(files), "levels")


def _check_bright(deep: Iterable[Path], setting: str) -> None:
    """Reads files until one is bright. Those that cannot be read are left to others. Raises CatError E602."""
    dark: dict[bool, list[_Dark]] = {False: [], True: []}
    bright: set[bool] = set()
    for path in deep:
        picture = decode(path)
        found = None if isinstance(picture, Unreadable) else used_levels(picture)
        if isinstance(picture, Unreadable) or found is None or found[1] <= 0:
            continue
        colour = picture.channels > 1
        if not narrow(picture.stored, found[1]):
            bright.add(colour)
        elif colour not in bright:
            dark[colour].append(_Dark(path, picture.stored, found))
        if len(bright) == len(dark):
            return
    for colour, files in dark.items():
        if files and colour not in bright:
            raise _too_dark(files, setting, colour=colour)


def _too_dark(dark: Sequence[_Dark], setting: str, *, colour: bool) -> CatError:
    first, stored = dark[0].path, max((file.stored for file in dark), key=lambda stored: stored.most)
    used = min(file.used[0] for file in dark), max(file.used[1] for file in dark)
    usual = stored.usual
    assert usual is not None, "others need levels, and are not read without"
    mend = (
        "save them with 8 bits: of such colour only the upper 8 are read" if colour
        else f"set {setting} = {as_setting(fitting(stored, used))} in data {{ }}"
    )  # fmt: skip
    files = f"{first} uses" if len(dark) == 1 else f"{len(dark)} image files, such as {first}, use"
    return CatError.one(
        "E602",
        f"{files} levels from {shown(used[0])} to {shown(used[1])} alone, and would be almost black: "
        f"white is {shown(usual[1])} in {stored.described}",
        help=f"{mend}; where pictures are meant to be so dark, set {setting} = {as_setting(usual)}",
    )


def _not_needed(setting: str) -> CatError:
    return CatError.one(
        "E607",
        f"`{setting}` in data {{ }} says which levels of files with more than 8 bits are black and white, "
        "and none of these files has more",
        help=f"remove `{setting}`; levels of 8 bits go from 0 to 255",
    )


def _deep(files: Sequence[Path]) -> Iterator[Path]:
    """Files with more than 8 bits, or with signed or floating-point levels, by their headers."""
    for path in dict.fromkeys(files):
        stored = stored_levels(path)
        if isinstance(stored, Stored) and stored.deep:
            yield path
