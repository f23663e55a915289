"""The command line in a process of its own, with surroundings that a test chooses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SPEC = """
generator tiny {
    input photo: image(3, 16, 16)
    output photo -> conv(8, 3) -> relu -> conv(3, 3) -> tanh
}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.cat"
    path.write_text(SPEC, encoding="utf-8")
    return path


@pytest.fixture
def shell(root: Path, tmp_path: Path):
    """Runs a line of the shell in which `catdsl` is the command; its exit code is that of `catdsl`."""

    def run(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """`line` may redirect and pipe. A variable that is given as empty is unset."""
        catdsl = f'catdsl() {{ "{sys.executable}" -m catdsl "$@"; }}\n'
        surroundings = {**os.environ, "PYTHONPATH": str(root), "XDG_CACHE_HOME": str(tmp_path / "cache")}
        # What is printed waits in a buffer, as it does for users.
        surroundings |= {"PYTHONUNBUFFERED": "", **environment}
        return subprocess.run(
            ["bash", "-c", f"set -o pipefail\n{catdsl}{line}"],
            cwd=tmp_path, env={name: value for name, value in surroundings.items() if value != ""},
            capture_output=True, text=True, errors="surrogateescape", check=False, timeout=120,
        )  # fmt: skip

    return run
