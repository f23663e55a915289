"""Batches made ahead, by threads, while the network works on the one before."""

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from catdsl.train.data.batches import Batch, Batches


class Prefetched:
    """The batches of another source, the next few made in advance by `workers` threads.

    As each batch follows from its step alone, the number of threads changes no result; with 0 it is
    made when it is asked for, in the calling thread. What a thread could not read (CatError E602)
    is raised where that step is asked for. To be used in a `with` block, which ends the threads.
    """

    def __init__(self, batches: Batches, *, workers: int):
        self._batches = batches
        self._ahead = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="batches") if workers else None
        self._begun: dict[int, Future[Batch]] = {}

    @property
    def batch(self) -> int:
        return self._batches.batch

    @property
    def steps_per_epoch(self) -> int:
        return self._batches.steps_per_epoch

    def at(self, step: int) -> Batch:
        """The batch of `step`; that of `step + 1` and some more are begun."""
        if self._pool is None:
            return self._batches.at(step)
        wanted = range(step, step + 1 + self._ahead)
        # After a jump, what was begun for steps that nobody asks for only takes memory.
        for other in [s for s in self._begun if s not in wanted]:
            self._begun.pop(other).cancel()
        for coming in wanted:
            if coming not in self._begun:
                self._begun[coming] = self._pool.submit(self._batches.at, coming)
        return self._begun.pop(step).result()

    def __enter__(self) -> "Prefetched":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._begun.clear()
