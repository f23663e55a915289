"""Several processes that share a batch do what one process does with the whole of it."""

import socket
import subprocess
import sys

import pytest
import torch

from tests.train.shared_step import build, steps

# In float64: what is left is the order of sums.
TOLERANCE = 1e-8


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def in_processes(root, file, system, similarity, world):
    port = free_port()
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.train.shared_step", system, similarity]
            + [str(a) for a in (rank, world, port, file)],
            cwd=root,
        )
        for rank in range(world)
    ]
    assert [p.wait(timeout=120) for p in processes] == [0] * world
    return torch.load(file)


def assert_same(first, second):
    (losses, state), (other_losses, other_state) = first, second
    assert losses.keys() == other_losses.keys()
    for name, value in losses.items():
        assert other_losses[name] == pytest.approx(value, rel=TOLERANCE, abs=TOLERANCE), name
    assert state.keys() == other_state.keys()
    for name, tensor in state.items():
        assert torch.allclose(tensor.double(), other_state[name].double(), rtol=TOLERANCE, atol=TOLERANCE), name


@pytest.mark.parametrize(
    ("system", "similarity"),
    [
        ("distillation", "gka"),
        *(pytest.param("distillation", s, marks=pytest.mark.slow) for s in ("gcka", "ka", "mse")),
        pytest.param("paired", "none", marks=pytest.mark.slow),
        ("cyclegan", "none"),
        ("gaugan", "none"),
    ],
)
def test_two_processes_with_half_the_batch_each(root, tmp_path, system, similarity):
    """Batch norms, alignment, pool, clipping and adapters included."""
    alone = steps(build(system, similarity), 0, 1)
    assert_same(alone, in_processes(root, tmp_path / "two.pt", system, similarity, 2))


def test_an_error_of_one_process_is_told_by_all(root):
    port = str(free_port())
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.train.shared_error", str(rank), port],
            cwd=root, text=True, stdout=subprocess.PIPE,
        )
        for rank in range(2)
    ]  # fmt: skip
    told = [p.communicate(timeout=120)[0] for p in processes]
    assert told[0] == told[1]
    assert "gone.png does not exist" in told[0]


@pytest.mark.slow
def test_four_processes(root, tmp_path):
    alone = steps(build("distillation", "gka"), 0, 1)
    assert_same(alone, in_processes(root, tmp_path / "four.pt", "distillation", "gka", 4))
