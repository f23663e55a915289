"""`bench`: a teacher and its student in every form that they can be run in, in turn in one process."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from catdsl.acceptance import Acceptance
from catdsl.analysis.cost import cost_model
from catdsl.analysis.input_size import with_input_size
from catdsl.analysis.sizes import size_rule
from catdsl.backend.threads import threads
from catdsl.backend.timing import alternating_seconds
from catdsl.diagnostics import CatError
from catdsl.evaluate.memory import peak_bytes
from catdsl.evaluate.node_times import measure_nodes
from catdsl.evaluate.speed import check_precision, forward_call, noise, summarised
from catdsl.jobs.bench_figures import Bench, BenchOptions, Missing, Profile, Ratio, Row
from catdsl.jobs.bench_forms import FORMS, Conditions, Form, Prepared, Unavailable, as_float, prepare
from catdsl.jobs.bench_networks import (
    STUDENT,
    TEACHER,
    BenchNetwork,
    BenchNetworks,
    networks_of_run,
    networks_of_spec,
)
from catdsl.jobs.setting import choose_device
from catdsl.project import Project
from catdsl.train.modes import evaluating

Say = Callable[[str], None]


def bench(source: Path | Project, options: BenchOptions, *, say: Say) -> Bench:
    """Time the networks of a run folder, of a spec or of a student program.

    Every network in every form has its turn before the next round begins. Raises CatError E603 for a
    run without a trained student, E607 for a device, precision, size or (if asked for) form that
    cannot be had.
    """
    device = choose_device(options.device)
    check_precision(options.precision, device)
    if isinstance(source, Path):
        timed = networks_of_run(
            source, size=options.size, teacher=options.teacher, seed=options.seed,
            acceptance=Acceptance(options.accept_changes, say),
        )  # fmt: skip
    else:
        timed = networks_of_spec(source, size=options.size, teacher=options.teacher, seed=options.seed)
    with threads(options.threads) as count, ExitStack() as modes:
        layout = _layout(options)
        for network in timed.networks:
            network.module.to(device).to(memory_format=layout)  # type: ignore[call-overload]
            modes.enter_context(evaluating(network.module))
        images = _images(timed, timed.size, options, device)
        return _measured(timed, options, Conditions(images, precision=options.precision), count, say)


def _measured(timed: BenchNetworks, options: BenchOptions, conditions: Conditions, count: int, say: Say) -> Bench:
    runs = options.runs or timed.project.settings.evaluate.timing_runs
    outputs = _outputs(timed, conditions)
    candidates, missing = _candidates(timed, options, conditions, say)
    say(f"times    {len(candidates)} in turn, {runs} passes of each")
    calls = {candidate.name: candidate.prepared.call for candidate in candidates}
    seconds = alternating_seconds(calls, conditions.device, runs=runs)
    rows = tuple(_rows(candidates, seconds, outputs, options, conditions, timed.size))
    say(f"profiles {timed.last.name}, node by node")
    profile = _profile(timed, options, conditions, runs)
    return Bench(
        timed=timed, rows=rows, missing=missing, profile=profile, options=options, device=conditions.device,
        threads=count, runs=runs,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """A network that is ready to be timed in a form."""

    network: BenchNetwork
    form: Form
    prepared: Prepared

    @property
    def name(self) -> str:
        return _name(self.network.name, self.form)


def _name(network: str, form: Form) -> str:
    return f"{network} {form}"


def _candidates(
    timed: BenchNetworks, options: BenchOptions, conditions: Conditions, say: Say
) -> tuple[list[_Candidate], tuple[Missing, ...]]:
    """What can be timed, and what cannot. Raises CatError E607 where a form was asked for that cannot be had."""
    found, missing = [], []
    for network, form in product(timed.networks, options.forms or FORMS):
        say(f"prepares {_name(network.name, form)}")
        try:
            found.append(_Candidate(network, form, prepare(form, network, conditions)))
        except Unavailable as reason:
            if options.forms is not None:
                raise CatError.one(
                    "E607", f"{network.name} cannot be timed as {form}: {reason}", help="leave it out of --forms"
                ) from reason
            missing.append(Missing(network.name, form, str(reason)))
    return found, tuple(missing)


def _outputs(timed: BenchNetworks, conditions: Conditions) -> dict[str, Tensor]:
    """What each network gives before any passes."""
    return {
        network.name: as_float(forward_call(network.module, conditions.images, conditions.precision)())
        for network in timed.networks
        if network.name == network.original
    }


def _rows(
    candidates: Sequence[_Candidate], seconds: Mapping[str, Sequence[float]], outputs: Mapping[str, Tensor],
    options: BenchOptions, conditions: Conditions, size: tuple[int, int],
) -> Iterator[Row]:  # fmt: skip
    for candidate in candidates:
        network, prepared, times = candidate.network, candidate.prepared, seconds[candidate.name]
        peak = peak_bytes(prepared.call, conditions.device) if prepared.accounted else None
        yield Row(
            network=network.name, form=candidate.form, cost=cost_model(prepared.graph).at(),
            speed=summarised(times, peak, batch=options.batch, size=size, precision=options.precision,
                             device=conditions.device),
            seconds=times, resident=prepared.resident,
            difference=_difference(prepared.result_BCHW, outputs[network.original]),
            over_teacher=_ratio(seconds.get(_name(TEACHER, candidate.form)), times),
            over_student=_ratio(seconds.get(_name(STUDENT, candidate.form)), times),
        )  # fmt: skip


def _ratio(slower: Sequence[float] | None, faster: Sequence[float]) -> Ratio | None:
    """Of each turn by itself: within a turn the machine has changed least."""
    if slower is None:
        return None
    low, median, high = np.quantile(np.divide(slower, faster), (0.25, 0.5, 0.75)).tolist()
    return Ratio(median, low, high)


def _difference(found_BCHW: Tensor, wanted_BCHW: Tensor) -> float:
    largest = wanted_BCHW.abs().max().item()
    return (found_BCHW - wanted_BCHW).abs().max().item() / (largest or 1.0)


def _profile(timed: BenchNetworks, options: BenchOptions, conditions: Conditions, runs: int) -> Profile:
    network = timed.last
    small = _small(timed)
    shrunk = None if small is None else _images(timed, small, options, conditions.device)
    times = measure_nodes(
        network.module, conditions.images, shrunk, runs=runs, device=conditions.device, precision=options.precision
    )  # fmt: skip
    return Profile(network=network, times=times, small=small)


def _small(timed: BenchNetworks) -> tuple[int, int] | None:
    """The smallest image that the network takes; None if that is no smaller than the one it is timed on."""
    rule = size_rule(timed.networks[0].graph)
    small = rule.height.least, rule.width.least
    return small if small[0] * small[1] < timed.size[0] * timed.size[1] else None


def _images(timed: BenchNetworks, size: tuple[int, int], options: BenchOptions, device: str) -> list[Tensor]:
    """Noise for each input of the generator on the device, where the first input is of `size`."""
    graph = with_input_size(timed.networks[0].graph, *size)
    made = (noise(options.batch, graph.channels(n.name), (n.type.height, n.type.width)) for n in graph.inputs)
    return [x_BCHW.to(device, memory_format=_layout(options)) for x_BCHW in made]


def _layout(options: BenchOptions) -> torch.memory_format:
    return torch.channels_last if options.channels_last else torch.contiguous_format
