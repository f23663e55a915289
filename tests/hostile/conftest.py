"""Two whole runs of equal shapes, made once, and copies of them for each case."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.jobs.conftest import TINY, cache, cli  # noqa: F401

OTHER = TINY.replace("-> tanh", "-> sigmoid")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:  # noqa: F811
    """A folder with `run` (evaluated), `sibling` (another seed), `stranger` (another program), and their specs."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "tiny.cat").write_text(TINY, encoding="utf-8")
    (folder / "other.cat").write_text(OTHER, encoding="utf-8")
    Image.new("RGB", (16, 16), (200, 30, 90)).save(folder / "photo.png")
    steps = ("--budget", "40%", "--steps", "2")
    for words in (
        ("compress", "tiny.cat", *steps, "-o", "run"),
        ("compress", "tiny.cat", *steps, "-o", "sibling", "--seed", "1"),
        ("compress", "other.cat", *steps, "-o", "stranger"),
        ("evaluate", "run"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "catdsl", *words], cwd=folder, capture_output=True, text=True, check=False,
            env={**os.environ, "XDG_CACHE_HOME": str(cache), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def place(cli, made: Path) -> Path:  # noqa: F811
    """A copy of all of it, in which commands run."""
    shutil.copytree(made, cli.folder, dirs_exist_ok=True)
    return cli.folder
