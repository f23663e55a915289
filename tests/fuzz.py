"""Draw the examples of all property tests anew, and throw programs at the front end: `make fuzz`.

    .venv/bin/python -m tests.fuzz --times 20
    .venv/bin/python -m tests.fuzz --times 20 --seed 123    # the same once more

Each round has a seed, which is said when it begins and when it fails, with the command that repeats it.
"""

import argparse
import os
import secrets
import subprocess
import sys
import time

from tests.examples import SEED_VARIABLE, TIMES_VARIABLE

_PROGRAMS = 1000  # for each time


def _round(seed: int, times: int, only: str) -> bool:
    """Whether all properties hold of the examples of one seed."""
    again = f"make fuzz SEED={seed} TIMES={times}" + (f" ONLY='{only}'" if only else "")
    print(f"seed {seed}, {times} times as many examples as in `make test`; to repeat it: {again}", flush=True)
    python, began = [sys.executable, "-m"], time.monotonic()
    tests = ["pytest", "-m", "hypothesis", "-n", "auto", "--dist", "worksteal", f"--hypothesis-seed={seed}"]
    commands = [[*python, *tests, *(["-k", only] if only else [])]]
    if not only:
        commands.append([*python, "benchmarks.fuzz", "--programs", str(_PROGRAMS * times), "--seed", str(seed)])
    surroundings = {**os.environ, SEED_VARIABLE: str(seed), TIMES_VARIABLE: str(times)}
    failed = [command[2] for command in commands if subprocess.run(command, env=surroundings, check=False).returncode]
    print(f"seed {seed}: {time.monotonic() - began:.0f} s, ", end="")
    print(f"FAILED in {' and '.join(failed)}; to repeat it: {again}" if failed else "nothing found", flush=True)
    return not failed


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, help="of the first round; drawn unless given")
    options.add_argument("--times", type=int, default=20, help="how many times as many examples as in `make test`")
    options.add_argument("--minutes", type=float, default=0, help="go on with further seeds until these are over")
    options.add_argument("--only", default="", help="tests by a part of their name, as pytest's -k")
    asked = options.parse_args()
    if asked.times < 1:
        options.error("--times is 1 or more")
    end = time.monotonic() + 60 * asked.minutes
    seed = asked.seed if asked.seed is not None else secrets.randbelow(10**9)
    while _round(seed, asked.times, asked.only):
        seed += 1
        if time.monotonic() >= end:
            return
    raise SystemExit(1)


if __name__ == "__main__":
    main()
