"""Speed and memory: networks in turn, in the mode and precision that is stated, and counted to the byte."""

import os
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from catdsl.analysis.memory import peak_memory
from catdsl.backend import timing
from catdsl.backend.timing import alternating_seconds
from catdsl.diagnostics import CatError
from catdsl.evaluate import speed
from catdsl.evaluate.memory import peak_bytes
from catdsl.evaluate.speed import measure_speed
from catdsl.project import load
from tests.train.tiny_networks import TinyGenerator


def test_networks_take_turns() -> None:
    turns: list[str] = []
    calls = {name: lambda name=name: turns.append(name) for name in "ABC"}
    seconds = alternating_seconds(calls, "cpu", runs=2)
    assert "".join(turns) == "ABC" * 5
    assert {name: len(times) for name, times in seconds.items()} == {"A": 2, "B": 2, "C": 2}
    assert min(map(min, seconds.values())) > 0


def test_the_warm_up_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0, 100, 0, 100, 0, 100, 0, 1, 0, 2])
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock))
    assert alternating_seconds({"A": lambda: None}, "cpu", runs=2) == {"A": [1, 2]}


def test_median_and_quartiles_of_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {"network": [0.010, 0.004, 0.006, 0.002, 0.008]}
    monkeypatch.setattr(speed, "alternating_seconds", lambda *_, **__: times)
    measured = measure_speed({"network": TinyGenerator()}, channels=3, size=(4, 6), runs=5, batch=2)["network"]
    assert (measured.low_ms, measured.median_ms, measured.high_ms) == pytest.approx((2, 3, 4))
    assert measured.images_per_second == pytest.approx(2 / 0.006)
    assert (measured.batch, measured.size, measured.runs) == (2, (4, 6), 5)
    assert (measured.threads, measured.precision, measured.device) == (torch.get_num_threads(), "fp32", "cpu")
    with pytest.raises(FrozenInstanceError):
        measured.runs = 6  # type: ignore[misc]


def test_networks_are_run_as_they_are_used() -> None:
    seen: list[tuple[str, bool, bool, tuple[int, ...]]] = []
    networks = {"teacher": TinyGenerator(width=8), "student": TinyGenerator(width=2)}
    for name, network in networks.items():
        network.last.eval()
        network.register_forward_hook(
            lambda module, given, _, name=name: seen.append(
                (name, module.training, torch.is_grad_enabled(), tuple(given[0].shape))
            )
        )
    before = {name: {k: v.clone() for k, v in network.state_dict().items()} for name, network in networks.items()}
    measured = measure_speed(networks, channels=3, size=(16, 24), runs=4, batch=2)
    # Warm-up and runs in turn, then one pass of each for its memory.
    assert [name for name, *_ in seen] == ["teacher", "student"] * 8
    assert {tuple(facts) for _, *facts in seen} == {(False, False, (2, 3, 16, 24))}
    for name, network in networks.items():
        assert (network.training, network.norm.training, network.last.training) == (True, True, False)
        assert all(torch.equal(v, before[name][k]) for k, v in network.state_dict().items())
    assert measured["student"].peak_bytes < measured["teacher"].peak_bytes
    assert all(0 < m.low_ms <= m.median_ms <= m.high_ms for m in measured.values())


def test_precision_is_that_of_the_computation() -> None:
    made: list[torch.dtype] = []
    network = nn.Conv2d(3, 4, 3)
    network.register_forward_hook(lambda _, __, result: made.append(result.dtype))
    for precision in ("fp32", "bf16"):
        measured = measure_speed({"a": network}, channels=3, size=(8, 8), runs=1, precision=precision)
        assert measured["a"].precision == precision
    assert set(made[:5]) == {torch.float32}
    assert set(made[5:]) == {torch.bfloat16}
    with pytest.raises(CatError, match=r"E607.*fp16"):
        measure_speed({"a": network}, channels=3, size=(8, 8), runs=1, precision="fp16")


class Chain(nn.Module):
    """Of N bytes in: a (N) and b (2 N) live together, then b and c (N); nothing else is allocated."""

    def forward(self, x: Tensor) -> Tensor:
        a = torch.relu(x)
        b = torch.cat((a, a), 1)
        del a
        return torch.relu(b[:, : x.shape[1]])


def test_memory_is_counted_to_the_byte() -> None:
    x = torch.ones(1, 4, 32, 32)
    assert peak_bytes(lambda: Chain()(x), "cpu") == 3 * x.nbytes
    assert peak_bytes(lambda: x.view(-1), "cpu") == 0
    assert peak_bytes(lambda: torch.relu(x).sum().item(), "cpu") == x.nbytes + 4


def test_memory_that_operators_hold_for_themselves_counts() -> None:
    x = torch.ones(1, 4, 32, 32)
    with torch.no_grad():
        padded = nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect")
        assert peak_bytes(lambda: padded(x), "cpu") >= x.nbytes + 4 * 4 * 34 * 34


def test_other_devices_keep_no_account() -> None:
    assert peak_bytes(lambda: None, "meta") is None


def test_measured_and_predicted_memory_agree(root: Path) -> None:
    project = load(root / "specs" / "quickstart.cat")
    graph = project.teacher_graph
    source = graph.inputs[0]
    size, channels = (source.type.height, source.type.width), graph.channels(source.name)
    network = project.teacher(seed=0)
    (measured,) = measure_speed({"a": network}, channels=channels, size=size, runs=1).values()
    # The prediction counts the input, and not what convolutions unfold.
    activations = peak_memory(graph).bytes - 4 * channels * size[0] * size[1]
    assert activations <= measured.peak_bytes < 6 * activations


@pytest.mark.slow
def test_the_profiler_stays_silent(root: Path) -> None:
    code = (
        "import os, torch; from catdsl.evaluate.memory import peak_bytes;"
        "print(peak_bytes(lambda: torch.ones(8), 'cpu'), 'KINETO_LOG_LEVEL' in os.environ)"
    )
    surroundings = {name: value for name, value in os.environ.items() if name != "KINETO_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=surroundings, capture_output=True, text=True, check=True
    )
    assert done.stdout == "32 False\n"
    assert done.stderr == ""
