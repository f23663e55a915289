"""The training loop: steps, metrics, samples and checkpoints, safe against being stopped at any moment."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from catdsl.acceptance import NOBODY, Acceptance, Owner, silent
from catdsl.diagnostics import CatError
from catdsl.reading import there
from catdsl.train import collective
from catdsl.train.averaging import Average
from catdsl.train.checkpoint import Trained, check_settings, load_checkpoint, save_checkpoint
from catdsl.train.data.batches import Batch, Batches
from catdsl.train.grid import write_grid
from catdsl.train.processes import precision_of
from catdsl.train.recipe import Recipe
from catdsl.train.records import Records, open_records
from catdsl.train.schedule import Schedule
from catdsl.train.seeding import derived_seed
from catdsl.train.stepping import train_step
from catdsl.train.stopping import StopRequest
from catdsl.train.systems.system import System

CHECKPOINT = "checkpoint.pt"
METRICS = "metrics.jsonl"
SAMPLES = "samples"
BOARD = "tensorboard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a training is carried out with; nothing here but `recipe`, `settings` and `seed` bears on the result."""

    folder: Path
    seed: int
    recipe: Recipe
    settings: Mapping[str, object]
    """All that must be the same when the run is continued, flat, as JSON values."""
    checkpoint_every: int
    sample_every: int
    label: str = "training"
    device: str = "cpu"
    resume: bool = False
    accept_changes: bool = False
    """Whether a run may be continued with other settings."""
    tensorboard: bool = False
    owner: Owner = NOBODY
    """The network that is trained, and the run that it is trained in; a checkpoint says both."""
    say: Callable[[str], None] = silent

    @property
    def checkpoint(self) -> Path:
        return self.folder / CHECKPOINT

    @property
    def metrics(self) -> Path:
        return self.folder / METRICS

    def sample(self, step: int) -> Path:
        return self.folder / SAMPLES / f"step_{step:06d}.png"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a training ended; `stopped_by` names the signal that ended it before `total_steps`."""

    step: int
    total_steps: int
    seconds: float
    """Spent in steps since the training was started or resumed, without checkpoints and samples."""
    checkpoint: Path
    losses: Mapping[str, float] = field(default_factory=dict)
    stopped_by: str | None = None

    @property
    def finished(self) -> bool:
        return self.step >= self.total_steps


def run_training(
    system: System,
    batches: Batches,
    *,
    schedule: Schedule,
    run: Run,
    sample_batch: Batch | None = None,
) -> Outcome:
    """Train `system` to the end of `schedule`, from the run's checkpoint where it is resumed.

    Where the recipe asks for averages, the generators have them for their weights afterwards. A run
    that is killed at any moment and resumed ends in the same weights, on a CPU bit for bit (with the
    same number of threads and version of torch). SIGINT and SIGTERM let the current step end, save a
    checkpoint and return. Raises CatError E603 (the folder holds a run already), E604 (other
    settings), E605 (other networks), E606 (a loss or a weight is no number; the last checkpoint
    stays), E607 (a precision that the device has not), E608 (disk).
    """
    decay = run.recipe.ema
    averages = {n: Average(system.networks[n], decay) for n in system.generators} if decay is not None else {}
    trained = Trained(system, averages, precision_of(run.recipe.precision, run.device), run.device)
    with _own_randomness(run.device):
        first = _begin(trained, run)
        with StopRequest() as stop, _records(run, first, schedule.total_steps, batches.batch) as records:
            outcome = _Loop(trained, batches, schedule, run, sample_batch, records).go(first, stop)
    if outcome.finished:
        for average in averages.values():
            average.swap()
    return outcome


def _begin(trained: Trained, run: Run) -> int:
    """Load the checkpoint, or write the first one. Returns the steps that are done."""
    begun = there(run.checkpoint)
    collective.wait_for_all()
    if not begun:
        _save(trained, run, step=0)
        return 0
    if not run.resume:
        raise CatError.one(
            "E603",
            f"{run.folder} holds a run already",
            help="continue it with --resume, or choose another folder with -o",
        )
    checkpoint = load_checkpoint(run.checkpoint, run.owner, Acceptance(run.accept_changes, run.say))
    if not run.accept_changes:
        check_settings(checkpoint.settings, run.settings)
    trained.restore(checkpoint, accept_changes=run.accept_changes)
    if run.accept_changes:
        # From now on these are the run's settings, also for whoever resumes it before its next checkpoint.
        _save(trained, run, step=checkpoint.step)
    return checkpoint.step


def _records(run: Run, first: int, total: int, batch: int) -> AbstractContextManager[Records | None]:
    """Where the first process writes down how it gets on; the others are silent."""
    if not collective.first():
        return nullcontext()
    board = run.folder / BOARD if run.tensorboard else None
    return open_records(run.metrics, label=run.label, first=first, total=total, batch=batch, board=board)


@dataclass(frozen=True, slots=True, eq=False)
class _Loop:
    trained: Trained
    batches: Batches
    schedule: Schedule
    run: Run
    sample_batch: Batch | None
    records: Records | None

    def go(self, first: int, stop: StopRequest) -> Outcome:
        total, seconds = self.schedule.total_steps, 0.0
        step, losses, stopped_by = first, dict[str, float](), None
        while step < total:
            began = time.perf_counter()
            losses = self._step(step)
            spent = time.perf_counter() - began
            seconds += spent
            step += 1
            if self.records is not None:
                self.records.add(step, self._epoch(step), self._rate(), losses, spent)
            # Asked once, so that a signal from here on is seen only after the next step was kept.
            stopped_by = self._stopped(stop)
            self._keep(step, last=step == total or stopped_by is not None)
            if stopped_by is not None:
                break
        if step < total and self.records is not None:
            self.records.note(f"stopped by {stopped_by} after step {step} of {total}; checkpoint saved")
        return Outcome(
            step=step,
            total_steps=total,
            seconds=seconds,
            checkpoint=self.run.checkpoint,
            losses=losses,
            stopped_by=stopped_by if step < total else None,
        )

    def _step(self, step: int) -> dict[str, float]:
        """One update of all networks, all of its randomness drawn from (seed, step)."""
        system, recipe = self.trained.system, self.run.recipe
        factor = self.schedule.factor(step)
        for phase in system.phases:
            for group in phase.optimiser.param_groups:
                group["lr"] = group["initial_lr"] * factor
        batch = self._batch(step).to(self.run.device, channels_last=recipe.channels_last)
        seed = derived_seed(self.run.seed, "step", step)
        parts = batch.split(recipe.accumulate)
        losses = _numbers(train_step(system, parts, self.trained.precision, clip=recipe.clip, seed=seed))
        if not all(map(math.isfinite, losses.values())):
            raise self._no_number(step + 1, ", ".join(f"{name} = {x:.4g}" for name, x in losses.items()))
        for average in self.trained.averages.values():
            average.update()
        return losses

    def _batch(self, step: int) -> Batch:
        """This process's share. What one process cannot read is an error of all of them."""
        return collective.together(lambda: self.batches.at(step), self.run.device)

    def _epoch(self, step: int) -> int:
        return (step - 1) // self.batches.steps_per_epoch + 1

    def _rate(self) -> float:
        """The rate of the network that the training is for."""
        rate: float = self.trained.system.phases[-1].optimiser.param_groups[0]["lr"]
        return rate

    def _stopped(self, stop: StopRequest) -> str | None:
        """What stops this process or another one; all of them stop after the same step."""
        if collective.any_process(stop.reason is not None, self.run.device):
            return stop.reason or "a signal to another process"
        return None

    def _keep(self, step: int, *, last: bool) -> None:
        """Samples and checkpoint where they are due.

        The checkpoint comes after, so that a run killed in between draws the samples again.
        """
        sampled = step % self.run.sample_every == 0 or step == self.schedule.total_steps
        if sampled and self.sample_batch is not None and collective.first():
            write_grid(self.run.sample(step), self._sample(self.sample_batch.to(self.run.device)))
        if last or step % self.run.checkpoint_every == 0:
            self._check_weights(step)
            _save(self.trained, self.run, step=step)
            if self.records is not None:
                # A folder that was removed is made again by what is written into it.
                self.records.metrics.check_there()

    def _sample(self, batch: Batch) -> Mapping[str, Tensor]:
        with ExitStack() as shown:
            for average in self.trained.averages.values():
                shown.enter_context(average.shown())
            return self.trained.system.sample(batch)

    def _check_weights(self, step: int) -> None:
        """A loss can be finite while its gradient was not: such weights must not replace good ones."""
        for name, network in self.trained.system.networks.items():
            tensors = (t for t in network.state_dict().values() if t.is_floating_point())
            if not all(bool(t.isfinite().all()) for t in tensors):
                raise self._no_number(step, f"weights of the {name}")

    def _no_number(self, step: int, what: str) -> CatError:
        return CatError.one(
            "E606",
            f"after step {step} not every value is a number any more: {what}",
            notes=(f"the last good checkpoint is {self.run.checkpoint}",),
            help="lower `lr`, or the weight of the loss that grew; metrics.jsonl shows which",
        )


def _save(trained: Trained, run: Run, *, step: int) -> None:
    # Nobody goes on, or leaves, before it is there.
    collective.by_first(
        lambda: save_checkpoint(run.checkpoint, trained.capture(step=step, settings=run.settings, owner=run.owner)),
        run.device,
    )


def _numbers(losses: Mapping[str, Tensor]) -> dict[str, float]:
    """All losses in one transfer: each by itself would wait for the device."""
    return dict(zip(losses, torch.stack([x.float() for x in losses.values()]).tolist(), strict=True))


@contextmanager
def _own_randomness(device: str) -> Iterator[None]:
    """The caller's random state is back afterwards."""
    kind = torch.device(device).type
    devices = list(range(torch.cuda.device_count())) if kind == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        yield
