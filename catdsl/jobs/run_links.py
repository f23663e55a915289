"""Links in a run folder: those that lead out of it are refused.

A run may come from elsewhere, files are written through links, and so its links could have any file replaced.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from catdsl.diagnostics import CatError
from catdsl.reading import reason

FOLDERS = ("spec", "teacher", "student", "report")
_FILES = (
    "run.json", "plan.json", "plan.txt", "inherited.json", "result.json", "scores.safetensors", "times.json",
    "student.cat", "comparison.png", "graph.svg",
)  # fmt: skip
_HIDDEN = (".lock", ".writer.json")
"""Of the lock on a run: no links at all, as nobody but catdsl makes these files."""


def check_links(run: Path) -> None:
    """Refuse links among the files of a run that lead out of its folder, which may be a link itself.

    Asked before a run is read and before anything is written into it. Raises CatError E604.
    """
    try:
        home = run.resolve()
        for name in _HIDDEN:
            if (run / name).is_symlink():
                raise _refusal(run / name, "is a link, which it never is where catdsl has made it", "remove it")
        for link in _links(run):
            place = _place(link)
            if place is None:
                raise _refusal(link, "is a link that leads in a circle", "put the file itself in its place")
            if not place.is_relative_to(home):
                raise _refusal(
                    link, f"is a link that leads out of the run folder, to {place}", "put the file itself in its place"
                )
    except (OSError, RuntimeError) as error:
        place = getattr(error, "filename", None) or run
        raise CatError.one("E604", f"cannot read {place}: {reason(error)}", help="check its permissions") from None


def _links(run: Path) -> Iterator[Path]:
    """The links that have names of a run's files, and all links in its folders. No link is followed."""
    yield from (path for name in (*_FILES, *FOLDERS) if (path := run / name).is_symlink())
    folders = [path for name in FOLDERS if (path := run / name).is_dir() and not path.is_symlink()]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_symlink():
                    yield Path(entry.path)
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))


def _place(link: Path) -> Path | None:
    """Where a link leads, be something there or not; None for a circle."""
    try:
        return link.resolve()
    except (OSError, RuntimeError):
        return None


def _refusal(link: Path, problem: str, help: str) -> CatError:
    return CatError.one("E604", f"{link} {problem}", help=help)
