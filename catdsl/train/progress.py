"""Progress on stderr: a bar at a terminal, a line every few seconds in a log."""

import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from catdsl.diagnostics.printable import printable_lines, write_line

_SHOWN_LOSSES = 6
_TAP = "tap"


class Reporter(ABC):
    """Where the engine says how far it is."""

    @abstractmethod
    def advance(self, step: int, losses: Mapping[str, float]) -> None:
        """`step` steps are done; `losses` are those of the last one."""

    @abstractmethod
    def note(self, text: str) -> None:
        """A line that stays."""


@contextmanager
def open_progress(
    label: str, *, start: int, total: int, batch: int, every: float = 10.0, stream: TextIO | None = None
) -> Iterator[Reporter]:
    """A reporter from step `start` on; `batch` turns steps into images per second.

    `stream` is stderr unless given; where it is no terminal, a line appears every `every` seconds.
    """
    target = sys.stderr if stream is None else stream
    if not target.isatty():
        yield _LineReporter(target, label, _Pace(start, total, batch), every)
        return
    console = Console(file=target)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("eta"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
    )
    with Progress(*columns, console=console, refresh_per_second=4) as bar:
        task = bar.add_task(label, total=total, completed=start, figures="")
        yield _BarReporter(bar, task, _Pace(start, total, batch))


class _Pace:
    """Images per second and time left, since the training was started or resumed."""

    def __init__(self, start: int, total: int, batch: int):
        self.total = total
        self._start, self._batch, self._began = start, batch, time.perf_counter()

    def figures(self, step: int, losses: Mapping[str, float]) -> str:
        shown = [f"{name} {value:.4g}" for name, value in losses.items() if not name.startswith(_TAP)]
        # How far each tap is from its teacher's, 1 - KA, one beside the other.
        taps = [f"{value:.3g}" for name, value in losses.items() if name.startswith(_TAP)]
        speed = f"{self._steps_per_second(step) * self._batch:.1f} images/s"
        return "  ".join((speed, *shown[:_SHOWN_LOSSES], *([" ".join(("taps", *taps))] if taps else ())))

    def left(self, step: int) -> str:
        speed = self._steps_per_second(step)
        seconds = round((self.total - step) / speed) if speed > 0 else 0
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

    def _steps_per_second(self, step: int) -> float:
        return (step - self._start) / max(time.perf_counter() - self._began, 1e-9)


class _BarReporter(Reporter):
    def __init__(self, bar: Progress, task: TaskID, pace: _Pace):
        self._bar, self._task, self._pace = bar, task, pace

    def advance(self, step: int, losses: Mapping[str, float]) -> None:
        self._bar.update(self._task, completed=step, figures=self._pace.figures(step, losses))

    def note(self, text: str) -> None:
        self._bar.console.print(printable_lines(text), markup=False, emoji=False, highlight=False)


class _LineReporter(Reporter):
    def __init__(self, stream: TextIO, label: str, pace: _Pace, every: float):
        self._stream, self._label, self._pace, self._every = stream, label, pace, every
        self._last = time.perf_counter()

    def advance(self, step: int, losses: Mapping[str, float]) -> None:
        now = time.perf_counter()
        if now - self._last < self._every and step < self._pace.total:
            return
        self._last = now
        figures = self._pace.figures(step, losses)
        self.note(f"{self._label} {step}/{self._pace.total}  eta {self._pace.left(step)}  {figures}")

    def note(self, text: str) -> None:
        write_line(self._stream, text)
        self._stream.flush()
