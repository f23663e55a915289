"""What a refusal is: exit code 1, diagnostics with a code and a way out, and nothing written or lost."""

import re
from pathlib import Path

from tests.jobs.conftest import Done

_ALLOWED = (".lock", ".writer.json")


def snapshot(folder: Path) -> dict[str, bytes | str]:
    """All files below a folder; pipes and links by what they are."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.name in _ALLOWED or "__pycache__" in name:
            continue
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            found[name] = "special"
        elif path.is_file():
            # Sparse files can be larger than memory.
            found[name] = path.read_bytes() if path.stat().st_size < 50_000_000 else str(path.stat().st_size)
    return found


def refused(cli, words, *, codes: str = r"E\d\d\d", look: bool = True) -> str:
    """Run a command that must be refused; what it said. `look` compares all files, which takes its time."""
    before = snapshot(cli.folder) if look else {}
    said = _explained(cli(*words, code=1), codes)
    after = snapshot(cli.folder) if look else {}
    assert after.keys() - before.keys() == set()
    assert {name: after.get(name) for name in before} == before
    return said


def refused_or_done(cli, words, *, codes: str) -> bool:
    """Run a command that may take what it is given; whether it was refused, as `refused` has it."""
    done = cli(*words, code=(0, 1))
    if done.code:
        _explained(done, codes)
    return bool(done.code)


def _explained(done: Done, codes: str) -> str:
    assert re.search(rf"error\[(?:{codes})\]", done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    assert "fault of catdsl" not in done.stderr
    # A limit of the language says itself what to do with less.
    assert "help:" in done.stderr or re.search(r"error\[E10[23]\]", done.stderr)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", done.stderr + done.stdout)
    return done.stderr
