"""Two whole runs of equal shapes, made once, and copies of them for each case."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.jobs.conftest import TINY, cache, cli  # noqa: F401
from tests.jobs.killing import command, server

OTHER = TINY.replace("-> tanh", "-> sigmoid")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:  # noqa: F811
    """A folder with `run` (evaluated), `sibling` (another seed), `stranger` (another program), and their specs."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "tiny.cat").write_text(TINY, encoding="utf-8")
    (folder / "other.cat").write_text(OTHER, encoding="utf-8")
    Image.new("RGB", (16, 16), (200, 30, 90)).save(folder / "photo.png")
    steps = ("--budget", "40%", "--steps", "2")
    # Nothing is killed; they begin with everything loaded.
    processes = server()
    for words in (
        ("compress", "tiny.cat", *steps, "-o", "run"),
        ("compress", "tiny.cat", *steps, "-o", "sibling", "--seed", "1"),
        ("compress", "other.cat", *steps, "-o", "stranger"),
        ("evaluate", "run"),
    ):
        process = processes.Process(target=command, args=(str(folder), str(cache), words))
        process.start()
        process.join(300)
        assert process.exitcode == 0, f"`catdsl {' '.join(words)}` ended with {process.exitcode}"
    return folder


@pytest.fixture
def place(cli, made: Path) -> Path:  # noqa: F811
    """A copy of all of it, in which commands run."""
    shutil.copytree(made, cli.folder, dirs_exist_ok=True)
    return cli.folder
