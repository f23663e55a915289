"""Peak memory of a forward pass, measured: the most that it had allocated at once beyond what was there."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch.profiler import ProfilerActivity, profile

from catdsl.backend.timing import wait_for

_EVENT = "[memory]"
_LEVEL, _NOTHING = "KINETO_LOG_LEVEL", "99"


def peak_bytes(call: Callable[[], object], device: str) -> int | None:
    """The most bytes of torch's allocator on the device that `call` held at once; None where it keeps no account.

    Activations, the result and what operators hold while they run (such as unfolded patches of a
    convolution); weights and the input were there before, and do not count. What a library takes
    from the system by itself does not show. The prediction from a graph is `analysis.memory`.
    """
    kind = torch.device(device).type
    if kind == "cuda":
        return _peak_of_cuda(call, device)
    return _peak_of_processor(call) if kind == "cpu" else None


def _peak_of_cuda(call: Callable[[], object], device: str) -> int:
    wait_for(device)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    call()
    wait_for(device)
    return torch.cuda.max_memory_allocated(device) - before


def _peak_of_processor(call: Callable[[], object]) -> int:
    # The profiler lists what is allocated and freed; its trace is the documented way to that list.
    with TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        with _silent(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
            call()
        profiler.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]
    changes = [event for event in events if event.get("name") == _EVENT]
    changes.sort(key=lambda event: event["ts"])
    return max(accumulate(event["args"]["Bytes"] for event in changes), default=0)


@contextmanager
def _silent() -> Iterator[None]:
    """Kept from telling of the profiler's start and end on stderr, which its first use decides on."""
    if _LEVEL in os.environ:
        yield
        return
    os.environ[_LEVEL] = _NOTHING
    try:
        yield
    finally:
        del os.environ[_LEVEL]
