"""What `bench` is asked for, and what it finds: times of networks in forms, and of one network's nodes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from catdsl.analysis.cost import Cost
from catdsl.diagnostics import CatError
from catdsl.evaluate.node_times import NodeTimes
from catdsl.evaluate.speed import Speed
from catdsl.jobs.bench_forms import Form
from catdsl.jobs.bench_networks import BenchNetwork, BenchNetworks
from catdsl.semantics.settings import PrecisionName


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOptions:
    """Flags of `bench`.

    None stands for the declared size, the threads that torch has, the spec's `timing_runs`, and all
    forms that can be had; a form that is asked for must be had.
    """

    batch: int = 1
    size: tuple[int, int] | None = None
    threads: int | None = None
    runs: int | None = None
    forms: tuple[Form, ...] | None = None
    teacher: bool = True
    precision: PrecisionName = "fp32"
    device: str = "auto"
    channels_last: bool = False
    accept_changes: bool = False
    seed: int = 0


_SIZE = re.compile(r"\s*(\d{1,5})\s*(?:[xX]\s*(\d{1,5})\s*)?")


def parse_size(text: str) -> tuple[int, int]:
    """Height and width of `256x512`, or of `256` for a square. Raises CatError E607."""
    found = _SIZE.fullmatch(text)
    height, width = (int(side) for side in (found[1], found[2] or found[1])) if found else (0, 0)
    if not height or not width:
        raise CatError.one("E607", f"`{text}` is no size of images", help="write height x width, such as 256x512")
    return height, width


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as fast one is as another, turn by turn: the median and the quartiles."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Row:
    """A network in a form: its cost at the size of the images, its speed, and the seconds of every pass.

    Ratios are to teacher and student as searched in the same form, None where these were not timed.
    `difference` is the largest to what the network gives eagerly before any passes, as a share of
    that one's largest value. `resident` stands for the peak memory where torch does not allocate it: what
    the process grew by in the first pass.
    """

    network: str
    form: Form
    cost: Cost
    speed: Speed
    seconds: Sequence[float]
    resident: int | None
    difference: float
    over_teacher: Ratio | None
    over_student: Ratio | None


@dataclass(frozen=True, slots=True)
class Missing:
    """What was not timed, and why."""

    network: str
    form: Form
    reason: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Profile:
    """What would be shipped, node by node, eagerly; `small` is the size of the small images, if any were taken."""

    network: BenchNetwork
    times: NodeTimes
    small: tuple[int, int] | None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Bench:
    """All that was measured, and on what."""

    timed: BenchNetworks
    rows: tuple[Row, ...]
    missing: tuple[Missing, ...]
    profile: Profile
    options: BenchOptions
    device: str
    threads: int
    runs: int
