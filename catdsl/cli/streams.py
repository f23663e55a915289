"""The standard streams, which may be closed, full, abandoned by their reader, or unable to show a character."""

import os
import select
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import TextIO

_STREAMS = (1, 2)


def make_usable() -> None:
    """Open those that the caller has closed, and let each show every character.

    In this order each gets its own number back, the lowest that is free. Otherwise the next file that is
    opened would get it, and be written into by whatever prints.
    """
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    # A name that is no text, or a letter that the terminal's encoding lacks, is shown by its number.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def abandoned() -> bool:
    """Whether who read one of the outputs has gone, as `head` does once it has its lines."""
    if sys.platform == "win32":
        return True
    poll = select.poll()
    for number in _STREAMS:
        with suppress(OSError):
            os.fstat(number)
            poll.register(number, 0)
    return any(happened & (select.POLLERR | select.POLLHUP) for _, happened in poll.poll(0))


def settle() -> None:
    """Before Python flushes them for the last time, and tells of what fails then: turn away what takes no more."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        if stream is not None and not _flushed(stream):
            with suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)


def _flushed(stream: TextIO) -> bool:
    try:
        stream.flush()
    except (OSError, ValueError):
        return False
    return True
