"""A tiny spec, its embedded scenes in a cache of their own, and the command line as users call it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from catdsl.cli import main
from catdsl.jobs.run_opening import open_run
from catdsl.limits import VARIABLE
from catdsl.project import load

TINY = """
use inc_res from std.inception
param ngf = 8
style { norm = batch, bias = auto, pad = reflect, init = normal(0.02) }
generator tiny {
    input labels: image(3, 16, 16)
    stem = labels -> conv(ngf, 3) -> norm -> relu -> conv(2 * ngf, 3, stride = 2, pad = zero) -> norm -> relu
    body = stem -> 2 * inc_res(kernels = [1, 3])
    head = body -> deconv(ngf, 3) -> norm -> relu -> conv(3, 3) -> tanh
    output head
}
search  { floor = 2 }
data    { load = 18, crop = 16 }
train   { batch = 4, ndf = 4, discriminator_layers = 1, epochs = 1, decay_epochs = 1, lr = 1e-3,
          checkpoint_every = 3 }
distill { taps = [stem, body[1]], similarity = gka, weight = 1.0 }
evaluate { timing_runs = 2 }
"""


@dataclass(frozen=True)
class Done:
    stdout: str
    stderr: str
    code: int = 0


class Cli:
    """Runs `catdsl` in a folder: here, so that torch is loaded once, or as a process that can be killed."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch, cache: Path):
        self.folder, self.capture, self.patch, self.cache = folder, capture, patch, cache

    def __call__(self, *arguments: object, code: int | tuple[int, ...] = 0) -> Done:
        self.patch.setattr(sys, "argv", ["catdsl", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        out, err = self.capture.readouterr()
        ended = stopped.value.code or 0
        assert ended in (code if isinstance(code, tuple) else (code,)), out + err
        return Done(out, err, ended)

    def start(
        self, *arguments: object, launcher: tuple[str, ...] = (), stderr: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """A process of its own, or those of a `launcher`: a module and its arguments, before `catdsl`."""
        modules = (*launcher, "catdsl")
        return subprocess.Popen(
            [sys.executable, "-m", *modules, *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, "OMP_NUM_THREADS": str(threads())},
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )

    def begun(self, spec: str = "tiny.cat", run: str = "run") -> Path:
        """A run folder of which nothing is trained yet."""
        open_run(self.folder / run, load(self.folder / spec), {}, resume=False)
        return self.folder / run


def threads() -> int:
    """Sums depend on how many threads share them: processes must use as many as this one."""
    return torch.get_num_threads()


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def cli(tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    (tmp_path / "tiny.cat").write_text(TINY, encoding="utf-8")
    # What a command is told by --limit ends with the test.
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    return Cli(tmp_path, capsys, monkeypatch, cache)
