"""What tests draw at random: the same on every machine, or anew and more of it under `make fuzz`."""

import os
import random
import sys

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

SEED_VARIABLE, TIMES_VARIABLE = "CATDSL_FUZZ_SEED", "CATDSL_FUZZ_TIMES"
# Without a seed, Hypothesis draws from the text of each test.
SEED = int(os.environ[SEED_VARIABLE]) if os.environ.get(SEED_VARIABLE) else None
TIMES = int(os.environ.get(TIMES_VARIABLE) or 1)
_DEFAULT = 100  # examples of a property that asks for no number


def examples(count: int) -> int:
    """How many examples a property draws that draws `count` in `make test`: `@settings(max_examples=examples(60))`."""
    return count * TIMES


def fix_examples() -> None:
    """Make examples depend on nothing but the tests, or the seed; to be called before tests are imported.

    Hypothesis also draws constants that it finds in those modules of the project that are loaded, and
    so other examples after other tests, in another number of processes, and in a folder named `test`.
    """
    providers._get_local_constants = lambda: providers._local_constants  # none, unless that function looks for them
    # Times differ between machines and prove nothing here, so no deadline.
    own = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
    # Either way nothing is kept for the next run, which would begin with it.
    settings.register_profile("same", own, max_examples=examples(_DEFAULT), derandomize=True, database=None)
    settings.register_profile("anew", own, max_examples=examples(_DEFAULT), derandomize=False, database=None)
    settings.load_profile("same" if SEED is None else "anew")


def seed_generators() -> None:
    """Put the generators that everything shares in one state, whatever ran before."""
    random.seed(SEED or 0)
    np.random.seed((SEED or 0) % 2**32)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(SEED or 0)
