"""Checkpoints: all that a run needs to go on as if it had never stopped, in one file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import torch
from torch.optim import Optimizer

from catdsl.backend.weights import UNREADABLE
from catdsl.diagnostics import CatError, Diagnostic
from catdsl.files import write_whole
from catdsl.train.averaging import Average
from catdsl.train.systems.system import System

if TYPE_CHECKING:
    from lightning_fabric.plugins.precision.precision import Precision

FORMAT = 3


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Checkpoint:
    """State after `step` steps. `settings` are those of the run, flat, as JSON values.

    There is no random state and no place in the data: every step draws from numbers of its own
    (`seeding`) and has a batch of its own (`batches`), which follow from the seed in the settings.
    """

    step: int
    networks: Mapping[str, Mapping[str, torch.Tensor]]
    optimisers: Mapping[str, Mapping[str, Any]]
    pools: Mapping[str, Mapping[str, torch.Tensor]]
    averages: Mapping[str, Mapping[str, torch.Tensor]]
    precision: Mapping[str, Any]
    settings: Mapping[str, object]
    format: int = FORMAT


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """All that a training changes: what a checkpoint captures and restores."""

    system: System
    averages: Mapping[str, Average]
    precision: "Precision"
    device: str = "cpu"

    def capture(self, *, step: int, settings: Mapping[str, object]) -> Checkpoint:
        """The state now. Holds the very tensors, not copies: save it before the next step."""
        return Checkpoint(
            step=step,
            networks={name: network.state_dict() for name, network in self.system.networks.items()},
            optimisers={phase.name: phase.optimiser.state_dict() for phase in self.system.phases},
            pools={name: pool.state for name, pool in self.system.pools.items()},
            averages={name: average.state for name, average in self.averages.items()},
            precision=self.precision.state_dict(),
            settings=as_json(settings),
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Put a state in its place. Raises CatError E605 where it is that of other networks."""
        try:
            # What a changed recipe has added is not there, and begins afresh.
            for name, network in self.system.networks.items():
                if name in checkpoint.networks:
                    network.load_state_dict(dict(checkpoint.networks[name]))
            for phase in self.system.phases:
                if phase.name in checkpoint.optimisers:
                    _load_moments(phase.optimiser, checkpoint.optimisers[phase.name])
            for name, pool in self.system.pools.items():
                if name in checkpoint.pools:
                    pool.restore(checkpoint.pools[name], self.device)
            for name, average in self.averages.items():
                average.restore(checkpoint.averages.get(name, {}))
            if checkpoint.precision:
                self.precision.load_state_dict(dict(checkpoint.precision))
        except (KeyError, ValueError, RuntimeError) as error:
            raise CatError.one(
                "E605",
                "the checkpoint holds the weights of other networks",
                notes=(str(error).splitlines()[0],),
                help="continue with the spec that the run was started with",
            ) from error


def _load_moments(optimiser: Optimizer, state: Mapping[str, Any]) -> None:
    """Only what the optimiser has gathered, network by network; a network that is new begins with nothing.

    Rates and the like are those of the recipe, which may have changed.
    """
    own = optimiser.state_dict()
    saved = {group["name"]: group["params"] for group in state["param_groups"]}
    gathered = {
        new: state["state"][old]
        for group in own["param_groups"]
        for new, old in zip(group["params"], saved.get(group["name"], ()), strict=group["name"] in saved)
        if old in state["state"]
    }
    optimiser.load_state_dict({"state": gathered, "param_groups": own["param_groups"]})


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write it whole or not at all; the file before it stays until then. Raises CatError E608."""
    content = {name: getattr(checkpoint, name) for name in _FIELDS}
    content["settings"] = json.dumps(content["settings"])

    def save(stream: BinaryIO) -> None:
        try:
            torch.save(content, stream)
        except RuntimeError as error:
            # torch hides what the disk said behind an error of its own.
            if isinstance(error.__context__, OSError):
                raise error.__context__ from error
            raise

    write_whole(path, save)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint onto the CPU, running no code from it. Raises CatError E604 for any other file."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        found = {"format": content["format"]}
        if found["format"] == FORMAT:
            found |= {name: content[name] for name in _FIELDS}
            found["settings"] = json.loads(found["settings"])
    except UNREADABLE as error:
        raise CatError.one(
            "E604",
            f"{path} is no whole checkpoint",
            notes=(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}",),
            help="restore the file from a copy, or remove the run folder and start again",
        ) from error
    if found["format"] != FORMAT:
        raise CatError.one(
            "E604",
            f"{path} has checkpoint format {found['format']}, and this version reads {FORMAT}",
            help="continue the run with the version that it was started with",
        )
    return Checkpoint(**found)


def check_settings(before: Mapping[str, object], now: Mapping[str, object]) -> None:
    """Refuse to go on with other settings. Raises CatError E604, one diagnostic per change."""
    now = as_json(now)
    changed = [name for name in {**before, **now} if before.get(name, _UNSET) != now.get(name, _UNSET)]
    if changed:
        raise CatError(
            Diagnostic(
                "E604",
                f"`{name}` was {_shown(before, name)} when the run began, and is {_shown(now, name)} now",
                help="put it back, start a new run in another folder, or go on nevertheless with --accept-changes",
            )
            for name in changed
        )


def as_json(settings: Mapping[str, object]) -> dict[str, object]:
    """As they come back from JSON, so that a tuple and the list it becomes compare equal."""
    return dict(json.loads(json.dumps(settings)))


_FIELDS = ("format", "step", "networks", "optimisers", "pools", "averages", "precision", "settings")
_UNSET = object()


def _shown(settings: Mapping[str, object], name: str) -> str:
    return json.dumps(settings[name]) if name in settings else "not set"
