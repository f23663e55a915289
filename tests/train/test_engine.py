"""The loop: what it leaves behind, how it stops, and that going on changes nothing."""

import json
import math
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.optim import SGD

from catdsl.diagnostics import CatError
from catdsl.train.checkpoint import load_checkpoint
from catdsl.train.data.batches import plain_batches, training_batches
from catdsl.train.data.prefetch import Prefetched
from catdsl.train.discriminator import build_discriminator
from catdsl.train.engine import Run, run_training
from catdsl.train.metrics import read_metrics
from catdsl.train.recipe import Recipe
from catdsl.train.schedule import Schedule
from catdsl.train.stopping import StopRequest
from catdsl.train.systems.judge import Judge
from catdsl.train.systems.paired import Paired
from catdsl.train.systems.system import Loss, Phase, System
from tests.train.full_disk import files_of_at_most
from tests.train.tiny_networks import NoisyGenerator

STEPS = Schedule(6, 4)
RECIPE = Recipe(gan="hinge", gan_weight=1.0, recon=10.0, epochs=1, decay_epochs=0, batch=2, lr=1e-3, betas=(0.5, 0.999))


def system(seed=0):
    judge = build_discriminator(channels=6, size=(32, 32), width=4, layers=2, seed=0)
    return Paired(NoisyGenerator(width=4, seed=seed), Judge(judge, RECIPE), RECIPE)


def started(
    folder,
    paired,
    made=None,
    *,
    schedule=STEPS,
    settings=None,
    resume=False,
    samples=False,
    seed=0,
    recipe=RECIPE,
    batches=None,
    **more,
):
    run = Run(
        folder=folder,
        seed=seed,
        recipe=recipe,
        settings=settings or {"lr": 0.1},
        checkpoint_every=4,
        sample_every=5,
        resume=resume,
        **more,
    )
    batch = next(plain_batches(paired.validation, batch=2)) if samples else None
    batches = batches or training_batches(paired, batch=2, seed=seed)
    return run_training(made or system(), batches, schedule=schedule, run=run, sample_batch=batch)


def in_step(made, step, happens):
    """Let something happen in the middle of a step, counted from 1."""
    calls = []

    def hook(*_):
        calls.append(1)
        if len(calls) == step:
            happens()

    made.networks["generator"].register_forward_hook(hook)


def weights(folder):
    networks = load_checkpoint(folder / "checkpoint.pt").networks
    return {f"{n}.{k}": t for n, state in networks.items() for k, t in state.items()}


def assert_equal(first, second):
    assert first.keys() == second.keys()
    assert all(torch.equal(first[k], second[k]) for k in first)


class Scripted(System):
    """One weight; at `at_step` (from 1) it does what `happens` says, and its loss is what that returns."""

    def __init__(self, at_step, happens):
        self.network = nn.Linear(1, 1)
        self.step, self.at_step, self.happens = 0, at_step, happens
        self.optimiser = SGD(
            [{"params": list(self.network.parameters()), "initial_lr": 0.5, "name": "generator"}], lr=0.5
        )
        self.rates = []

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        return {"generator": self.network}

    @property
    def generators(self):
        return ("generator",)

    @property
    def phases(self):
        return (Phase("generator", self.optimiser, self.loss),)

    @property
    def pools(self):
        return {}

    def loss(self, batch, made):
        self.step += 1
        self.rates.append(self.optimiser.param_groups[0]["lr"])
        value = self.happens(self) if self.step == self.at_step else None
        shown = {"recon": torch.tensor(1.0), "gan": torch.tensor(1.0 if value is None else value)}
        return Loss(self.network.weight.sum() * 0.0, shown)

    def sample(self, batch):
        return {"input": batch.input_BCHW}


def test_what_a_run_leaves(tmp_path, paired):
    outcome = started(tmp_path / "run", paired, samples=True)
    assert (outcome.step, outcome.total_steps, outcome.finished, outcome.stopped_by) == (10, 10, True, None)
    assert outcome.checkpoint == tmp_path / "run" / "checkpoint.pt"
    assert load_checkpoint(outcome.checkpoint).step == 10
    records = read_metrics(tmp_path / "run" / "metrics.jsonl")
    assert [r["step"] for r in records] == list(range(1, 11))
    assert [r["epoch"] for r in records] == [1] * 5 + [2] * 5
    assert records[0].keys() == {"step", "epoch", "lr", "discriminator", "gan", "recon", "total", "seconds"}
    assert {n: records[-1][n] for n in outcome.losses} == dict(outcome.losses)
    assert sorted(p.name for p in (tmp_path / "run" / "samples").iterdir()) == [
        "step_000005.png",
        "step_000010.png",
    ]
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [
        "checkpoint.pt",
        "metrics.jsonl",
        "samples",
    ]


