"""What all tests share: surroundings that do not depend on the machine, and the root of the checkout."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Torch and numpy read these when they are first imported. Two processes with a thread per core
# each slow one another down many times over; the tests' networks are too small to gain from more.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# Output is compared as text: no colours, whatever terminal or service runs the tests.
for variable in ("FORCE_COLOR", "PY_COLORS", "CLICOLOR_FORCE", "GITHUB_ACTIONS"):
    os.environ.pop(variable, None)
os.environ["NO_COLOR"] = "1"
# What was measured on this machine has no say in tests.
os.environ["XDG_CACHE_HOME"] = os.devnull

# Times differ between machines and prove nothing here, so no deadline. Under CI the examples are
# the same in every run: a failure there is one that anybody can repeat.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the checkout."""
    return Path(__file__).resolve().parents[1]
