"""A built wheel, installed by itself, brings the grammar and the specs and runs from anywhere."""

import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

import catdsl

pytestmark = pytest.mark.slow

# Uses the shipped library, so that it is read from the wheel as the grammar is.
_SPEC = """\
use inc_res from std.inception

style { norm = instance, pad = reflect }

generator tiny {
    input photo: image(3, 32, 32)
    output photo -> conv(12, 3) -> norm -> relu -> 2 * inc_res -> conv(3, 3) -> tanh
}
"""

# Where a wheel's own files lie in a checkout. Both folders come along whole.
_SHIPPED = (("grammars", "*.lark"), ("specs", "*.cat"))


@dataclass(frozen=True, slots=True)
class Installation:
    """A virtual environment that sees the dependencies of this one, and no catdsl but its own."""

    folder: Path
    elsewhere: Path

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment's `bin` from a folder that has nothing to do with it."""
        # PIP_ settings and PYTHONPATH would bring back what this environment is meant to be without.
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON"))}
        program, *arguments = command
        return subprocess.run(
            [self.folder / "bin" / program, *arguments],
            cwd=self.elsewhere, env=clean, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def say(self, expression: str) -> str:
        done = self.run("python", "-c", f"import catdsl, catdsl.resources; print({expression})")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, root],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The environment before the wheel is installed.

    Its dependencies are links to what is installed here, each but catdsl. They are reached by a
    `.pth` file, which adds a folder to the end of `sys.path` and, unlike a site folder, reads no
    `.pth` files in it: that of an editable catdsl has no effect even if its name changes.
    """
    links = tmp_path_factory.mktemp("dependencies")
    for place in (Path(p) for p in sys.path if Path(p).name in ("site-packages", "dist-packages")):
        for entry in place.iterdir():
            if "catdsl" not in entry.name and not (links / entry.name).exists():
                (links / entry.name).symlink_to(entry)
    folder = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(folder, with_pip=True, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(f"{links}\n", encoding="utf-8")
    return Installation(folder, tmp_path_factory.mktemp("elsewhere"))


@pytest.fixture(scope="module")
def installed(empty: Installation, wheel: Path) -> Installation:
    before = empty.run("python", "-c", "import lark, numpy, typer, catdsl")
    assert "No module named 'catdsl'" in before.stderr, "the environment has a catdsl of its own"
    done = empty.run("python", "-m", "pip", "install", "-q", "--no-deps", "--no-index", wheel)
    assert done.returncode == 0, done.stderr
    return empty


def test_the_wheel_holds_the_package_the_grammar_and_the_specs(root: Path, wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
        wanted = {f"catdsl/{p.relative_to(root / 'catdsl')}" for p in (root / "catdsl").rglob("*.py")}
        for folder, pattern in _SHIPPED:
            for path in (root / folder).rglob(pattern):
                inside = f"catdsl/{path.relative_to(root)}"
                wanted.add(inside)
                assert archive.read(inside) == path.read_bytes()
    assert wanted - names == set()
    top = {name.split("/")[0] for name in names}
    assert top == {"catdsl", f"catdsl-{catdsl.__version__}.dist-info"}
    assert [name for name in names if name.endswith((".pyc", ".tmp"))] == []
    assert any(name.endswith("/LICENSE") for name in names)


def test_the_installed_package_finds_its_own_files(installed: Installation) -> None:
    for folder, _ in _SHIPPED:
        found = Path(installed.say(f"catdsl.resources.folder({folder!r})"))
        assert found.is_relative_to(installed.folder)
    assert Path(installed.say("catdsl.__file__")).is_relative_to(installed.folder)
    assert installed.say("catdsl.__version__") == catdsl.__version__


def test_the_installed_command_checks_a_spec(installed: Installation) -> None:
    spec = installed.elsewhere / "tiny.cat"
    spec.write_text(_SPEC, encoding="utf-8")
    done = installed.run("catdsl", "check", spec.name)
    assert done.returncode == 0, done.stderr


def test_the_installed_command_reports_a_mistake(installed: Installation) -> None:
    spec = installed.elsewhere / "wrong.cat"
    spec.write_text(_SPEC.replace("-> relu", "-> rleu"), encoding="utf-8")
    done = installed.run("catdsl", "check", spec.name)
    assert done.returncode == 1
    assert "E202" in done.stderr
    assert "wrong.cat:7" in done.stderr
