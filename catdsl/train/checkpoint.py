"""Checkpoints: all that a run needs to go on as if it had never stopped, in one file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import torch
from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError
from torch.optim import Optimizer

from catdsl.acceptance import NOBODY, STRICT, Acceptance, Owner
from catdsl.backend.torch_file import load_torch_file
from catdsl.backend.weights import not_finite
from catdsl.diagnostics import CatError, Diagnostic, first_line
from catdsl.files import write_whole
from catdsl.reading import Door, parse_json
from catdsl.train.averaging import Average
from catdsl.train.checkpoint_digest import content_digest
from catdsl.train.systems.system import System
from catdsl.weights_file import compare_owners

if TYPE_CHECKING:
    from lightning_fabric.plugins.precision.precision import Precision

FORMAT = 4
_WITHOUT_DIGEST = 3
"""The format before, which says neither whose it is nor has a digest; it is read all the same."""

CHECKPOINT_DOOR = Door(
    "checkpoint",
    "E604",
    "checkpoint",
    "restore the file from a copy, or remove it: this part of the run then begins afresh",
)


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
    owner: Owner = NOBODY
    """The network that is trained, and the run that it is trained in."""
    format: int = FORMAT


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """All that a training changes: what a checkpoint captures and restores."""

    system: System
    averages: Mapping[str, Average]
    precision: "Precision"
    device: str = "cpu"

    def capture(self, *, step: int, settings: Mapping[str, object], owner: Owner = NOBODY) -> Checkpoint:
        """The state now. Holds the very tensors, not copies: save it before the next step."""
        return Checkpoint(
            step=step,
            networks={name: network.state_dict() for name, network in self.system.networks.items()},
            optimisers={phase.name: phase.optimiser.state_dict() for phase in self.system.phases},
            pools={name: pool.state for name, pool in self.system.pools.items()},
            averages={name: average.state for name, average in self.averages.items()},
            precision=self.precision.state_dict(),
            settings=as_json(settings),
            owner=owner,
        )

    def restore(self, checkpoint: Checkpoint, *, accept_changes: bool = False) -> None:
        """Put a state in its place. Raises CatError E605 where it is that of other networks.

        With `accept_changes`, what a changed recipe has added is not there, and begins afresh.
        """
        if not accept_changes:
            self._check_whole(checkpoint)
        try:
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
        except (LookupError, ValueError, RuntimeError, TypeError, AttributeError) as error:
            raise CatError.one(
                "E605",
                "the checkpoint holds the weights of other networks",
                notes=(first_line(error),),
                help="go on with the spec that the run was started with: its copy is in the run's `spec` folder",
            ) from error

    def _check_whole(self, checkpoint: Checkpoint) -> None:
        """Refuse a checkpoint that lacks what is trained. Raises CatError E605."""
        phases = {phase.name: phase for phase in self.system.phases}
        kinds = (
            ("network", self.system.networks, checkpoint.networks),
            ("optimiser", phases, checkpoint.optimisers),
            ("history", self.system.pools, checkpoint.pools),
        )
        missing = [f"the {kind} `{name}`" for kind, wanted, held in kinds for name in wanted if name not in held]
        if missing:
            raise CatError.one(
                "E605", f"the checkpoint lacks {', '.join(missing)}",
                help="restore the file from a copy, or let what is missing begin afresh with --accept-changes",
            )  # fmt: skip


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


_Tensors = dict[str, torch.Tensor]
_Word = Annotated[str, Field(max_length=200)] | None
_SETTINGS: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])


class _Optimiser(BaseModel):
    """What torch's optimisers say of themselves: moments by number of a parameter, and the groups of these."""

    model_config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True, frozen=True)

    state: dict[Annotated[int, Field(ge=0)], dict[str, torch.Tensor | float | int]]
    param_groups: list[dict[str, Any]]


