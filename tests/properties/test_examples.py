"""Examples are the same on every machine and after any other test, and others for another seed."""

import ast
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from tests.examples import SEED_VARIABLE, TIMES_VARIABLE, examples, seed_generators

# Numbers and words, from which constants of loaded modules can be told.
_DRAWN = """
import sys
if "loaded" in sys.argv:
    import catdsl.cli, catdsl.passes.pipeline, catdsl.view.svg
import tests.conftest
from hypothesis import core, given, strategies as st
core.global_force_seed = int(sys.argv[1]) if sys.argv[1] else None

@given(st.lists(st.integers() | st.floats() | st.text(), max_size=5))
def draw(values):
    print(ascii(values))

draw()
"""


def drawn(root: Path, *how: str, seed: int | None = None, times: int = 1, **more: str) -> list[str]:
    """What a process of its own draws."""
    fuzzed = {} if seed is None else {SEED_VARIABLE: str(seed), TIMES_VARIABLE: str(times)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CATDSL_FUZZ")}
    done = subprocess.run(
        [sys.executable, "-c", _DRAWN, "" if seed is None else str(seed), *how], cwd=root, capture_output=True,
        text=True, check=True, env={**kept, "PYTHONPATH": str(root), **fuzzed, **more},
    )  # fmt: skip
    return done.stdout.splitlines()


def test_examples_are_the_same_everywhere(root: Path) -> None:
    first = drawn(root, PYTHONHASHSEED="1")
    assert len(set(first)) > 90
    assert drawn(root, "loaded", PYTHONHASHSEED="2", CI="1") == first


def test_a_seed_draws_other_examples_and_the_same_again(root: Path) -> None:
    first = drawn(root, seed=1, times=3)
    assert len(first) == 300
    assert drawn(root, "loaded", seed=1, times=3, PYTHONHASHSEED="3") == first
    assert len(set(first) & set(drawn(root, seed=2, times=3))) < 100
    assert len(set(first) & set(drawn(root))) < 50


def test_nothing_is_kept_for_the_next_run() -> None:
    assert settings().database is None
    assert settings().print_blob


def test_generators_that_tests_share_are_seeded() -> None:
    found = []
    for _ in range(2):
        seed_generators()
        found.append(random.random())
    assert found[0] == found[1]


# ---- every property takes part ----


def fixed_numbers(text: str) -> list[int]:
    """Lines where `max_examples` is a number that no fuzzing raises."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return [
        call.lineno
        for call in calls
        for keyword in call.keywords
        if keyword.arg == "max_examples" and isinstance(keyword.value, ast.Constant)
        # What only counts what a strategy draws has its own examples.
        if not any(k.arg == "derandomize" for k in call.keywords)
    ]


def test_every_property_draws_more_under_fuzzing(root: Path) -> None:
    paths = sorted((root / "tests").rglob("*.py"))
    assert [
        f"{path.relative_to(root)}:{line}" for path in paths for line in fixed_numbers(path.read_text("utf-8"))
    ] == []


def test_a_fixed_number_is_found() -> None:
    text = "@settings(max_examples=60)\ndef f(): ...\n\n@settings(max_examples=examples(60))\ndef g(): ...\n"
    assert fixed_numbers(text) == [1]
    assert examples(7) % 7 == 0


# ---- the command ----


def fuzz(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz", *options], cwd=root, capture_output=True, text=True, check=False,
        env={
            **os.environ, "PYTHONPATH": str(root), "PYTEST_XDIST_AUTO_NUM_WORKERS": "1",
            "PYTEST_ADDOPTS": "tests/view/test_axes.py",
        },
    )  # fmt: skip


@pytest.mark.slow
def test_the_command_says_the_seed_and_how_to_repeat_it(root: Path) -> None:
    done = fuzz(root, "--times", "2", "--seed", "5", "--only", "test_axes")
    first, *_, last = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout
    assert "make fuzz SEED=5 TIMES=2 ONLY='test_axes'" in first
    assert last.startswith("seed 5: ")
    assert last.endswith("nothing found")


@pytest.mark.slow
def test_the_command_says_so_where_something_fails(root: Path) -> None:
    done = fuzz(root, "--only", "no test has this name")
    first, *_, last = done.stdout.splitlines()
    seed = first.split(",")[0].removeprefix("seed ")
    assert done.returncode == 1
    assert f"FAILED in pytest; to repeat it: make fuzz SEED={seed} TIMES=20" in last
