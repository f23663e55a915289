"""torchvision is mended where its operators are missing, and only there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_IMPORT = """
import sys, warnings
import torch
from catdsl.evaluate.torchvision_operators import import_torchvision

def tried():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            outcome = import_torchvision().__name__
        except Exception as error:
            outcome = f"{type(error).__name__}: {error}"
    return outcome, [str(w.message) for w in caught if "another build" in str(w.message)]

def declared():
    return [n for n in ("nms", "qnms") if getattr(torch.ops.torchvision, n, None) is not None]

def forget():
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
"""

# As torchvision does it: a description of an operator, in a module that its `__init__` imports.
_DESCRIBE = """
import torch
@torch.library.register_fake("torchvision::{name}")
def {name}(dets, scores, iou_threshold):
    return dets.new_empty(3, dtype=torch.long)
"""


def run(root: Path, code: str, *, before: Path | None = None) -> str:
    """What a fresh interpreter prints, with the folder `before` ahead of all others."""
    path = os.pathsep.join(str(p) for p in (before, root) if p)
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT + code], capture_output=True, text=True, cwd=before or root,
        env={**os.environ, "PYTHONPATH": path}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def write_package(folder: Path, init: str, **modules: str) -> None:
    package = folder / "torchvision"
    package.mkdir(exist_ok=True)
    (package / "__init__.py").write_text(f"__version__ = '7'\n{init}", encoding="utf-8")
    for name, text in modules.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")


def test_missing_operators_are_declared(root, tmp_path):
    counting = "import sys\nsys.imported = getattr(sys, 'imported', 0) + 1\n"
    descriptions = _DESCRIBE.format(name="nms") + _DESCRIBE.format(name="qnms")
    write_package(
        tmp_path, "from torchvision import before, descriptions\n", before=counting, descriptions=descriptions
    )
    code = """
print(*tried(), declared(), sep="\\n")
print(torch.ops.torchvision.nms(torch.empty(2, 4, device="meta"), torch.empty(2, device="meta"), 0.5).shape)
try:
    torch.ops.torchvision.nms(torch.empty(2, 4), torch.empty(2), 0.5)
except NotImplementedError as error:
    print("refused")
print(*tried(), sep="\\n")
print(sys.imported)
"""
    outcome, warned, names, shape, refused, again, silent, imported = run(root, code, before=tmp_path).splitlines()
    assert outcome == again == "torchvision"
    assert "torchvision 7 was compiled for another build of torch" in warned
    assert names == "['nms', 'qnms']"
    assert shape == "torch.Size([3])"
    assert refused == "refused"  # nothing computes it, and it says so
    assert silent == "[]"
    assert imported == "2"  # nothing was kept of the first attempt


def test_an_operator_that_is_there_is_kept(root, tmp_path):
    """Compiled operators of an older version may know `nms` and not `qnms`."""
    write_package(tmp_path, "from torchvision import qnms\n", qnms=_DESCRIBE.format(name="qnms"))
    code = """
torch.library.define("torchvision::nms", "(Tensor dets) -> Tensor")
print(tried()[1], torch.ops.torchvision.nms.default._schema)
"""
    out = run(root, code, before=tmp_path)
    assert "without the operators qnms" in out
    assert "nms(Tensor dets) -> Tensor" in out


def test_all_else_is_left_alone(root, tmp_path):
    cases = (
        "",
        "raise RuntimeError('operator torchvision::warp does not exist')",
        "raise RuntimeError('at start: operator torchvision::nms does not exist')",
        "raise RuntimeError('operator torchaudio::nms does not exist')",
        "raise ImportError('operator torchvision::nms does not exist')",
    )
    for number, init in enumerate(cases):
        (tmp_path / str(number)).mkdir()
        write_package(tmp_path / str(number), init)
    code = f"""
for number in range({len(cases)}):
    sys.path.insert(0, f"{{number}}")
    print(*tried(), declared())
    forget()
"""
    assert run(root, code, before=tmp_path).splitlines() == [
        "torchvision [] []",
        "RuntimeError: operator torchvision::warp does not exist [] []",
        "RuntimeError: at start: operator torchvision::nms does not exist [] []",
        "RuntimeError: operator torchaudio::nms does not exist [] []",
        "ImportError: operator torchvision::nms does not exist [] []",
    ]


@pytest.mark.slow
def test_the_torchvision_that_is_installed(root):
    """Mended or not, torch-fidelity can be imported after it, and a warning says which."""
    code = """
try:
    import torchvision
    works = True
except RuntimeError:
    works = False
outcome, warned = tried()
import torch_fidelity
print(outcome, len(warned) == (not works), torch_fidelity.__name__)
"""
    assert run(root, code).split() == ["torchvision", "True", "torch_fidelity"]


@pytest.mark.slow
def test_nothing_heavy_is_imported_at_start(root):
    code = """
import importlib, pathlib
for path in pathlib.Path("catdsl/evaluate").glob("*.py"):
    importlib.import_module(f"catdsl.evaluate.{path.stem}")
print(sorted({"torchvision", "torch_fidelity"} & set(sys.modules)))
"""
    assert run(root, code) == "[]\n"
