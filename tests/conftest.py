"""What all tests share: surroundings that do not depend on the machine, and the root of the checkout."""

import os
import signal
from pathlib import Path

import pytest

from tests.examples import fix_examples, seed_generators

# Torch and numpy read these when they are first imported. Two processes with a thread per core
# each slow one another down many times over; the tests' networks are too small to gain from more.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

# Output is compared as text: no colours and one width, whatever terminal or service runs the tests.
os.environ |= {"NO_COLOR": "1", "COLUMNS": "80", "LINES": "24", "TERM": "xterm"}
# What shells, services and launchers of several processes may have set; what catdsl itself reads.
for variable in (
    "FORCE_COLOR", "PY_COLORS", "CLICOLOR_FORCE", "GITHUB_ACTIONS", "TTY_COMPATIBLE", "TTY_INTERACTIVE",
    "TERMINAL_WIDTH", "RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT",
    "TORCHELASTIC_RUN_ID", "CATDSL_LIMITS",
):  # fmt: skip
    os.environ.pop(variable, None)
# Commands take a GPU where there is one, and other numbers come out of it.
os.environ |= {"CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": ""}
# What was measured on this machine has no say in tests.
os.environ["XDG_CACHE_HOME"] = os.devnull

# A shell starts what runs in its background deaf to Ctrl-C, and the processes of tests inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

fix_examples()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    seed_generators()


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the checkout."""
    return Path(__file__).resolve().parents[1]
