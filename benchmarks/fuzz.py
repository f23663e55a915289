"""Throw programs at the front end: each must give a graph or diagnostics, in 2 s and 500 MB.

    .venv/bin/python -m benchmarks.fuzz --programs 200000 --seed 1

They are shipped specs and programs of the reference with other numbers (15 %), with one to four
mutations (25 %), with many and with large numbers (30 %); soups of the language's tokens (20 %),
and random bytes in files (10 %). What is accepted is also formatted, twice. Every batch runs in a process of
its own, whose peak memory is that of its worst program and what Python itself holds.
"""

import argparse
import multiprocessing
import random
import resource
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from catdsl.diagnostics import CatError
from catdsl.diagnostics.render import render_github, render_json, render_text
from catdsl.project import load
from catdsl.syntax.layout import format_text
from tests.semantics.test_mutations import _INSERTED, _TOKEN, mutated, seeds

ROOT = Path(__file__).resolve().parents[1]
BATCH = 500
SECONDS = 2.0
MEGABYTES = 500
HANGS = 30.0
SMALL = ("0", "1", "2", "3", "4", "5", "7", "8", "12", "16", "24", "32", "64")
NUMBERS = ("10000", "65536", "1e9", "9999", "127", "4096", "1e18", "0.000001", "50000")


@dataclass
class Found:
    """What a batch of programs came to."""

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    slowest_text: str = ""
    megabytes: float = 0.0
    failures: list[tuple[str, str]] = field(default_factory=list)


def program(rng: random.Random, texts: list[str], tokens: list[str], folder: Path) -> str | Path:
    """A text, or a file of random bytes."""
    kind = rng.random()
    text = rng.choice(texts)
    if kind < 0.15:
        return _renumbered(text, rng, 0.3, (*SMALL, *NUMBERS))
    if kind < 0.4:
        return mutated(text, rng, tokens) + "\n#{}\n"
    if kind < 0.7:
        for _ in range(rng.randrange(1, 12)):
            text = mutated(text, rng, tokens)
        return _renumbered(text, rng, 0.15, NUMBERS)
    if kind < 0.9:
        return " ".join(rng.choice(rng.choice((tokens, _INSERTED))) for _ in range(rng.randrange(400))) + "\n#{}\n"
    path = folder / "random.cat"
    path.write_bytes(rng.randbytes(rng.randrange(2000)))
    return path


def _renumbered(text: str, rng: random.Random, share: float, numbers: Sequence[str]) -> str:
    parts = _TOKEN.findall(text)
    for place in [i for i, part in enumerate(parts) if part[0].isdigit() and rng.random() < share]:
        parts[place] = rng.choice(numbers)
    return "".join(parts) + "\n#{}\n"


def attempt(given: str | Path, found: Found) -> None:
    """Load one program; note how it ended, and how long that took."""
    began = time.process_time()
    try:
        project = load(given)
        _ = project.graph, project.cost
        outcome = "graphs"
    except CatError as error:
        render_text(error.diagnostics, error.sources), render_github(error.diagnostics), render_json(error.diagnostics)
        outcome = "diagnostics"
    except Exception as error:
        outcome = "other exceptions"
        found.failures.append((repr(error), str(given)))
    spent = time.process_time() - began
    found.outcomes[outcome] += 1
    if spent > found.slowest:
        found.slowest, found.slowest_text = spent, str(given)
    if spent > SECONDS:
        found.failures.append((f"took {spent:.1f} s", str(given)))
    if outcome == "graphs" and isinstance(given, str):
        made = format_text(given, "<text>")
        if format_text(made, "<text>") != made:
            found.failures.append(("formatted twice differs", given))


def batch(seed: int) -> Found:
    """Some programs; to be called in a process of its own."""
    rng = random.Random(seed)
    texts = seeds(ROOT)
    tokens = sorted({t for text in texts for t in _TOKEN.findall(text)})
    found = Found()
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(BATCH):
            given = program(rng, texts, tokens, Path(folder))
            signal.setitimer(signal.ITIMER_PROF, HANGS)
            try:
                attempt(given, found)
            except TimeoutError:
                found.failures.append(("hangs", str(given)))
    signal.setitimer(signal.ITIMER_PROF, 0)
    found.megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if found.megabytes > MEGABYTES:
        found.failures.append((f"{found.megabytes:.0f} MB", f"seed {seed}"))
    return found


def _expire(*_: object) -> None:
    raise TimeoutError


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--programs", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    signal.signal(signal.SIGPROF, _expire)
    total = Found()
    began = time.perf_counter()
    seeds_of_batches = [asked.seed * 1_000_000 + i for i in range(-(-asked.programs // BATCH))]
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        for found in pool.imap(batch, seeds_of_batches):
            total.outcomes += found.outcomes
            total.failures += found.failures
            total.megabytes = max(total.megabytes, found.megabytes)
            if found.slowest > total.slowest:
                total.slowest, total.slowest_text = found.slowest, found.slowest_text
    print(f"{sum(total.outcomes.values()):,} programs in {time.perf_counter() - began:.0f} s: ", end="")
    print(", ".join(f"{count:,} {outcome}" for outcome, count in total.outcomes.items()))
    print(f"slowest {total.slowest:.2f} s of processor time, largest process {total.megabytes:.0f} MB")
    print(f"\n==== the slowest\n{total.slowest_text}")
    for reason, text in total.failures[:20]:
        print(f"\n==== {reason}\n{text}")
    raise SystemExit(bool(total.failures))


if __name__ == "__main__":
    main()
