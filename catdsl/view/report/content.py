"""Everything that a report shows, as plain values: what its pages, and report.json, are made from.

Pictures are named by files relative to the report; whoever makes a page hands over their bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import Field

from catdsl.evaluate.bootstrap import LEVEL

TEACHER: Final = "teacher"
STUDENT: Final = "student"
REAL = "real photographs"
"""Names of answers, and of networks, that a report speaks of by their part; all other answers are trivial ones.

What real images score is no answer: it is what can be reached.
"""

INPUT: Final = "input"
TARGET: Final = "target"

BOOTSTRAP = f"{LEVEL:.0%} percentile bootstrap over images".replace("%", " %")


Count = Annotated[int, Field(ge=0, le=2**63)]
"""A whole number. A report may come from elsewhere, and larger ones cannot be set against others as floats."""

Protocol = Literal["paired", "unpaired"]
"""Whether made images are held against the held-out real ones, or against all real ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """The folder of images as it was given, and how many were trained on and held out."""

    folder: str
    trained_on: Count
    held_out: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One limit of a budget, as asked for in `text`, and what the student takes of the same.

    Metrics are those of `catdsl.search.budget.Limit`, with its units.
    """

    metric: str
    text: str
    most: Count
    reached: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the run was asked for. `bounds` is empty where no budget was given, as for a teacher alone.

    `slack` is the share of the tightest limit that the plan leaves unused.
    """

    bounds: tuple[Bound, ...] = ()
    slack: float | None = None
    protocol: Protocol = "paired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a network costs at the report's input size; `weights` and `memory` (peak of activations) in bytes."""

    exact: Count
    paper: Count
    params: Count
    weights: Count
    memory: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What one answer scored: the teacher, the student, or a trivial one such as `mean image`."""

    answer: str
    value: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What `answer` scored less what `other` scored, image by image, which tells more than two intervals do."""

    answer: str
    other: str
    value: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A measure, what each answer scored by it over `images` images, and how it was taken.

    `reason` says why there are no figures, or fewer than one would expect. `interval` says how the
    intervals were made. `differences` are there where every image has a score of its own.
    """

    name: str
    better: Literal["smaller", "larger"]
    protocol: str
    images: Count
    figures: tuple[Figure, ...] = ()
    unit: str = ""
    interval: str = BOOTSTRAP
    reason: str = ""
    differences: tuple[Difference, ...] = ()

    def of(self, answer: str) -> Figure | None:
        """What an answer scored, where it was measured."""
        return next((figure for figure in self.figures if figure.answer == answer), None)

    def difference(self, answer: str, other: str) -> Difference | None:
        """What an answer scored less what another one did, where that was measured."""
        pairs = (d for d in self.differences if (d.answer, d.other) == (answer, other))
        return next(pairs, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Milliseconds per image of one network: the median of all runs and their quartiles; `memory` in bytes."""

    network: str
    median: float
    quartiles: tuple[float, float] | None = None
    per_second: float | None = None
    memory: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Networks timed in one process under the same conditions; `size` is height and width."""

    device: str
    threads: Count
    precision: str
    batch: Count
    size: tuple[Count, Count]
    runs: Count
    networks: tuple[Timed, ...]

    def of(self, network: str) -> Timed | None:
        """The time of a network, where it was taken."""
        return next((timed for timed in self.networks if timed.network == network), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScore:
    """Intersection over union of one class for each answer; None where no pixel is, or was called, of the class."""

    name: str
    scores: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation:
    """Scores by class; those of each class are in the order of `answers`."""

    answers: tuple[str, ...]
    classes: tuple[ClassScore, ...]
    protocol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One image of the data, by the files that hold it and what was made of it; PNGs relative to the report."""

    name: str
    input: str | None = None
    teacher: str | None = None
    student: str | None = None
    target: str | None = None

    def pictures(self) -> Iterator[tuple[str, str]]:
        """What is shown of it, and the file that holds it."""
        shown = ((INPUT, self.input), (TEACHER, self.teacher), (STUDENT, self.student), (TARGET, self.target))
        yield from ((role, file) for role, file in shown if file is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A value over steps, few enough points to draw, and the means of stretches where there were many."""

    name: str
    points: tuple[tuple[Count, float], ...]
    trend: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Curves that share their axes; `up` names the upright one. `key` is one word, for the name of a file."""

    key: str
    title: str
    up: str
    curves: tuple[Curve, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WidthChange:
    """Channels of one searched width in the teacher and in the student; `block` is the part of the net it lies in."""

    name: str
    block: str
    teacher: Count
    student: Count

    @property
    def kept(self) -> float:
        """The share that is left."""
        return self.student / self.teacher if self.teacher else 1.0

    @property
    def vanished(self) -> bool:
        return self.student == 0 and self.teacher > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A line about the surroundings: a version, a device, a seed."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that a reader must know, or should."""

    kind: Literal["warning", "note"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run was asked for and what came out.

    `run` is the run folder as it was given and `run_id` its id in run.json, `date` in ISO 8601, `size`
    the height and width of the input that costs are counted at. `teacher_digest` is equal where runs
    share a teacher's weights.
    """

    title: str
    run: str
    spec: str
    system: str
    data: Data
    date: str
    seed: Count
    size: tuple[Count, Count]
    teacher: Costs
    student: Costs | None = None
    run_id: str | None = None
    teacher_digest: str = ""
    asked: Asked = field(default_factory=Asked)
    metrics: tuple[Metric, ...] = ()
    timings: tuple[Timing, ...] = ()
    segmentation: Segmentation | None = None
    examples: tuple[Example, ...] = ()
    charts: tuple[Chart, ...] = ()
    widths: tuple[WidthChange, ...] = ()
    environment: tuple[Fact, ...] = ()
    commands: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
