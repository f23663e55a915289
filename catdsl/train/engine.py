"""The training loop: steps, metrics, samples and checkpoints, safe against being stopped at any moment."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from catdsl.diagnostics import CatError
from catdsl.train.checkpoint import capture, check_settings, load_checkpoint, restore, save_checkpoint
from catdsl.train.data.batches import Batch, TrainingBatches
from catdsl.train.grid import write_grid
from catdsl.train.metrics import MetricsLog
from catdsl.train.progress import Reporter, open_progress
from catdsl.train.schedule import Schedule
from catdsl.train.seeding import derived_seed
from catdsl.train.stopping import StopRequest
from catdsl.train.systems.system import System

CHECKPOINT = "checkpoint.pt"
METRICS = "metrics.jsonl"
SAMPLES = "samples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a training is carried out with; nothing here but `settings` and `seed` bears on the result."""

    folder: Path
    seed: int
    settings: Mapping[str, object]
    """All that must be the same when the run is continued, flat, as JSON values."""
    checkpoint_every: int
    sample_every: int
    label: str = "training"
    device: str = "cpu"
    resume: bool = False

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
    batches: TrainingBatches,
    *,
    schedule: Schedule,
    run: Run,
    sample_batch: Batch | None = None,
) -> Outcome:
    """Train `system` to the end of `schedule`, from the run's checkpoint where it is resumed.

    A run that is killed at any moment and resumed ends in the same weights, on a CPU bit for bit
    (with the same number of threads and version of torch). SIGINT and SIGTERM let the current step
    end, save a checkpoint and return. Raises CatError E603 (the folder holds a run already), E604
    (other settings), E605 (other networks), E606 (a loss or a weight is no number; the last
    checkpoint stays), E608 (disk).
    """
    with _own_randomness(run.device):
        first = _begin(system, run)
        progress = open_progress(run.label, start=first, total=schedule.total_steps, batch=batches.batch)
        metrics = MetricsLog.open(run.metrics, keep_through=first)
        with StopRequest() as stop, metrics as log, progress as reporter:
            loop = _Loop(system, batches, schedule, run, sample_batch, reporter, log)
            return loop.go(first, stop)


def _begin(system: System, run: Run) -> int:
    """Load the checkpoint, or write the first one. Returns the steps that are done."""
    if not run.checkpoint.exists():
        _save(system, run, step=0)
        return 0
    if not run.resume:
        raise CatError.one(
            "E603",
            f"{run.folder} holds a run already",
            help="continue it with --resume, or choose another folder with -o",
        )
    checkpoint = load_checkpoint(run.checkpoint)
    check_settings(checkpoint.settings, run.settings)
    restore(system, checkpoint)
    return checkpoint.step


@dataclass(frozen=True, slots=True, eq=False)
class _Loop:
    system: System
    batches: TrainingBatches
    schedule: Schedule
    run: Run
    sample_batch: Batch | None
    reporter: Reporter
    log: MetricsLog

    def go(self, first: int, stop: StopRequest) -> Outcome:
        total, seconds = self.schedule.total_steps, 0.0
        step, losses, stopped_by = first, dict[str, float](), None
        while step < total:
            began = time.perf_counter()
            losses = self._step(step)
            spent = time.perf_counter() - began
            seconds += spent
            step += 1
            self._record(step, losses, spent)
            # Asked once, so that a signal from here on is seen only after the next step was kept.
            stopped_by = stop.reason
            self._keep(step, last=step == total or stopped_by is not None)
            if stopped_by is not None:
                break
        if step < total:
            self.reporter.note(f"stopped by {stopped_by} after step {step} of {total}; checkpoint saved")
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
        torch.manual_seed(derived_seed(self.run.seed, "step", step))
        factor = self.schedule.factor(step)
        for optimiser in self.system.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = group["initial_lr"] * factor
        losses = _numbers(self.system.train_step(self.batches.at(step).to(self.run.device)))
        if not all(map(math.isfinite, losses.values())):
            raise self._no_number(step + 1, ", ".join(f"{name} = {x:.4g}" for name, x in losses.items()))
        return losses

    def _record(self, step: int, losses: Mapping[str, float], seconds: float) -> None:
        rates = [group["lr"] for o in self.system.optimisers.values() for group in o.param_groups]
        epoch = (step - 1) // self.batches.steps_per_epoch + 1
        place = {"step": step, "epoch": epoch, "lr": rates[0]}
        self.log.append({**place, **losses, "seconds": round(seconds, 6)})
        self.reporter.advance(step, losses)

    def _keep(self, step: int, *, last: bool) -> None:
        """Samples and checkpoint where they are due.

        The checkpoint comes after, so that a run killed in between draws the samples again.
        """
        sampled = step % self.run.sample_every == 0 or step == self.schedule.total_steps
        if sampled and self.sample_batch is not None:
            write_grid(self.run.sample(step), self.system.sample(self.sample_batch.to(self.run.device)))
        if last or step % self.run.checkpoint_every == 0:
            self._check_weights(step)
            _save(self.system, self.run, step=step)

    def _check_weights(self, step: int) -> None:
        """A loss can be finite while its gradient was not: such weights must not replace good ones."""
        for name, network in self.system.networks.items():
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


def _save(system: System, run: Run, *, step: int) -> None:
    save_checkpoint(run.checkpoint, capture(system, step=step, settings=run.settings))


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
