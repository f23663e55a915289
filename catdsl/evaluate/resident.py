"""Memory that a call takes from the system, for libraries whose allocator keeps no account: Linux alone tells."""

import ctypes
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_PROCESS = Path("/proc/self")
_FORGET_PEAK = "5"  # proc(5): writing it to clear_refs sets the peak of resident memory back to what it is now


def resident_growth(call: Callable[[], object]) -> int | None:
    """The most bytes of resident memory that the process had more while `call` ran than before; None where unknown.

    What an allocator has kept of earlier calls does not count: measure a session's first pass. It is
    a rough figure, of pages and with whatever the library prepares in that pass.
    """
    # Memory that was freed and not given back would be taken again without a trace.
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    try:
        (_PROCESS / "clear_refs").write_text(_FORGET_PEAK)
        before = _bytes("VmRSS")
    except OSError:
        call()
        return None
    call()
    return max(_bytes("VmHWM") - before, 0)


def _bytes(key: str) -> int:
    found = re.search(rf"^{key}:\s+(\d+) kB$", (_PROCESS / "status").read_text(), re.MULTILINE)
    if found is None:
        raise OSError(f"the system does not tell {key}")
    return 1024 * int(found[1])
