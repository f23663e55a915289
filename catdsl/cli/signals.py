"""Ctrl-C and termination: the process ends without a word, and its exit code names the signal, at any moment.

While modules are loaded it ends at once: nothing has been written yet, and modules that are half loaded
would tell of themselves in tracebacks. A command that runs is interrupted by an exception, so that it
can clean up; the second signal does not wait for that.
"""

import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

_IMPORTING = "<frozen importlib"
_USUAL: dict[int, Callable[[int, FrameType | None], object] | signal.Handlers] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}
"""What Python does with each before anybody has said otherwise."""


def starting() -> None:
    """For the time until a command runs. A signal that the caller has had ignored stays ignored, and no other does."""
    for number, usual in _USUAL.items():
        if signal.getsignal(number) is usual:
            signal.signal(number, _leave)


def running() -> None:
    """For the time of a command; does nothing where `starting` was not called."""
    ours = [number for number in _USUAL if signal.getsignal(number) is _leave]
    for number in ours:
        signal.signal(number, _interrupt)
    if ours and os.name == "posix":
        os.register_at_fork(after_in_child=_as_usual)


def ending() -> None:
    """For the time after a command, when Python takes itself apart."""
    for number in _USUAL:
        if signal.getsignal(number) is _interrupt:
            signal.signal(number, _leave)


def noted() -> int | None:
    """The exit code of a signal that has interrupted the command, whatever became of its exception since."""
    for number in _USUAL:
        if signal.getsignal(number) is _leave:
            return 128 + number
    return None


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    os._exit(128 + number)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    if _imports(frame):
        _leave(number, frame)
    signal.signal(number, _leave)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)


def _imports(frame: FrameType | None) -> bool:
    """Whether a module is being loaded: what is raised there may be taken for a module that is missing."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(_IMPORTING):
            return True
        frame = frame.f_back
    return False


def _as_usual() -> None:
    """In a forked process, as if this module were not there."""
    for number, usual in _USUAL.items():
        if signal.getsignal(number) in (_interrupt, _leave):
            signal.signal(number, usual)
