"""A folder of results that takes the place of an older one, in which what a command has not made stays.

The new folder is whole before anything of the older one changes (`whole_folder`): what others have put
into that one is carried over first, and then the two change their places.
"""

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from catdsl.diagnostics import CatError
from catdsl.files import beside, carry, not_writable, place_all, whole_folder

Own = Callable[[Path], Collection[str]]
"""Which files of a folder a command has made: paths below it, with `/`."""
Say = Callable[[str], None]

_SHOWN = 3


@contextmanager
def replacing(folder: Path, *, own: Own, say: Say, shared: bool = False) -> Iterator[Path]:
    """A new folder to fill, which takes the place of `folder` when the block ends without an error.

    A `shared` folder is named by the user and may hold other files. Where it does, or is the current
    folder, it stays, and the new files are moved into it; they must not lie in sub-folders.
    After an error the older folder is as it was, and the new one is gone. Raises CatError E608.
    """
    try:
        place = folder.resolve()
        in_use = shared and _in_use(place, own)
    except (OSError, RuntimeError) as error:
        raise not_writable(folder, OSError(str(error))) from error
    if in_use:
        with beside(place) as made:
            yield made
            place_all(made, [place / path.name for path in sorted(made.iterdir())])
        return
    with whole_folder(folder) as made:
        yield made
        kept = _carried(place, made, own)
    if kept:
        more = f", and {len(kept) - _SHOWN} more" if len(kept) > _SHOWN else ""
        say(f"kept     what catdsl has not made in {place}: {', '.join(sorted(kept)[:_SHOWN])}{more}")


def _in_use(place: Path, own: Own) -> bool:
    """Whether a folder is more than the place of a command's results."""
    return place.is_dir() and (place == Path.cwd() or any(_others(place, own)))


def _others(place: Path, own: Own) -> Iterator[Path]:
    """The files, links and empty folders that a command has not made; what links lead to is not looked into."""
    ours = frozenset(own(place))
    for parent, folders, files in os.walk(place, onerror=_refuse):
        inside = [name for name in folders if Path(parent, name).is_symlink()]
        empty = [Path(parent)] if not (folders or files) and Path(parent) != place else []
        for path in (*(Path(parent, name) for name in (*files, *inside)), *empty):
            if path.relative_to(place).as_posix() not in ours:
                yield path


def _refuse(error: OSError) -> NoReturn:
    """What cannot be read might hold what others have made, and would be lost. Raises CatError E608."""
    unread = Path(error.filename)
    raise CatError.one(
        "E608", f"cannot read {unread}, which lies in the place of new results: {error.strerror}",
        help="check its permissions, or move it away",
    ) from error  # fmt: skip


def _carried(place: Path, made: Path, own: Own) -> list[str]:
    """Carry what others have put there into the new folder; the paths that it has there."""
    kept: list[str] = []
    for path in list(_others(place, own)) if place.is_dir() else ():
        target = _free(made / path.relative_to(place))
        if path.is_dir() and not path.is_symlink():
            target.mkdir(parents=True)
        else:
            carry(path, target)
        kept.append(target.relative_to(made).as_posix())
    return kept


def _free(path: Path) -> Path:
    """The path, or where the new folder has something of that name, one like it."""
    found, number = path, 1
    while os.path.lexists(found):
        found, number = path.with_name(f"{path.name}.kept{number}"), number + 1
    return found
