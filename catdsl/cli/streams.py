"""The standard streams, which may be closed, full, abandoned by their reader, or unable to show a character."""

import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Any, TextIO, cast


def make_usable() -> None:
    """Open those that the caller has closed, let each show every character, and outlive its reader.

    In this order each gets its own number back, the lowest that is free. Otherwise the next file that is
    opened would get it, and be written into by whatever prints.
    """
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    # A name that is no text, or a letter that the terminal's encoding lacks, is shown by its number.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.stdout, sys.stderr = cast(TextIO, _Output(sys.stdout)), cast(TextIO, _Output(sys.stderr))


class _Output:
    """A standard stream whose reader may leave, as `head` does once it has its lines.

    What is written then goes nowhere, and the command does its work: a reader that is gone neither stops
    a training nor makes a failure look like success.
    """

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            _turn_away(self._stream)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            _turn_away(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def settle() -> None:
    """Before Python flushes them for the last time, and tells of what fails then: turn away what takes no more."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        if stream is not None and not _flushed(stream):
            _turn_away(stream)


def _turn_away(stream: TextIO) -> None:
    """Send nowhere what a stream holds and gets."""
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
