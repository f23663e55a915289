"""Imports point down, stand at the top, and leave the pure floors free of torch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.architecture.imports import hidden, upward
from tests.architecture.source import ROOT, module, package_modules

# Floors that do their work without these libraries, and must not load them when imported.
PURE = (
    "catdsl", "catdsl.resources", "catdsl.diagnostics", "catdsl.files", "catdsl.syntax", "catdsl.ir",
    "catdsl.ops", "catdsl.semantics", "catdsl.analysis", "catdsl.passes", "catdsl.search", "catdsl.view",
    "catdsl.project", "catdsl.cli",
)  # fmt: skip
HEAVY = ("torch", "torchvision", "torch_fidelity", "lightning", "lightning_fabric", "networkx")

_REPORT = f"import sys; print(*sorted(set({HEAVY}) & set(sys.modules)))"


def heavy_after(code: str, *, path: Path = ROOT) -> list[str]:
    """Which of HEAVY a fresh interpreter holds after running `code`."""
    script = f"import atexit; atexit.register(lambda: exec({_REPORT!r}))\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=path,
        env={**os.environ, "PYTHONPATH": str(path)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()


def test_imports_point_down() -> None:
    assert [line for m in package_modules() for line in upward(m)] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("catdsl/ir/graph.py", "from catdsl.semantics.scope import Scope"),
        ("catdsl/ir/graph.py", "import catdsl.cli"),
        ("catdsl/ir/graph.py", "from catdsl import cli"),
        ("catdsl/ir/graph.py", "from ..backend import emit"),
        ("catdsl/ir/graph.py", "if TYPE_CHECKING:\n    from catdsl.ops import ALL"),
        ("catdsl/ir/graph.py", "def f():\n    from catdsl.backend.functions import add"),
        ("catdsl/ir/graph.py", "import importlib\nm = importlib.import_module('catdsl.train.engine')"),
        ("catdsl/ops/conv.py", "from catdsl.backend.functions import add"),  # allowed in functions only
        ("catdsl/diagnostics/codes.py", "from catdsl.resources import folder"),  # sideways
        ("catdsl/__init__.py", "from catdsl.project import Compilation"),
        ("catdsl/tools/magic.py", ""),  # on no floor
        ("catdsl/cli.py", "from catdsl.tools.magic import wand"),
    ],
)
def test_an_import_that_points_up_is_caught(path: str, text: str) -> None:
    assert len(upward(module(path, text))) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("catdsl/ir/graph.py", "from catdsl.ir.op import Op\nfrom catdsl.diagnostics import Span"),
        ("catdsl/cli.py", "from catdsl import __version__\nfrom catdsl.project import Compilation"),
        ("catdsl/ops/joins.py", "def build():\n    from catdsl.backend.functions import add"),
        ("catdsl/project.py", "def build():\n    import torch\n    from catdsl.train.engine import run"),
    ],
)
def test_what_is_allowed_is_left_alone(path: str, text: str) -> None:
    assert upward(module(path, text)) == hidden(module(path, text)) == []


def test_imports_stand_at_the_top() -> None:
    assert [line for m in package_modules() for line in hidden(m)] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("catdsl/search/plan.py", "def f():\n    import torch"),
        ("catdsl/search/plan.py", "class A:\n    def f(self):\n        from json import dumps"),
        ("catdsl/search/plan.py", "f = lambda: __import__('torch')"),
        ("catdsl/search/plan.py", "for name in names:\n    importlib.import_module(name)"),
        ("catdsl/ops/conv.py", "def f():\n    import networkx"),
        ("catdsl/ops/conv.py", "def f():\n    import torchvision"),
        ("catdsl/project.py", "async def f():\n    import json"),
    ],
)
def test_an_import_hidden_in_a_function_is_caught(path: str, text: str) -> None:
    assert len(hidden(module(path, text))) == 1


def test_pure_floors_load_no_heavy_library() -> None:
    names = [m.name for m in package_modules() if ".".join(m.name.split(".")[:2]) in PURE]
    assert len(names) >= len(PURE)
    assert heavy_after("".join(f"import {name}\n" for name in names)) == []


def test_a_heavy_library_is_caught(tmp_path: Path) -> None:
    (tmp_path / "networkx.py").touch()  # a stand-in: loading the real one takes its time and shows no more
    (tmp_path / "plain.py").write_text("def f():\n    import networkx\nf()\n", encoding="utf-8")
    assert heavy_after("import plain", path=tmp_path) == ["networkx"]


def test_whether_a_run_can_go_on_is_asked_without_a_heavy_library() -> None:
    """Before torch is loaded, so that `--resume` with another spec is refused at once."""
    assert heavy_after("import catdsl.jobs.run_opening") == []


@pytest.mark.parametrize("command", ["check", "info"])
def test_a_spec_is_read_without_a_heavy_library(command: str) -> None:
    arguments = ["catdsl", command, "specs/quickstart.cat"]
    assert heavy_after(f"import sys; sys.argv = {arguments}; from catdsl.cli import main; main()") == []


def test_a_data_folder_is_checked_without_a_heavy_library(tmp_path: Path) -> None:
    for folder in ("photo", "label"):
        (tmp_path / folder).mkdir()
        Image.new("L", (8, 8)).save(tmp_path / folder / "1.png")
    arguments = ["catdsl", "data", "check", str(tmp_path)]
    assert heavy_after(f"import sys; sys.argv = {arguments}; from catdsl.cli import main; main()") == []