def test_the_rate_follows_the_schedule(tmp_path, paired):
    made = Scripted(0, None)
    started(tmp_path, paired, made)
    assert made.rates == pytest.approx([0.5 * STEPS.factor(s) for s in range(10)])
    assert [r["lr"] for r in read_metrics(tmp_path / "metrics.jsonl")] == pytest.approx(made.rates)


def test_the_same_run_twice_and_another_seed(tmp_path, paired):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        torch.manual_seed(hash(name) % 1000)
        started(tmp_path / name, paired, system(), seed=seed)
    a, b, c = (weights(tmp_path / name) for name in "abc")
    assert_equal(a, b)
    assert any(not torch.equal(a[k], c[k]) for k in a)


def test_the_callers_randomness_is_left_alone(tmp_path, paired):
    made = system()
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    started(tmp_path, paired, made)
    assert torch.equal(torch.rand(2), expected)


def test_sampling_and_checkpoints_do_not_change_the_result(tmp_path, paired):
    started(tmp_path / "a", paired, samples=True)
    started(tmp_path / "b", paired, samples=False)
    assert_equal(weights(tmp_path / "a"), weights(tmp_path / "b"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_in_order_and_it_goes_on_exactly(tmp_path, paired, number, capsys):
    started(tmp_path / "whole", paired)
    made = system()
    in_step(made, 3, lambda: os.kill(os.getpid(), number))
    before = signal.getsignal(number)
    outcome = started(tmp_path / "run", paired, made)
    assert signal.getsignal(number) is before
    assert (outcome.step, outcome.finished, outcome.stopped_by) == (3, False, number.name)
    assert load_checkpoint(outcome.checkpoint).step == 3
    assert f"stopped by {number.name} after step 3 of 10; checkpoint saved" in capsys.readouterr().err
    outcome = started(tmp_path / "run", paired, system(seed=9), resume=True)
    assert outcome.finished
    assert_equal(weights(tmp_path / "run"), weights(tmp_path / "whole"))
    assert [r["step"] for r in read_metrics(tmp_path / "run" / "metrics.jsonl")] == list(range(1, 11))


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Python's own handler of SIGINT, which a process that was started in the background has not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
def test_a_second_signal_is_not_held_back():
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.reason == "SIGINT"
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_training_in_another_thread_catches_no_signals(tmp_path, paired):
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(started(tmp_path, paired, Scripted(0, None))))
    thread.start()
    thread.join()
    assert outcomes[0].finished


def test_an_exception_in_a_step_goes_on_from_the_last_checkpoint(tmp_path, paired):
    started(tmp_path / "whole", paired)
    made = system()

    def fail():
        raise RuntimeError("out of memory")

    in_step(made, 7, fail)
    with pytest.raises(RuntimeError, match="memory"):
        started(tmp_path / "run", paired, made)
    assert load_checkpoint(tmp_path / "run" / "checkpoint.pt").step == 4
    assert len(read_metrics(tmp_path / "run" / "metrics.jsonl")) == 6
    started(tmp_path / "run", paired, system(seed=9), resume=True)
    assert_equal(weights(tmp_path / "run"), weights(tmp_path / "whole"))
    assert [r["step"] for r in read_metrics(tmp_path / "run" / "metrics.jsonl")] == list(range(1, 11))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_ends_the_run(tmp_path, paired, value):
    with pytest.raises(CatError) as caught:
        started(tmp_path, paired, Scripted(6, lambda _: value))
    (found,) = caught.value.diagnostics
    assert found.code == "E606"
    assert "step 6" in found.message
    assert f"gan = {value}" in found.message
    assert str(tmp_path / "checkpoint.pt") in found.notes[0]
    assert load_checkpoint(tmp_path / "checkpoint.pt").step == 4
    assert len(read_metrics(tmp_path / "metrics.jsonl")) == 5


def test_weights_that_are_no_numbers_replace_no_checkpoint(tmp_path, paired):
    def ruin(made):
        made.network.weight.data.fill_(math.inf)

    with pytest.raises(CatError, match=r"E606.*step 8.*weights of the generator"):
        started(tmp_path, paired, Scripted(7, ruin))
    checkpoint = load_checkpoint(tmp_path / "checkpoint.pt")
    assert checkpoint.step == 4
    assert checkpoint.networks["generator"]["weight"].isfinite().all()


def test_a_full_disk_ends_the_run_and_leaves_the_last_checkpoint(tmp_path, paired):
    """The first checkpoint holds no moments of Adam yet; for the next one there is no room."""
    made = system()
    first = started(tmp_path, paired, made, schedule=Schedule(0, 0)).checkpoint.stat().st_size
    with files_of_at_most(first + 1000), pytest.raises(CatError, match=r"E608\]: cannot write .*checkpoint\.pt"):
        started(tmp_path, paired, made, resume=True)
    assert load_checkpoint(tmp_path / "checkpoint.pt").step == 0
    assert len(read_metrics(tmp_path / "metrics.jsonl")) == 4
    started(tmp_path / "whole", paired)
    started(tmp_path, paired, system(seed=9), resume=True)
    assert_equal(weights(tmp_path), weights(tmp_path / "whole"))


def test_images_that_have_gone_end_the_run_and_leave_the_last_checkpoint(tmp_path, paired):
    batches = training_batches(paired, batch=2, seed=0)

    class Gone:
        batch, steps_per_epoch = batches.batch, batches.steps_per_epoch

        def at(self, step):
            if step == 6:
                raise CatError.one("E602", "1 image file cannot be used")
            return batches.at(step)

    with Prefetched(Gone(), workers=2) as ahead, pytest.raises(CatError, match="E602"):
        started(tmp_path, paired, batches=ahead)
    assert load_checkpoint(tmp_path / "checkpoint.pt").step == 4
    started(tmp_path / "whole", paired)
    started(tmp_path, paired, system(seed=9), resume=True)
    assert_equal(weights(tmp_path), weights(tmp_path / "whole"))


def test_averages_are_what_a_run_gives_and_shows(tmp_path, paired):
    made, plain = system(), system()
    outcome = started(tmp_path / "a", paired, made, recipe=replace(RECIPE, ema=0.5))
    started(tmp_path / "b", paired, plain)
    assert_equal(weights(tmp_path / "a"), weights(tmp_path / "b"))  # what is trained is the same
    averages = load_checkpoint(outcome.checkpoint).averages["generator"]
    for name, parameter in made.networks["generator"].named_parameters():
        assert torch.equal(parameter.detach(), averages[name])
        assert not torch.equal(parameter.detach(), dict(plain.networks["generator"].named_parameters())[name])


def test_curves_for_tensorboard(tmp_path, paired):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    started(tmp_path, paired, tensorboard=True)
    found = events.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert {"recon", "gan", "discriminator", "total", "lr"} <= set(found.Tags()["scalars"])
    assert [e.step for e in found.Scalars("recon")] == list(range(1, 11))


def test_tensorboard_that_is_not_installed_is_missed_before_a_step(tmp_path, paired, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(CatError, match=r"E607.*TensorBoard is not installed"):
        started(tmp_path, paired, tensorboard=True)


def test_settings_that_are_said_to_be_meant_are_accepted(tmp_path, paired):
    started(tmp_path, paired, Scripted(0, None), settings={"lr": 0.1})
    longer = Schedule(6, 8)
    outcome = started(
        tmp_path, paired, Scripted(0, None), settings={"lr": 0.2}, schedule=longer, resume=True, accept_changes=True
    )
    assert outcome.step == 14
    assert load_checkpoint(outcome.checkpoint).settings == {"lr": 0.2}


def test_what_is_accepted_holds_from_the_start(tmp_path, paired):
    """Also where the run is killed before its next checkpoint."""
    started(tmp_path, paired, Scripted(0, None), settings={"lr": 0.1})

    def killed(system):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        started(
            tmp_path, paired, Scripted(1, killed), settings={"lr": 0.2}, schedule=Schedule(6, 8), resume=True,
            accept_changes=True,
        )  # fmt: skip
    assert load_checkpoint(tmp_path / "checkpoint.pt").settings == {"lr": 0.2}


def test_a_run_is_never_overwritten(tmp_path, paired):
    started(tmp_path, paired, Scripted(0, None))
    content = (tmp_path / "checkpoint.pt").read_bytes()
    with pytest.raises(CatError, match=r"E603.*holds a run already"):
        started(tmp_path, paired, Scripted(0, None))
    assert (tmp_path / "checkpoint.pt").read_bytes() == content


def test_other_settings_are_refused(tmp_path, paired):
    started(tmp_path, paired, Scripted(0, None), settings={"lr": 0.1})
    with pytest.raises(CatError, match=r"E604\]: `lr` was 0.1 when the run began, and is 0.2 now"):
        started(tmp_path, paired, Scripted(0, None), settings={"lr": 0.2}, resume=True)


def test_a_finished_run_resumed_does_nothing(tmp_path, paired):
    started(tmp_path, paired)
    before = weights(tmp_path)
    outcome = started(tmp_path, paired, system(seed=4), resume=True)
    assert (outcome.step, outcome.finished, outcome.seconds) == (10, True, 0)
    assert_equal(weights(tmp_path), before)


def test_resuming_where_nothing_was_begun_starts(tmp_path, paired):
    (tmp_path / "metrics.jsonl").write_text(json.dumps({"step": 1}) + "\n")
    started(tmp_path, paired, resume=True)
    assert [r["step"] for r in read_metrics(tmp_path / "metrics.jsonl")] == list(range(1, 11))


def test_a_training_of_no_steps(tmp_path, paired):
    made = system()
    outcome = started(tmp_path, paired, made, schedule=Schedule(0, 0))
    assert outcome.finished
    assert load_checkpoint(outcome.checkpoint).step == 0
