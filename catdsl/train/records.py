"""How a training gets on, for those who watch it: metrics as lines, curves for TensorBoard, progress shown."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catdsl.diagnostics import CatError
from catdsl.train.metrics import MetricsLog
from catdsl.train.progress import Reporter, open_progress

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """What the first process of a training keeps of every step."""

    metrics: MetricsLog
    reporter: Reporter
    board: "SummaryWriter | None" = None

    def add(self, step: int, epoch: int, rate: float, losses: Mapping[str, float], seconds: float) -> None:
        """Write down a step that is done. Raises CatError E608."""
        place = {"step": step, "epoch": epoch, "lr": rate}
        self.metrics.append({**place, **losses, "seconds": round(seconds, 6)})
        self.reporter.advance(step, losses)
        if self.board is not None:
            for name, value in {**losses, "lr": rate}.items():
                self.board.add_scalar(name, value, step)

    def note(self, text: str) -> None:
        """A line that stays."""
        self.reporter.note(text)


@contextmanager
def open_records(
    metrics: Path, *, label: str, first: int, total: int, batch: int, board: Path | None = None
) -> Iterator[Records]:
    """Go on with the metrics after step `first`, and with TensorBoard's files in the folder `board`.

    Raises CatError E603, E608, and E607 where TensorBoard is wanted and not installed.
    """
    writer = None if board is None else _board(board, first)
    try:
        with (
            MetricsLog.open(metrics, keep_through=first) as log,
            open_progress(label, start=first, total=total, batch=batch) as reporter,
        ):
            yield Records(log, reporter, writer)
    finally:
        if writer is not None:
            writer.close()


def check_board() -> None:
    """Raise CatError E607 where TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: F401
    except ImportError as error:
        raise CatError.one(
            "E607", "TensorBoard is not installed", help="pip install 'catdsl[tensorboard]', or leave out --tensorboard"
        ) from error


def _board(folder: Path, first: int) -> "SummaryWriter":
    check_board()
    from torch.utils.tensorboard import SummaryWriter

    # What a run that was killed had drawn after its last checkpoint is hidden.
    return SummaryWriter(str(folder), purge_step=first + 1)