class _Content(BaseModel):
    """What a file must hold, by kind and range."""

    model_config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True, frozen=True)

    format: int
    step: Annotated[int, Field(ge=0, le=10**12)]
    networks: dict[str, _Tensors]
    optimisers: dict[str, _Optimiser]
    pools: dict[str, _Tensors]
    averages: dict[str, _Tensors]
    precision: dict[str, float | int | None]
    settings: str
    network: _Word = None
    shown: _Word = None
    run: _Word = None
    digest: _Word = None


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write it whole or not at all; the file before it stays until then. Raises CatError E608."""
    owner = checkpoint.owner
    content = {name: getattr(checkpoint, name) for name in _FIELDS}
    content["settings"] = json.dumps(content["settings"])
    content |= {"network": owner.network, "shown": owner.shown or None, "run": owner.run}
    content["digest"] = content_digest(content)

    def save(stream: BinaryIO) -> None:
        try:
            torch.save(content, stream)
        except RuntimeError as error:
            # torch hides what the disk said behind an error of its own.
            if isinstance(error.__context__, OSError):
                raise error.__context__ from error
            raise

    write_whole(path, save)


def load_checkpoint(path: Path, wanted: Owner = NOBODY, acceptance: Acceptance = STRICT) -> Checkpoint:
    """Read a checkpoint onto the CPU, running no code from it.

    Raises CatError E604 for any other file, one whose contents are not those that were written, and one
    of another network or run than is wanted.
    """
    problem = "is no whole checkpoint"
    held = load_torch_file(path, CHECKPOINT_DOOR, problem=problem)
    found = held.get("format") if isinstance(held, Mapping) else None
    if isinstance(found, int) and found not in (FORMAT, _WITHOUT_DIGEST):
        raise CatError.one(
            "E604",
            f"{path} has checkpoint format {found}, and this version reads {FORMAT}",
            help="continue the run with the version that it was started with",
        )
    try:
        content = _Content.model_validate(held)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        note = f"`{'.'.join(map(str, first['loc']))}`: {first['msg']}"
        raise CHECKPOINT_DOOR.refuse(path, problem, notes=(note,)) from None
    settings = parse_json(content.settings, CHECKPOINT_DOOR, _SETTINGS, shown=f"`settings` of {path}")
    owner = Owner(content.network, content.shown or "", content.run)
    _compare(path, held, content, owner, wanted, acceptance)
    known = {name: getattr(content, name) for name in _FIELDS}
    known["optimisers"] = {
        name: {"state": o.state, "param_groups": o.param_groups} for name, o in known["optimisers"].items()
    }
    return Checkpoint(**{**known, "settings": settings, "owner": owner})


def _compare(
    path: Path, held: Mapping[str, Any], content: _Content, owner: Owner, wanted: Owner, acceptance: Acceptance
) -> None:
    found = content_digest({name: value for name, value in held.items() if name != "digest"})
    if content.format == FORMAT and found != content.digest:
        acceptance.refuse(
            CatError.one(
                "E604", f"{path} does not hold what was written: its digest is {found[:12]}, and the file says "
                f"{(content.digest or 'none')[:12]}",
                help=f"{CHECKPOINT_DOOR.help}; --accept-changes goes on with it as it is",
            )
        )  # fmt: skip
    broken = [f"{name} of the {part}" for part, tensors in content.networks.items() for name in not_finite(tensors)]
    if broken:
        acceptance.refuse(
            CatError.one(
                "E604", f"{path} holds {len(broken)} tensors with values that are not finite, the first is {broken[0]}",
                help=CHECKPOINT_DOOR.help,
            )
        )  # fmt: skip
    compare_owners(path, owner, wanted, acceptance, code="E604", what="the checkpoint")
    words = {"network": owner.network, "run": owner.run, "digest": content.digest}
    unknown = [what for what, word in words.items() if word is None]
    # Of a run that says not whose its files are, its record tells that nothing is compared.
    if unknown and wanted.run is not None:
        missing = " and ".join(f"no {what}" for what in unknown)
        acceptance.say(f"note: {path} says {missing}: only names, shapes and finite values are compared")


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
